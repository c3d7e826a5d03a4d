import { formatDuration, roughMillis } from '../../src/base/duration.ts'
import { deleteMachine } from '../../src/operations/delete-machine.ts'
import { listMachines } from '../../src/operations/list-machines.ts'
import { consolePath } from '../../src/operations/open-console.ts'
import { listRequests } from '../../src/operations/list-requests.ts'
import type { MachineView } from '../../src/operations/shapes/machine.ts'
import type { Button, Card } from '../card.ts'
import { connectCard } from '../cards/connect.ts'
import { type Console, consoleCard } from '../cards/console.ts'
import { deletionText, machineCard, savingText } from '../cards/machine.ts'
import { machinesCard, type Which } from '../cards/machines.ts'
import { button, lineButton } from '../cards/parts.ts'
import { confirmCard, questionCard } from '../cards/questions.ts'
import { saidCard } from '../cards/questions.ts'
import { machineFacts, requestFacts } from '../facts.ts'
import { requestCard } from '../cards/request.ts'
import { stateWords } from '../cards/words.ts'
import { type Command, formatCommand } from '../grammar.ts'
import type { Talk } from './talk.ts'

/** As many servers as one card lists. */
const listed = 50

export async function list(talk: Talk, { which }: { which: Which }): Promise<Card[]> {
  const [page, asked, toDecide] = await Promise.all([
    talk.perform(listMachines, { ...filterOf(talk, which), limit: listed }),
    which === 'all'
      ? { items: [] }
      : talk.perform(listRequests, { mine: 'true', state: 'pending', limit: 20 }),
    which === 'all'
      ? { items: [] }
      : talk.perform(listRequests, { waiting: 'true', state: 'pending', limit: 20 }),
  ])
  const found = { which, machines: page.items, more: page.next !== null }
  return [machinesCard({ ...found, asked: asked.items, toDecide: toDecide.items }, talk.drawing)]
}

/** Soon is as early as the first reminder comes. */
function filterOf({ site }: Talk, which: Which): { mine?: string; expiringWithin?: string } {
  if (which === 'all') return {}
  if (which === 'mine') return { mine: 'true' }
  const earliest = [...site.policies.machines.reminders].sort((a, b) => roughMillis(b) - roughMillis(a))[0]
  return { expiringWithin: earliest === undefined ? 'P14D' : formatDuration(earliest) }
}

/** A server, or a request when its number is said. */
export async function show(talk: Talk, { machine }: { machine?: string }): Promise<Card[]> {
  if (machine === undefined)
    return [await whichMachine(talk, 'Which server?', (name) => ({ verb: 'show', machine: name }))]
  if (/^r-\d{1,9}$/i.test(machine)) return showRequest(talk, machine.toUpperCase())
  return [machineCard(await machineFacts(talk, machine), talk.drawing)]
}

export async function showRequest(talk: Talk, id: string): Promise<Card[]> {
  return [requestCard(await requestFacts(talk, id), talk.drawing)]
}

export async function connect(talk: Talk, { machine }: { machine?: string }): Promise<Card[]> {
  if (machine === undefined) {
    return [
      await whichMachine(talk, 'Connect to which server?', (name) => ({ verb: 'connect', machine: name })),
    ]
  }
  return [connectCard(await machineFacts(talk, machine), talk.drawing)]
}

/** Links, and no ticket: what is said in a channel is read by others. */
export async function openConsole(
  talk: Talk,
  { machine, console: kind }: { machine?: string; console: Console },
): Promise<Card[]> {
  if (machine === undefined) {
    const command = (name: string): Command => ({ verb: 'console', machine: name, console: kind })
    const runs = ({ verbs }: MachineView) => verbs.includes('console')
    return [await whichMachine(talk, 'The console of which server?', command, runs)]
  }
  const found = await machineFacts(talk, machine)
  const page = (which: Console) => `${talk.site.publicUrl}${consolePath(found.name, which)}`
  const pages = { screen: page('screen'), serial: page('serial') }
  return [consoleCard(found, { kind, pages }, talk.drawing)]
}

/** Typed, it is asked about first; the button of the answer does it. */
export async function askDelete(talk: Talk, { machine }: { machine?: string }): Promise<Card[]> {
  if (machine === undefined) {
    return [await whichMachine(talk, 'Delete which server?', (name) => ({ verb: 'delete', machine: name }))]
  }
  const found = await machineFacts(talk, machine)
  const { name, state } = found
  if (state === 'deleting' || state === 'deleted')
    return [saidCard(name, `${name} ${stateWords[state]}.`, 'neutral')]
  const yes = button({
    label: `Delete ${name}`,
    action: 'delete-machine',
    value: name,
    style: 'danger',
    spoken: `Delete ${name} and its disks for good`,
  })
  return [
    confirmCard({
      question: `Delete ${name}?`,
      text: [deletionText(found), insteadText(found)].join(' ').trim(),
      yes,
      safer: saferThanDelete(found),
    }),
  ]
}

function insteadText(machine: MachineView): string {
  const saving = machine.verbs.includes('save') ? savingText(machine) : null
  return saving === null ? '' : `Saving it to disk instead ${saving}.`
}

function saferThanDelete({ name, verbs }: MachineView): Button | undefined {
  if (!verbs.includes('save')) return undefined
  return lineButton('Save it instead', `save "${name}"`, { spoken: `Save it instead: ${name}` })
}

export async function remove(talk: Talk, name: string): Promise<Card[]> {
  await talk.perform(deleteMachine, { name })
  return [machineCard(await machineFacts(talk, name), talk.drawing)]
}

/** Asks which machine is meant, by the names of those that it may be. */
export async function whichMachine(
  talk: Talk,
  question: string,
  command: (name: string) => Command,
  fits: (machine: MachineView) => boolean = () => true,
): Promise<Card> {
  const { items } = await talk.perform(listMachines, { mine: 'true', limit: listed })
  const names = items.filter(fits).map(({ name }) => name)
  if (names.length === 0) {
    return saidCard(
      question,
      'None of your servers is one that this goes for. Say "list" to see them.',
      'neutral',
    )
  }
  return questionCard(
    question,
    names.slice(0, 12).map((name) => ({ label: name, line: formatCommand(command(name)) })),
  )
}
