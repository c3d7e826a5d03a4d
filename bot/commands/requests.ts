import { Refusal } from '../../src/base/errors.ts'
import { approveRequest } from '../../src/operations/approve-request.ts'
import { cancelRequest } from '../../src/operations/cancel-request.ts'
import { denyRequest } from '../../src/operations/deny-request.ts'
import { listRequests } from '../../src/operations/list-requests.ts'
import type { RequestView } from '../../src/operations/shapes/request.ts'
import type { Card } from '../card.ts'
import { dearerCard } from '../cards/approval.ts'
import { denyForm } from '../cards/forms.ts'
import { questionCard, saidCard } from '../cards/questions.ts'
import { requestCard } from '../cards/request.ts'
import { wish } from '../cards/wishes.ts'
import { factsOf, requestFacts } from '../facts.ts'
import { formatCommand } from '../grammar.ts'
import type { Talk } from './talk.ts'

type Decision = 'approve' | 'deny' | 'cancel'

/** Decides on a request, or takes one back. A denial without its reason is asked for it. */
export async function decide(
  talk: Talk,
  { verb, request, reason }: { verb: Decision; request?: string; reason?: string },
): Promise<Card[]> {
  if (request === undefined) return [await whichRequest(talk, verb, reason)]
  if (verb === 'deny' && (reason === undefined || reason.trim() === '')) return askDenial(talk, request)
  if (verb === 'approve') return [await approved(talk, { id: request, ...said(reason) })]
  return [await decided(talk, verb, request, reason)]
}

/** The value of the button: the request, and the id of the quote that stood on its card. */
export async function approveByButton(talk: Talk, value: string): Promise<Card[]> {
  const [id = '', quote] = value.split(' ')
  return [await approved(talk, { id, ...(quote === undefined ? {} : { quote }) })]
}

/** What became dearer or was changed since it was shown is shown as it is now, to be approved as that. */
async function approved(talk: Talk, input: { id: string; reason?: string; quote?: string }): Promise<Card> {
  try {
    return requestCard(await factsOf(talk, await talk.perform(approveRequest, input)), talk.drawing)
  } catch (error) {
    const quote = error instanceof Refusal ? error.extras.quote : undefined
    if (quote === undefined) throw error
    const { request } = await requestFacts(talk, input.id)
    return dearerCard(request, quote, talk.drawing)
  }
}

function said(reason: string | undefined): { reason?: string } {
  return reason === undefined || reason.trim() === '' ? {} : { reason }
}

async function decided(
  talk: Talk,
  verb: Exclude<Decision, 'approve'>,
  id: string,
  reason: string | undefined,
): Promise<Card> {
  const operation = { deny: denyRequest, cancel: cancelRequest }[verb]
  const view: RequestView = await talk.perform(operation, { id, ...said(reason) })
  return requestCard(await factsOf(talk, view), talk.drawing)
}

/** The form that asks for the reason of a denial. */
export async function askDenial(talk: Talk, id: string): Promise<Card[]> {
  const { request } = await requestFacts(talk, id)
  // Whoever may not decide learns so now, not after having written why.
  const may = request.approvers.some(({ user }) => user === talk.caller.user)
  if (!may || request.state !== 'pending') return [await decided(talk, 'deny', id, undefined)]
  return [denyForm(id, request.requester, [])]
}

/** A denial whose reason came in a form, or from a button that asked for it. */
export async function submitDenial(talk: Talk, id: string, reason: string): Promise<Card[]> {
  try {
    return [await decided(talk, 'deny', id, reason)]
  } catch (error) {
    if (!(error instanceof Refusal) || !['reason_required', 'invalid_input'].includes(error.code)) throw error
    const { request } = await requestFacts(talk, id)
    return [denyForm(id, request.requester, [{ path: 'reason', message: error.message }])]
  }
}

async function whichRequest(talk: Talk, verb: Decision, reason: string | undefined): Promise<Card> {
  const filter = verb === 'cancel' ? { mine: 'true' } : { waiting: 'true' }
  const { items } = await talk.perform(listRequests, { ...filter, state: 'pending', limit: 12 })
  if (items.length === 0) {
    const none = verb === 'cancel' ? 'No request of yours waits.' : 'No request waits for your decision.'
    return saidCard('Requests', none, 'neutral')
  }
  return questionCard(
    `Which request do you ${verb}?`,
    items.map((request) => ({
      label: `${request.id}: ${wish(request)}`.slice(0, 40),
      line: formatCommand({ verb, request: request.id, ...(reason === undefined ? {} : { reason }) }),
    })),
  )
}
