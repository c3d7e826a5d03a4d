import { counted, list } from '../../src/base/text.ts'
import type { MachineView } from '../../src/operations/shapes/machine.ts'
import type { QuoteView } from '../../src/operations/shapes/quote.ts'
import type { RequestView } from '../../src/operations/shapes/request.ts'
import type { Card, Part } from '../card.ts'
import { approvalCard } from './approval.ts'
import { decisionTable, isTime, paceWords, termWords, wish, withDisk } from './wishes.ts'
import { connectParts } from './connect.ts'
import type { Drawing } from './drawing.ts'
import { progressPart, progressWords } from './job.ts'
import { button, buttons, card, facts, table, words } from './parts.ts'
import { quoteTable } from './quote.ts'
import { deciderOf, priceWords, sizeWords, stateWord, when } from './words.ts'

/** What a request's card is drawn from. */
export interface RequestFacts {
  request: RequestView
  /** How its price came about, where that can still be told. */
  lines?: QuoteView['lines']
  /** Those of its machines that the reader may see. */
  machines: readonly MachineView[]
}

/** A request as its reader should see it: those who may decide are asked, everybody else is told how it stands. */
export function requestCard(found: RequestFacts, drawing: Drawing): Card {
  const { request } = found
  const { user } = drawing.reader
  const decides = request.requester !== user && request.approvers.some((approver) => approver.user === user)
  return decides ? approvalCard(request, drawing) : ownCard(found, drawing)
}

/** What a requester is told once: that somebody decided, or that what was asked for is there. */
export type News = 'decided' | 'done'

/** What has become of a request, for the one who asked: the sentence, and how to connect. The rest is a press away. */
export function newsCard(found: RequestFacts, news: News, drawing: Drawing): Card {
  const { request, machines } = found
  // A decision stays what it was, while the card about the outcome says the rest.
  const over = news === 'decided' && (request.state === 'fulfilled' || request.state === 'failed')
  const by = deciderOf(request.decisions.at(-1)?.by ?? 'policy', drawing)
  return card({
    summary: over ? `${by} approved ${request.id}.` : sentence(found, drawing),
    title: `${request.id} · ${wish(request)}`,
    tone: over ? 'good' : tones[request.state],
    about: `request:${request.id}`,
    parts: [
      ...(over ? [] : machineParts(found, drawing)),
      buttons(
        ...machines.slice(0, 8).map(({ name }) => showButton('show-machine', name)),
        showButton('show-request', request.id),
      ),
    ],
  })
}

function showButton(action: 'show-machine' | 'show-request', value: string) {
  return button({ label: `Show ${value}`, action, value, spoken: `Show ${value}` })
}

function ownCard(found: RequestFacts, drawing: Drawing): Card {
  const { request } = found
  return card({
    summary: sentence(found, drawing),
    title: `${request.id} · ${wish(request)}`,
    tone: tones[request.state],
    about: `request:${request.id}`,
    parts: [
      ...request.warnings.map(words),
      ...machineParts(found, drawing),
      requestFacts(request, drawing),
      quoteTable(found.lines, request.currency),
      approverTable(request),
      decisionTable(request, drawing),
      buttons(editButton(request, drawing), cancelButton(request, drawing)),
    ],
  })
}

const tones: Readonly<Record<RequestView['state'], Card['tone']>> = {
  pending: 'wait',
  approved: 'wait',
  denied: 'bad',
  cancelled: 'neutral',
  expired: 'warn',
  failed: 'bad',
  fulfilled: 'good',
}

function sentence(found: RequestFacts, drawing: Drawing): string {
  const { request } = found
  const { id, requester } = request
  const whose = requester === drawing.reader.user ? 'Your request' : `The request of ${requester},`
  const decision = request.decisions.at(-1)
  const by = deciderOf(decision?.by ?? 'policy', drawing)
  switch (request.state) {
    case 'pending':
      return `${whose} ${id} for ${wish(request)} costs ${price(request)} and waits for ${approverNames(request)}.`
    case 'approved':
      return `${by} approved ${id}: ${makingWords(found)}.`
    case 'fulfilled':
      return request.failure ?? readyWords(found, drawing)
    case 'denied':
      return `${by} denied ${id}: ${decision?.reason ?? 'no reason was given'}`
    case 'cancelled':
      return `${by} took back ${id}. Nothing was charged.`
    case 'expired':
      return `Nobody decided on ${id} in time. Ask again if it is still needed.`
    case 'failed':
      return `${id} could not be carried out: ${request.failure ?? 'no reason was given'}`
  }
}

function price({ quote, currency }: RequestView): string {
  return priceWords(quote.total, currency)
}

function approverNames({ approvers }: RequestView): string {
  return list(
    approvers.map(({ user }) => user),
    'or',
  )
}

function makingWords({ request, machines }: RequestFacts): string {
  const [first] = machines
  if (request.kind === 'resize') return 'the size is being changed'
  if (request.machines.length > 1) return `${counted(request.machines.length, 'server')} are being made`
  const progress = first?.progress === undefined ? '' : `: ${progressWords(first.progress)}`
  return `${request.machines[0] ?? 'the server'} is being made${progress}`
}

function readyWords({ request, machines }: RequestFacts, drawing: Drawing): string {
  const names = request.machines
  const { transfer, budget } = request
  if (transfer !== undefined) {
    return `${transfer.machine} belongs to ${transfer.owner} and is paid from ${budget} (${request.id}).`
  }
  if (request.lease !== undefined) {
    const until = request.until === null ? '' : ` until ${when(request.until, drawing)}`
    return `The session on ${request.lease.desktop} lasts${until} (${request.id}).`
  }
  if (request.kind === 'resize') return `${list(names)} has its new size (${request.id}).`
  if (request.kind === 'extension') {
    const until = request.until === null ? '' : ` until ${when(request.until, drawing)}`
    return `${list(names)} is kept${until} (${request.id}).`
  }
  const [only] = machines
  if (names.length > 1) return `${counted(names.length, 'server')} are ready (${request.id}).`
  if (only?.state === 'running') return `${only.name} is ready (${request.id}).`
  return `${names[0] ?? 'The server'} was made (${request.id}).`
}

function machineParts({ request, machines }: RequestFacts, drawing: Drawing): (Part | undefined)[] {
  if (request.state !== 'approved' && request.state !== 'fulfilled') return []
  const [only] = machines
  if (machines.length === 1 && only !== undefined) {
    return [progressPart(only.progress, `Making ${only.name}`), ...connectParts(only, drawing)]
  }
  const rows = machines.map(({ name, state, progress, address }) => [
    name,
    progress === undefined ? stateWord(state) : progressWords(progress),
    address ?? '',
  ])
  return [table('Servers', ['Name', 'State', 'Address'], rows)]
}

function requestFacts(request: RequestView, drawing: Drawing): Part | undefined {
  const { description, purpose, administrators, quote, currency, budget } = request
  return facts(
    ['What', isTime(request) ? null : `${wish(request)}, ${sizeWords(request)}${withDisk(request)}`],
    ['Purpose', purpose],
    ['Description', description],
    ['For', termWords(request, drawing)],
    ['Price', budget === '' ? null : `${priceWords(quote.total, currency)} in all, ${paceWords(request)}`],
    [
      'Budget',
      request.transfer === undefined ? budget : `${budget}, until now ${request.transfer.was.budget}`,
    ],
    ['Administrators', list(administrators)],
    ['Decision by', request.state === 'pending' ? when(request.expiresAt, drawing) : null],
  )
}

function approverTable({ state, approvers }: RequestView): Part | undefined {
  if (state !== 'pending') return undefined
  return table(
    'Any one of these may decide',
    ['Who', 'Why'],
    approvers.map(({ user, why }) => [user, why]),
  )
}

function editButton({ id, state, kind, requester }: RequestView, { reader }: Drawing) {
  if (state !== 'pending' || kind !== 'machines' || requester !== reader.user) return undefined
  return button({ label: 'Change', action: 'edit-request', value: id, spoken: `Change request ${id}` })
}

function cancelButton(request: RequestView, { reader }: Drawing) {
  const may = request.requester === reader.user || reader.roles.includes('operator')
  if (request.state !== 'pending' || !may) return undefined
  return button({
    label: 'Cancel',
    action: 'cancel-request',
    value: request.id,
    spoken: `Cancel request ${request.id}`,
    confirm: {
      title: `Take back ${request.id}?`,
      text: `Nobody will be asked about it any more. You can ask again at any time.`,
      yes: 'Take it back',
    },
  })
}
