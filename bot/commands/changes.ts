import { Refusal } from '../../src/base/errors.ts'
import { extendMachine } from '../../src/operations/extend-machine.ts'
import { letGoMachine } from '../../src/operations/let-go-machine.ts'
import { listTemplates } from '../../src/operations/list-templates.ts'
import { quoteExtension } from '../../src/operations/quote-extension.ts'
import { snoozeReminder } from '../../src/operations/snooze-reminder.ts'
import { resizeMachine } from '../../src/operations/resize-machine.ts'
import { controlMachine } from '../../src/operations/control-machine.ts'
import type { MachineView } from '../../src/operations/shapes/machine.ts'
import type { Card } from '../card.ts'
import { expiryCard } from '../cards/expiry.ts'
import { extendForm, resizeForm } from '../cards/forms.ts'
import { extensionDays, machineCard } from '../cards/machine.ts'
import type { FieldFault } from '../cards/parts.ts'
import { requestCard } from '../cards/request.ts'
import { saidCard } from '../cards/questions.ts'
import { isNothing, priceWords, when } from '../cards/words.ts'
import { expiryFacts, machineFacts, requestFacts } from '../facts.ts'
import type { Term } from '../grammar.ts'
import { whichMachine } from './machines.ts'
import type { Talk } from './talk.ts'
import { extensionTerm, termOfText } from './terms.ts'

/** Moves a server's end; what policy does not allow alone becomes a request, and the answer says so. */
export async function extend(
  talk: Talk,
  { machine: name, term }: { machine?: string; term?: Term },
): Promise<Card[]> {
  if (name === undefined) {
    const rest = term === undefined ? {} : { term }
    return [
      await whichMachine(
        talk,
        'Extend which server?',
        (machine) => ({ verb: 'extend', machine, ...rest }),
        ({ verbs }) => verbs.includes('extend'),
      ),
    ]
  }
  const machine = await machineFacts(talk, name)
  if (term === undefined) return [extendForm(machine, { term: `${extensionDays}d` }, [], talk.drawing)]
  return [await extended(talk, machine, extensionTerm(term, machine.expiresAt, zoned(talk)))]
}

function zoned({ now, drawing }: Talk): { now: string; zone: string } {
  return { now, zone: drawing.zone }
}

async function extended(
  talk: Talk,
  machine: MachineView,
  wish: { days: number } | { until: string },
): Promise<Card> {
  const { name } = machine
  const answer = await talk.perform(extendMachine, { name, ...wish })
  const cost = priceWords(answer.quote.total, answer.quote.currency)
  if ('request' in answer) {
    return saidCard(
      `${answer.request} · more time for ${name}`,
      `${name} was extended before, so its budget’s holder is asked: request ${answer.request} for ${cost} waits.`,
      'wait',
    )
  }
  const until = when(answer.expiresAt, talk.drawing)
  const price = isNothing(answer.quote.total) ? 'That costs nothing.' : `${cost} is held for it.`
  return saidCard(`${name} is extended`, `${name} is now kept until ${until}. ${price}`)
}

export async function submitExtend(talk: Talk, name: string, fields: Fields): Promise<Card[]> {
  const machine = await machineFacts(talk, name)
  const text = fields.term ?? ''
  try {
    const term = termOfText(text, zoned(talk))
    return [await extended(talk, machine, extensionTerm(term, machine.expiresAt, zoned(talk)))]
  } catch (error) {
    if (!(error instanceof Refusal) || (error.code !== 'bad_term' && error.code !== 'invalid_input'))
      throw error
    return [extendForm(machine, { term: text }, [{ path: 'term', message: error.message }], talk.drawing)]
  }
}

/** The form for more time while it is being filled in: what that costs, and with nothing done. */
export async function previewExtend(talk: Talk, name: string, fields: Fields): Promise<Card[]> {
  const machine = await machineFacts(talk, name)
  const known = { term: fields.term ?? '' }
  if (known.term.trim() === '') return [extendForm(machine, known, [], talk.drawing)]
  try {
    const term = extensionTerm(termOfText(known.term, zoned(talk)), machine.expiresAt, zoned(talk))
    const price = await talk.perform(quoteExtension, { name, ...term })
    return [extendForm(machine, known, [], talk.drawing, price)]
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return [extendForm(machine, known, [{ path: 'term', message: error.message }], talk.drawing)]
  }
}

type Fields = Readonly<Record<string, string>>

/** The button of a machine's card. */
export async function extendByButton(talk: Talk, name: string): Promise<Card[]> {
  const said = await extended(talk, await machineFacts(talk, name), { days: extensionDays })
  return [machineCard(await machineFacts(talk, name), talk.drawing), said]
}

type ReminderDeed = 'extend' | 'save' | 'let-go' | 'snooze'

/** The buttons of a reminder. One about an end that has moved since does nothing, and shows how it is now. */
export async function answerReminder(talk: Talk, deed: ReminderDeed, value: string): Promise<Card[]> {
  const [name = '', end = ''] = value.split(' ')
  const machine = await machineFacts(talk, name)
  // What was extended meanwhile counts as extended after the reminder, whenever that was sent.
  if (machine.expiresAt !== end) return [expiryCard(await expiryFacts(talk, name, ''), talk.drawing)]
  const said = await carryOut(talk, deed, machine)
  const moved = deed === 'extend' && said.tone === 'good'
  return [expiryCard(await expiryFacts(talk, name, moved ? '' : talk.now), talk.drawing), said]
}

async function carryOut(talk: Talk, deed: ReminderDeed, machine: MachineView): Promise<Card> {
  const { name } = machine
  if (deed === 'extend') return extended(talk, machine, { days: extensionDays })
  if (deed === 'save') {
    await talk.perform(controlMachine.save, { name })
    return saidCard(name, `${name} is being saved to disk. Its end stays as it is.`, 'wait')
  }
  if (deed === 'snooze') {
    await talk.perform(snoozeReminder, { name, hours: 24 })
    return saidCard(name, `You are reminded of ${name} again tomorrow, and not before.`, 'neutral')
  }
  await talk.perform(letGoMachine, { name })
  return saidCard(name, `${name} ends when it is due, and nobody is reminded of it again.`, 'neutral')
}

/** Another size; what costs more than the budget lets pass becomes a request, and the answer says so. */
export async function resize(
  talk: Talk,
  wish: { machine?: string; cpus?: number; memoryGb?: number; more?: 'cpus' | 'memory' },
): Promise<Card[]> {
  const { machine: name, cpus, memoryGb, more } = wish
  if (name === undefined) {
    return [
      await whichMachine(
        talk,
        'Resize which server?',
        (machine) => ({ verb: 'resize', ...wish, machine }),
        ({ verbs }) => verbs.includes('resize'),
      ),
    ]
  }
  if (cpus === undefined && memoryGb === undefined) {
    const machine = await machineFacts(talk, name)
    const known = {
      cpus: String(more === 'cpus' ? machine.cpus + 1 : machine.cpus),
      memory: String(more === 'memory' ? machine.memoryGb * 2 : machine.memoryGb),
    }
    return [await formFor(talk, machine, known, [])]
  }
  return resized(talk, name, {
    ...(cpus === undefined ? {} : { cpus }),
    ...(memoryGb === undefined ? {} : { memoryGb }),
  })
}

async function resized(
  talk: Talk,
  name: string,
  size: { cpus?: unknown; memoryGb?: unknown },
): Promise<Card[]> {
  const answer = await talk.perform(resizeMachine, { name, ...size })
  if ('request' in answer) return [requestCard(await requestFacts(talk, answer.request), talk.drawing)]
  return [machineCard(await machineFacts(talk, name), talk.drawing)]
}

export async function submitResize(talk: Talk, name: string, fields: Fields): Promise<Card[]> {
  const { cpus = '', memory = '' } = fields
  try {
    return await resized(talk, name, {
      ...(cpus.trim() === '' ? {} : { cpus: cpus.trim() }),
      ...(memory.trim() === '' ? {} : { memoryGb: memory.trim() }),
    })
  } catch (error) {
    const fault = error instanceof Refusal ? sizeFault(error) : undefined
    if (fault === undefined) throw error
    return [await formFor(talk, await machineFacts(talk, name), { cpus, memory }, [fault])]
  }
}

/** The form for another size as far as it is filled in. */
export async function previewResize(talk: Talk, name: string, fields: Fields): Promise<Card[]> {
  const { cpus = '', memory = '' } = fields
  return [await formFor(talk, await machineFacts(talk, name), { cpus, memory }, [])]
}

function sizeFault({ code, message, extras }: Refusal): FieldFault | undefined {
  const [first] = extras.errors ?? []
  if (first !== undefined)
    return { path: first.path === 'memoryGb' ? 'memory' : first.path, message: first.message }
  return code === 'bad_size' ? { path: 'cpus', message } : undefined
}

async function formFor(
  talk: Talk,
  machine: MachineView,
  known: { cpus: string; memory: string },
  faults: readonly FieldFault[],
): Promise<Card> {
  const { items } = await talk.perform(listTemplates, {})
  const template = items.find(({ name }) => name === machine.template)
  return resizeForm(machine, known, template, faults)
}
