import type { MachineView } from '../../src/operations/shapes/machine.ts'
import type { Button, Card } from '../card.ts'
import type { Drawing } from './drawing.ts'
import {
  button,
  card,
  facts,
  field,
  type FieldFault,
  type FieldSpec,
  lineButton,
  table,
  termHint,
  words,
} from './parts.ts'
import { confirmCard } from './questions.ts'
import { isNothing, when } from './words.ts'

/** An image as its operation shows it. */
export interface ImageLine {
  name: string
  state: 'making' | 'ready' | 'failed'
  from: string | null
  template: string
  cpus: number
  memoryGb: number
  sizeGb: number | null
}

const stateWords = { making: 'still being made', failed: 'could not be taken in' } as const

/** What is in the library that the reader may make servers of; nothing when there is none. */
export function imagesTable(images: readonly ImageLine[]) {
  return table(
    'Images',
    ['Name', 'Made of', 'Template', 'CPUs', 'Memory', 'Takes up'],
    images.map(({ name, state, from, template, cpus, memoryGb, sizeGb }) => [
      name,
      from ?? 'a file',
      template,
      String(cpus),
      `${memoryGb} GB`,
      state === 'ready' ? (sizeGb === null ? '' : `${sizeGb} GB`) : stateWords[state],
    ]),
  )
}

/** Asked before a server goes back to a snapshot. */
export function revertCard(name: string, snapshot: string): Card {
  return confirmCard({
    question: `Take ${name} back to ${snapshot}?`,
    text: 'What was changed on it since is lost.',
    yes: button({
      label: `Go back to ${snapshot}`,
      action: 'revert-machine',
      value: `${name} ${snapshot}`,
      style: 'danger',
      spoken: `Take ${name} back to ${snapshot}`,
    }),
    safer: lineButton('Take a snapshot first', `snapshot "${name}"`, {
      spoken: `Take a snapshot of ${name} first`,
    }),
  })
}

/** Asked before an image is made of a server that runs. */
export function captureCard(name: string, image: string | undefined): Card {
  return confirmCard({
    question: `Make an image of ${name}?`,
    text: `${name} is shut down while its disk is copied, and then started again.`,
    yes: button({
      label: `Make ${image ?? 'an image'}`,
      action: 'capture-machine',
      value: image === undefined ? name : `${name} ${image}`,
      style: 'primary',
      spoken: `Make an image of ${name}`,
    }),
  })
}

/** Asked before a server is put away: what it saves, when it comes back, and what does not come back with it. */
export function archiveCard(machine: MachineView, backAt: string | null, drawing: Drawing): Card {
  const { name, snapshots } = machine
  const back = backAt === null ? 'It comes back when you say so' : `It comes back on ${when(backAt, drawing)}`
  const lost = snapshots.length === 0 ? '' : ' Its snapshots are not kept.'
  return confirmCard({
    question: `Put ${name} into the library?`,
    text: `It is shut down and frees its host. ${back}, and its end stays as it is.${lost} ${archiveSaving(machine)}`.trim(),
    yes: button({
      label: `Archive ${name}`,
      action: 'archive-machine',
      value: backAt === null ? name : `${name} ${backAt}`,
      style: 'primary',
      spoken: `Put ${name} into the library`,
    }),
    safer: saveInstead(machine),
  })
}

function saveInstead({ name, verbs }: MachineView): Button | undefined {
  if (!verbs.includes('save')) return undefined
  return lineButton('Save it instead', `save "${name}"`, { spoken: `Save it instead: ${name}` })
}

/** What being in the library saves; nothing to say where nobody pays for it. */
function archiveSaving({ savings, currency }: MachineView): string {
  if (savings === undefined) return ''
  const { perDay } = savings.archive
  return isNothing(perDay)
    ? 'That saves no money: here a server in the library costs the same.'
    : `That saves ${perDay} ${currency} a day while it lasts.`
}

interface CopiesKnown {
  term: string
  count: string
  template: string
  name: string
  budget: string
}

interface CopiesChoices {
  templates: readonly string[]
  budgets: readonly string[]
}

/** Asks for what is missing of copies, or of a test environment. */
export function copiesForm(
  machine: Pick<MachineView, 'name' | 'state'>,
  known: CopiesKnown,
  choices: CopiesChoices,
  faults: readonly FieldFault[],
): Card {
  const { name, state } = machine
  const halts = `${name} is shut down while its disk is copied, and then started again.`
  return card({
    summary: faults[0]?.message ?? `What should be made of ${name}?`,
    title: `Copies of ${name}`,
    tone: faults.length > 0 ? 'warn' : 'neutral',
    parts: [
      words(state === 'running' ? halts : undefined),
      facts(
        ['A copy', `another server with what is on the disk of ${name} now`],
        ['With a template', 'a fresh server of it on a network of its own, with a copy of that disk beside'],
      ),
      {
        kind: 'form',
        action: 'clone',
        value: name,
        submit: 'Request',
        fields: copiesFields(known, choices).map((spec) => field(spec, faults)),
      },
    ],
  })
}

function copiesFields(known: CopiesKnown, { templates, budgets }: CopiesChoices): FieldSpec[] {
  const choice = (value: string) => ({ value, label: value })
  const asItIs = { value: '', label: 'a copy, as it is' }
  return [
    { name: 'term', label: 'For how long', value: known.term, hint: termHint, required: true },
    { name: 'count', label: 'How many', kind: 'number', value: known.count },
    { name: 'name', label: 'Name', value: known.name, hint: 'one is found if you leave it out' },
    {
      ...{ name: 'template', label: 'Template', kind: 'choice', value: known.template },
      choices: [asItIs, ...templates.map(choice)],
    },
    {
      ...{ name: 'budget', label: 'Budget', kind: 'choice', value: known.budget },
      choices: budgets.map(choice),
    },
  ]
}
