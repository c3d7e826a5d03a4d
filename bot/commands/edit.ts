import { Refusal } from '../../src/base/errors.ts'
import { serverGroup } from '../../src/machines/host.ts'
import { localDay } from '../../src/base/period.ts'
import { editRequest } from '../../src/operations/edit-request.ts'
import { listRequests } from '../../src/operations/list-requests.ts'
import type { RequestView } from '../../src/operations/shapes/request.ts'
import type { Card } from '../card.ts'
import { questionCard, saidCard } from '../cards/questions.ts'
import { requestCard } from '../cards/request.ts'
import { wish } from '../cards/wishes.ts'
import { factsOf, requestFacts } from '../facts.ts'
import { formatCommand } from '../grammar.ts'
import { faultsOf, type Fields, formFor, wantedIn } from './order.ts'
import type { Talk } from './talk.ts'
import { orderTerm } from './terms.ts'

/** Changes a request that nobody has decided on: the form of a new one, with what it asks for now. */
export async function edit(talk: Talk, { request: id }: { request?: string }): Promise<Card[]> {
  if (id === undefined) return [await whichRequest(talk)]
  const { request } = await requestFacts(talk, id)
  const isHers = request.requester === talk.caller.user && request.state === 'pending'
  // Whoever may not change it learns so now, not after having filled in a form.
  if (!isHers || request.kind !== 'machines') return [await changed(talk, request, {})]
  return [await formFor(talk, { edits: id }, knownOf(request, talk.site.timezone), [])]
}

/** The form as it was sent: what is as before, or was left empty, is not changed. */
export async function submitEdit(talk: Talk, id: string, fields: Fields): Promise<Card[]> {
  const { request } = await requestFacts(talk, id)
  const known = knownOf(request, talk.site.timezone)
  const different = Object.entries(fields).filter(([name, value]) => value.trim() !== (known[name] ?? ''))
  try {
    return [await changed(talk, request, Object.fromEntries(different))]
  } catch (error) {
    const faults = error instanceof Refusal ? faultsOf(error) : []
    if (faults.length === 0) throw error
    return [await formFor(talk, { edits: id }, { ...known, ...fields }, faults)]
  }
}

async function changed(talk: Talk, { id }: RequestView, fields: Fields): Promise<Card> {
  const { term, ...wanted } = wantedIn(fields, { now: talk.now, zone: talk.site.timezone })
  const until = term === undefined ? {} : orderTerm(term, { now: talk.now, zone: talk.site.timezone })
  const view = await talk.perform(editRequest, { id, ...wanted, ...until })
  return requestCard(await factsOf(talk, view), talk.drawing)
}

/** What a request asks for, as the form has it. */
function knownOf(request: RequestView, zone: string): Record<string, string> {
  const { template, count, cpus, memoryGb, days, until, budget, purpose, description, administrators } =
    request
  const end = until === null ? 'never' : `until ${localDay(until, zone)}`
  return {
    ...{ template, budget, purpose, description },
    ...{ count: String(count), cpus: String(cpus), memory: String(memoryGb) },
    term: days === null ? end : `${days}d`,
    name: request.wanted?.name ?? '',
    host: request.wanted?.host ?? '',
    group: request.wanted?.group ?? serverGroup,
    administrators: administrators.join(', '),
  }
}

async function whichRequest(talk: Talk): Promise<Card> {
  const { items } = await talk.perform(listRequests, { mine: 'true', state: 'pending', limit: 12 })
  const fitting = items.filter(({ kind }) => kind === 'machines')
  if (fitting.length === 0)
    return saidCard('Requests', 'No request of yours waits that could be changed.', 'neutral')
  return questionCard(
    'Which request do you change?',
    fitting.map((request) => ({
      label: `${request.id}: ${wish(request)}`.slice(0, 40),
      line: formatCommand({ verb: 'edit', request: request.id }),
    })),
  )
}
