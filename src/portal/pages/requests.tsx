import { hasRole } from '../../identity/person.ts'
import type { Refusal } from '../../base/errors.ts'
import { approveRequest } from '../../operations/approve-request.ts'
import { cancelRequest } from '../../operations/cancel-request.ts'
import { denyRequest } from '../../operations/deny-request.ts'
import { listRequests } from '../../operations/list-requests.ts'
import { showRequest } from '../../operations/show-request.ts'
import { Cell, type Moment, State, Table, When } from '../parts.tsx'
import type { Pages } from '../serve.tsx'
import { type Answer, attempt, filled, type Visit } from '../visit.ts'
import { money, requestWords } from '../words.ts'
import type { RequestView } from '../../operations/shapes/request.ts'
import { DecisionForms, Money, RequestPage, titleOf } from './request.tsx'

export function requestPages(pages: Pages): void {
  pages.get('/requests', async (visit) => {
    const lists = await listsOf(visit)
    return { title: 'Requests', current: '/requests', body: <RequestsPage lists={lists} /> }
  })
  pages.get('/fragments/requests', async (visit) => ({ fragment: <Lists lists={await listsOf(visit)} /> }))
  pages.get('/requests/:id', (visit) => requestPage(visit))
  pages.post('/requests/:id/:verdict', decide)
}

const operationsByVerdict = { approve: approveRequest, deny: denyRequest, cancel: cancelRequest } as const
type Verdict = keyof typeof operationsByVerdict

function isVerdict(text: string): text is Verdict {
  return text in operationsByVerdict
}

const doneWords = {
  asked: 'The request is made. Those who decide have been told.',
  approve: 'Approved. The work has begun.',
  deny: 'Denied. The requester is told why.',
  cancel: 'Taken back.',
  edit: 'It is changed, priced anew, and those who decide are asked again.',
} as const

function isDone(text: string): text is keyof typeof doneWords {
  return text in doneWords
}

async function requestPage(visit: Visit, refusal?: Refusal): Promise<Answer> {
  const request = await visit.perform(showRequest, { id: visit.param('id') })
  const done = visit.query.get('done') ?? ''
  const body = (
    <RequestPage
      request={request}
      user={visit.caller.user}
      moment={{ now: visit.now, zone: visit.site.timezone }}
      done={isDone(done) ? doneWords[done] : undefined}
      refusal={refusal}
    />
  )
  return { title: request.id, current: '/requests', body, status: refusal?.status ?? 200 }
}

async function decide(visit: Visit): Promise<Answer> {
  const [id, verdict] = [visit.param('id'), visit.param('verdict')]
  if (!isVerdict(verdict)) return { redirect: `/requests/${encodeURIComponent(id)}` }
  const typed = filled(visit.form, 'reason', 'acceptQuote', 'quote')
  const outcome = await attempt(() => visit.perform(operationsByVerdict[verdict], { id, ...typed }))
  if ('refusal' in outcome) return requestPage(visit, outcome.refusal)
  return { redirect: `/requests/${encodeURIComponent(id)}?done=${verdict}` }
}

interface ListsOf {
  waiting: RequestView[]
  mine: RequestView[]
  all: RequestView[] | undefined
  next: string | null
  moment: Moment
  user: string
}

async function listsOf(visit: Visit): Promise<ListsOf> {
  const cursor = filled(visit.query, 'cursor')
  const sees = hasRole(visit.caller, 'operator') || hasRole(visit.caller, 'auditor')
  const [waiting, mine, all] = await Promise.all([
    visit.perform(listRequests, { waiting: 'true', state: 'pending' }),
    visit.perform(listRequests, { mine: 'true', ...(sees ? {} : cursor) }),
    sees ? visit.perform(listRequests, cursor) : undefined,
  ])
  return {
    waiting: waiting.items,
    mine: mine.items,
    all: all?.items,
    next: (all ?? mine).next,
    moment: { now: visit.now, zone: visit.site.timezone },
    user: visit.caller.user,
  }
}

function RequestsPage({ lists }: { lists: ListsOf }) {
  return (
    <>
      <div class="title">
        <h1>Requests</h1>
        <a href="/request" role="button">
          Request a machine
        </a>
      </div>
      <div
        id="requests"
        hx-get="/fragments/requests"
        hx-trigger="requests from:body throttle:700ms"
        hx-swap="innerMorph"
      >
        <Lists lists={lists} />
      </div>
    </>
  )
}

function Lists({ lists }: { lists: ListsOf }) {
  const { waiting, mine, all, moment, next } = lists
  return (
    <>
      <section aria-labelledby="waiting">
        <h2 id="waiting">Waiting for you</h2>
        {waiting.length === 0 ? <p class="empty">Nothing waits for your decision.</p> : null}
        <div class="cards">
          {waiting.map((request) => (
            <Card key={request.id} request={request} moment={moment} />
          ))}
        </div>
      </section>
      <section aria-label="Your requests">
        {mine.length === 0 ? (
          <p class="empty">You have asked for nothing yet.</p>
        ) : (
          <RequestTable caption="Your requests" items={mine} moment={moment} />
        )}
      </section>
      {all === undefined || all.length === 0 ? null : (
        <section aria-label="All requests">
          <RequestTable caption="All requests" items={all} moment={moment} />
        </section>
      )}
      {next === null ? null : (
        <p>
          <a href={`/requests?cursor=${encodeURIComponent(next)}`}>Older requests</a>
        </p>
      )}
    </>
  )
}

/** What, why, for how long, how much, and what would be left: all that a decision needs. */
function Card({ request, moment }: { request: RequestView; moment: Moment }) {
  return (
    <article id={`card-${request.id}`}>
      <header>
        <a href={`/requests/${encodeURIComponent(request.id)}`}>
          <strong>{request.id}</strong>
        </a>{' '}
        {request.requester} asks for {titleOf(request)}
      </header>
      <p>{request.purpose}</p>
      <Money request={request} />
      <p>
        <small>
          Asked <When at={request.createdAt} moment={moment} />
        </small>
      </p>
      <DecisionForms request={request} />
    </article>
  )
}

function RequestTable({
  caption,
  items,
  moment,
}: {
  caption: string
  items: readonly RequestView[]
  moment: Moment
}) {
  return (
    <Table caption={caption} columns={['Request', 'State', 'What', 'Requester', 'Price', 'Asked']}>
      {items.map((request) => (
        <tr role="row" key={request.id}>
          <Cell label="Request">
            <a href={`/requests/${encodeURIComponent(request.id)}`}>
              <strong>{request.id}</strong>
            </a>
          </Cell>
          <Cell label="State">
            <State state={requestWords[request.state]} />
          </Cell>
          <Cell label="What">
            {titleOf(request)}
            <small class="about">{request.purpose}</small>
          </Cell>
          <Cell label="Requester">{request.requester}</Cell>
          <Cell label="Price">
            <span class="money">{money(request.quote.total, request.currency)}</span>{' '}
            <small>{request.budget}</small>
          </Cell>
          <Cell label="Asked">
            <When at={request.createdAt} moment={moment} />
          </Cell>
        </tr>
      ))}
    </Table>
  )
}
