import { list } from '../../src/base/text.ts'
import { Refusal } from '../../src/base/errors.ts'
import { controlMachine } from '../../src/operations/control-machine.ts'
import type { Card } from '../card.ts'
import { type Control, machineCard } from '../cards/machine.ts'
import { button, lineButton } from '../cards/parts.ts'
import { confirmCard, outcomesCard, saidCard } from '../cards/questions.ts'
import { machineFacts } from '../facts.ts'
import type { PowerVerb } from '../grammar.ts'
import { whichMachine } from './machines.ts'
import type { Talk } from './talk.ts'

/** What the grammar's verbs are for a machine, and how they are called on a card. */
const controls: Readonly<Record<PowerVerb, { control: Control; title: string; loses: boolean }>> = {
  start: { control: 'start', title: 'Start', loses: false },
  stop: { control: 'shutdown', title: 'Shut down', loses: false },
  off: { control: 'power-off', title: 'Power off', loses: true },
  reset: { control: 'reset', title: 'Reset', loses: true },
  save: { control: 'save', title: 'Save', loses: false },
  resume: { control: 'resume', title: 'Resume', loses: false },
}

/** Steers servers. What loses what was not written to disk is asked about first. */
export async function power(
  talk: Talk,
  { verb, machines }: { verb: PowerVerb; machines: readonly string[] },
): Promise<Card[]> {
  const { control, title, loses } = controls[verb]
  if (machines.length === 0) {
    const question = `${title} which server?`
    return [
      await whichMachine(
        talk,
        question,
        (name) => ({ verb, machines: [name] }),
        ({ verbs }) => verbs.includes(control),
      ),
    ]
  }
  return loses ? askFirst(talk, control, title, machines) : steer(talk, control, machines)
}

async function askFirst(
  talk: Talk,
  control: Control,
  title: string,
  machines: readonly string[],
): Promise<Card[]> {
  // A name that is none is answered now, not after the question.
  await Promise.all(machines.map((name) => machineFacts(talk, name)))
  const names = list(machines)
  const value = machines.join(' ')
  if (value.length > 200)
    return [saidCard(title, `That are too many at once. ${title} a few at a time.`, 'warn')]
  const yes = button({
    label: machines.length === 1 ? `${title} ${names}` : `${title} all ${machines.length}`,
    action: `${control}-machine`,
    value,
    style: 'danger',
    spoken: `${title} ${names}`,
  })
  const safer = lineButton('Shut down instead', `stop ${machines.map((name) => `"${name}"`).join(' ')}`, {
    spoken: `Shut down instead: ${names}`,
  })
  return [
    confirmCard({
      question: `${title} ${names}?`,
      text: 'What was not written to disk is lost.',
      yes,
      safer,
    }),
  ]
}

const titleOf = (control: Control): string =>
  Object.values(controls).find((rule) => rule.control === control)?.title ?? control

/** Does it: one server is shown as it is now, of several each is told what became of it. */
export async function steer(talk: Talk, control: Control, machines: readonly string[]): Promise<Card[]> {
  const [only] = machines
  if (machines.length === 1 && only !== undefined) {
    await talk.perform(controlMachine[control], { name: only }, only)
    return [machineCard(await machineFacts(talk, only), talk.drawing)]
  }
  const outcomes: { name: string; done: boolean; says: string }[] = []
  for (const name of machines) outcomes.push(await attempt(talk, control, name))
  return [outcomesCard(titleOf(control), outcomes)]
}

async function attempt(talk: Talk, control: Control, name: string) {
  try {
    await talk.perform(controlMachine[control], { name }, name)
    return { name, done: true, says: 'on its way' }
  } catch (error) {
    if (error instanceof Refusal) return { name, done: false, says: error.message }
    throw error
  }
}
