import { DateTime } from 'luxon'
import { Refusal } from '../../src/base/errors.ts'
import { archiveMachine } from '../../src/operations/archive-machine.ts'
import { captureMachine } from '../../src/operations/capture-machine.ts'
import { cloneMachine } from '../../src/operations/clone-machine.ts'
import { listTemplates } from '../../src/operations/list-templates.ts'
import { restoreMachine } from '../../src/operations/restore-machine.ts'
import { listBudgets } from '../../src/operations/show-budget.ts'
import { revertSnapshot, takeSnapshot } from '../../src/operations/snapshots.ts'
import type { Card } from '../card.ts'
import { archiveCard, captureCard, copiesForm, revertCard } from '../cards/images.ts'
import { machineCard } from '../cards/machine.ts'
import type { FieldFault } from '../cards/parts.ts'
import { questionCard, saidCard } from '../cards/questions.ts'
import { requestCard } from '../cards/request.ts'
import { factsOf, machineFacts } from '../facts.ts'
import { formatCommand, formatTerm, resolveTerm, type Term } from '../grammar.ts'
import { whichMachine } from './machines.ts'
import type { Talk } from './talk.ts'
import { orderTerm, termOfText } from './terms.ts'

type Fields = Readonly<Record<string, string>>

/** How long a test environment lasts where nothing is said. */
const testTerm: Term = { kind: 'for', duration: { months: 0, days: 14, millis: 0 } }

export async function snapshot(talk: Talk, wish: { machine?: string; snapshot?: string }): Promise<Card[]> {
  const { machine: name } = wish
  if (name === undefined) return [await which(talk, 'Snapshot of which server?', 'snapshot')]
  const now = DateTime.fromISO(talk.now, { zone: talk.drawing.zone })
  const called = wish.snapshot?.toLowerCase() ?? now.toFormat("yyyy-MM-dd'-'HHmm")
  await talk.perform(takeSnapshot, { machine: name, name: called })
  return [machineCard(await machineFacts(talk, name), talk.drawing)]
}

/** Going back loses what came after, so it is asked about; of several snapshots the last is meant, unless one is named. */
export async function revert(talk: Talk, wish: { machine?: string; snapshot?: string }): Promise<Card[]> {
  const { machine: name } = wish
  if (name === undefined) return [await which(talk, 'Take which server back?', 'revert')]
  const { snapshots } = await machineFacts(talk, name)
  const last = wish.snapshot?.toLowerCase() ?? snapshots.at(-1)?.name
  if (last === undefined) return [saidCard(name, `${name} has no snapshot to go back to.`, 'neutral')]
  if (snapshots.some((known) => known.name === last)) return [revertCard(name, last)]
  if (snapshots.length === 0)
    return [saidCard(name, `${name} has no snapshot ${last}, nor any other.`, 'neutral')]
  return [
    questionCard(
      `${name} has no snapshot ${last}. Which one?`,
      snapshots.map((known) => ({
        label: known.name,
        line: formatCommand({ verb: 'revert', machine: name, snapshot: known.name }),
      })),
    ),
  ]
}

export async function revertNow(talk: Talk, value: string): Promise<Card[]> {
  const [machine = '', snapshot = ''] = value.split(' ')
  await talk.perform(revertSnapshot, { machine, snapshot })
  return [machineCard(await machineFacts(talk, machine), talk.drawing)]
}

/** An image, after a question; with a number and no name for the image it is copies that are wanted. */
export async function capture(talk: Talk, wish: Partial<Copies> & { image?: string }): Promise<Card[]> {
  const { machine: name, image, count } = wish
  if (name === undefined) return [await which(talk, 'An image of which server?', 'capture')]
  if (count !== undefined && image === undefined) return [await formFor(talk, { ...wish, machine: name }, [])]
  const machine = await machineFacts(talk, name)
  if (machine.state === 'running') return [captureCard(name, image)]
  return captureNow(talk, image === undefined ? name : `${name} ${image}`)
}

export async function captureNow(talk: Talk, value: string): Promise<Card[]> {
  const [name = '', image] = value.split(' ')
  const made = await talk.perform(captureMachine, { name, ...(image === undefined ? {} : { image }) })
  const text = `Image ${made.image} is being made of ${name}. You are told when it is ready.`
  return [machineCard(await machineFacts(talk, name), talk.drawing), saidCard(made.image, text, 'wait')]
}

/** Asked about first, with what it saves. */
export async function archive(
  talk: Talk,
  { machine: name, term }: { machine?: string; term?: Term },
): Promise<Card[]> {
  if (name === undefined) return [await which(talk, 'Put which server into the library?', 'archive')]
  const machine = await machineFacts(talk, name)
  const backAt = term === undefined ? null : resolveTerm(term, talk.now, talk.site.timezone)
  return [archiveCard(machine, backAt, talk.drawing)]
}

export async function archiveNow(talk: Talk, value: string): Promise<Card[]> {
  const [name = '', until] = value.split(' ')
  await talk.perform(archiveMachine, { name, ...(until === undefined ? {} : { until }) })
  return [machineCard(await machineFacts(talk, name), talk.drawing)]
}

export async function restore(talk: Talk, { machine: name }: { machine?: string }): Promise<Card[]> {
  if (name === undefined) return [await which(talk, 'Bring which server back?', 'restore')]
  await talk.perform(restoreMachine, { name })
  return [machineCard(await machineFacts(talk, name), talk.drawing)]
}

/** What is known of copies that are wanted. */
interface Copies {
  machine: string
  template?: string
  name?: string
  count?: number
  term?: Term
  budget?: string
  purpose?: string
}

/** Copies are asked for with a form, since the original is shut down for the time that its disk is copied. */
export async function clone(talk: Talk, wish: Partial<Copies>): Promise<Card[]> {
  const { machine, template } = wish
  if (machine === undefined) return [await which(talk, 'A copy of which server?', 'clone')]
  const term = wish.term ?? (template === undefined ? undefined : testTerm)
  return [await formFor(talk, { ...wish, machine, ...(term === undefined ? {} : { term }) }, [])]
}

async function copies(talk: Talk, wish: Copies & { term: Term }): Promise<Card[]> {
  const { machine, template, name, count, budget, purpose, term } = wish
  const answer = await talk.perform(cloneMachine, {
    machine,
    ...orderTerm(term, zoned(talk)),
    ...(template === undefined ? {} : { template }),
    ...(name === undefined ? {} : { name }),
    ...(count === undefined ? {} : { count }),
    ...(budget === undefined ? {} : { budget }),
    ...(purpose === undefined ? {} : { purpose }),
  })
  return [requestCard(await factsOf(talk, answer.request), talk.drawing)]
}

/** Which field some refusals are about. */
const faultPaths: ReadonlyMap<string, string> = new Map([
  ['bad_term', 'term'],
  ['bad_name', 'name'],
  ['name_taken', 'name'],
])

/** A form that was sent. A fault is shown beside what was typed. */
export async function submitCopies(talk: Talk, machine: string, fields: Fields): Promise<Card[]> {
  const { template = '', budget = '', count = '', name = '', term = '' } = fields
  const wish = {
    machine,
    ...(name.trim() === '' ? {} : { name: name.trim().toLowerCase() }),
    ...(template === '' ? {} : { template }),
    ...(budget === '' ? {} : { budget }),
    ...(count.trim() === '' ? {} : { count: Number(count) }),
  }
  try {
    return await copies(talk, { ...wish, term: termOfText(term, zoned(talk)) })
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const path = faultPaths.get(error.code) ?? error.extras.errors?.[0]?.path ?? ''
    if (!['term', 'count', 'name'].includes(path)) throw error
    return [await formFor(talk, wish, [{ path, message: error.message }], term)]
  }
}

async function formFor(
  talk: Talk,
  wish: Copies,
  faults: readonly FieldFault[],
  typed?: string,
): Promise<Card> {
  const { term, count = 1, template = '' } = wish
  const [machine, templates, budgets] = await Promise.all([
    machineFacts(talk, wish.machine),
    talk.perform(listTemplates, {}),
    talk.perform(listBudgets, {}),
  ])
  const known = {
    term: typed ?? (term === undefined ? '' : formatTerm(term)),
    ...{ count: String(count), template, name: wish.name ?? '', budget: wish.budget ?? machine.budget ?? '' },
  }
  const choices = {
    templates: templates.items.map(({ name }) => name),
    budgets: budgets.items.map(({ code }) => code),
  }
  return copiesForm(machine, known, choices, faults)
}

function which(
  talk: Talk,
  question: string,
  verb: 'snapshot' | 'revert' | 'capture' | 'archive' | 'restore' | 'clone',
): Promise<Card> {
  return whichMachine(
    talk,
    question,
    (machine) => ({ verb, machine }),
    ({ verbs }) => verbs.includes(verb),
  )
}

function zoned({ now, site }: Talk): { now: string; zone: string } {
  return { now, zone: site.timezone }
}
