import { minus } from '../../../pricing/money.ts'
import type { Refusal, RefusalExtras } from '../../base/errors.ts'
import { counted, list } from '../../base/text.ts'
import type { RequestView } from '../../operations/shapes/request.ts'
import { Done, type Moment, State, When } from '../parts.tsx'
import { localTime } from '../times.ts'
import { money, requestWords } from '../words.ts'
import { Fact } from './machine.tsx'
import { blankWords } from '../../machines/blank.ts'
import { sizeWords } from './machines.tsx'
import { Refused } from './trouble.tsx'

/** What is asked for, as part of a sentence. */
export function titleOf(request: RequestView): string {
  const { kind, count, template, machines, transfer, lease } = request
  if (lease !== undefined) return `more time on ${lease.desktop} of pool ${lease.pool}`
  if (transfer !== undefined) {
    return `${transfer.machine} to go from ${transfer.was.owner} and ${transfer.was.budget} to ${transfer.owner} and ${request.budget}`
  }
  if (kind === 'extension') return `more time for ${machines[0] ?? 'a machine'}`
  if (kind === 'resize') return `another size for ${machines[0] ?? 'a machine'}: ${sizeWords(request)}`
  const disk = blankWords(request.wanted?.disk)
  return `${counted(count, 'machine')} of ${template}, ${sizeWords(request)}${disk === '' ? '' : `, with ${disk}`}`
}

function termOf({ days, until }: RequestView, moment: Moment): string {
  if (days !== null) return counted(days, 'day')
  return until === null ? 'no end' : `until ${localTime(until, moment.zone)}`
}

export interface RequestProps {
  request: RequestView
  user: string
  moment: Moment
  done?: string | undefined
  refusal?: Refusal | undefined
}

export function RequestPage({ request, user, moment, done, refusal }: RequestProps) {
  const pending = request.state === 'pending'
  const dearer = refusal?.extras.quote
  const mayDecide = pending && request.approvers.some((approver) => approver.user === user)
  return (
    <>
      <p class="crumb">
        <a href="/requests">Requests</a>
      </p>
      {dearer === undefined ? <Refused refusal={refusal} /> : null}
      {done === undefined ? null : <Done>{done}</Done>}
      <article>
        <header class="title">
          <h1>{request.id}</h1>
          <State state={requestWords[request.state]} />
        </header>
        <p class="lead">{`${request.requester} asks for ${titleOf(request)}.`}</p>
        {request.failure === null ? null : <p class="notice bad">{request.failure}</p>}
        <Warnings request={request} />
        {!pending ? null : dearer === undefined ? (
          <Money request={request} />
        ) : (
          <Dearer request={request} quote={dearer} />
        )}
        {mayDecide ? <DecisionForms request={request} quote={dearer} /> : null}
        {pending && request.requester === user ? <OwnForms request={request} /> : null}
        <Facts request={request} moment={moment} />
        <Decisions request={request} moment={moment} />
      </article>
    </>
  )
}

function Warnings({ request: { warnings } }: { request: RequestView }) {
  if (warnings.length === 0) return null
  return (
    <ul class="notice warn">
      {warnings.map((warning) => (
        <li>{warning}</li>
      ))}
    </ul>
  )
}

function Facts({ request, moment }: { request: RequestView; moment: Moment }) {
  const { administrators, machines, approvers, currency } = request
  return (
    <dl class="facts">
      <Fact name="Purpose">{request.purpose}</Fact>
      <Fact name="For how long">{termOf(request, moment)}</Fact>
      {request.state === 'pending' || request.budget === '' ? null : (
        <Fact name="Price">
          {money(request.quote.total, currency)} <small>{paceOf(request)}</small>
        </Fact>
      )}
      {request.budget === '' ? null : (
        <Fact name="Budget">
          {request.budget}
          {request.state === 'pending' ? null : (
            <small>{` ${money(request.leftAfter, currency)} left`}</small>
          )}
        </Fact>
      )}
      {request.state !== 'pending' ||
      request.budget === '' ||
      request.quote.validUntil === undefined ? null : (
        <Fact name="Quoted until">
          <When at={request.quote.validUntil} moment={moment} />
        </Fact>
      )}
      {approvers.length === 0 ? null : (
        <Fact name="Who decides">
          {approvers.map(({ user, why }) => (
            <div>
              {user} <small>{why}</small>
            </div>
          ))}
        </Fact>
      )}
      {administrators.length === 0 ? null : <Fact name="Administrators">{list(administrators)}</Fact>}
      {machines.length === 0 ? null : (
        <Fact name="Machines">
          {machines.map((name, index) => (
            <>
              {index === 0 ? '' : ', '}
              <a href={`/machines/${encodeURIComponent(name)}`}>{name}</a>
            </>
          ))}
        </Fact>
      )}
      <Fact name="Asked">
        <When at={request.createdAt} moment={moment} />
      </Fact>
      {request.state === 'pending' ? (
        <Fact name="Lapses">
          <When at={request.expiresAt} moment={moment} />
        </Fact>
      ) : null}
    </dl>
  )
}

function paceOf({ quote, lease, currency }: RequestView): string {
  if (lease !== undefined) return `${money(lease.perHour, currency)} for each hour that is begun`
  return `then ${money(quote.perDay, currency)} a day`
}

function Decisions({ request, moment }: { request: RequestView; moment: Moment }) {
  if (request.decisions.length === 0) return null
  return (
    <section aria-label="Decisions">
      <h2>Decisions</h2>
      <ul>
        {request.decisions.map(({ by, verdict, at, via, reason }) => (
          <li>
            <strong>{verdict}</strong>
            {` by ${by} (${via}) `}
            <When at={at} moment={moment} />
            {reason === null ? null : <q>{reason}</q>}
          </li>
        ))}
      </ul>
    </section>
  )
}

/** What a decision costs: in all, a day, and what it leaves of the budget. */
export function Money({ request }: { request: RequestView }) {
  const { quote, currency, budget, leftAfter, shareAfter, lease } = request
  if (budget === '') return <p class="help">It costs nobody anything: the operators decide.</p>
  const short = leftAfter.startsWith('-')
  return (
    <>
      <dl class="facts money-facts">
        <Fact name="Total">
          <strong>{money(quote.total, currency)}</strong>
        </Fact>
        {lease === undefined ? (
          <Fact name="Per day, after its free days">{money(quote.perDay, currency)}</Fact>
        ) : (
          <Fact name="Per hour that is begun">{money(lease.perHour, currency)}</Fact>
        )}
        <Fact name={`Left on ${budget} afterwards`}>{money(leftAfter, currency)}</Fact>
        <Fact name="Of its limit then taken">{percent(shareAfter)}</Fact>
      </dl>
      {short ? (
        <p class="notice warn">{`${budget} has less left than this costs: raise its limit first, or deny.`}</p>
      ) : null}
    </>
  )
}

function percent(share: number): string {
  return `${Math.round(share * 1000) / 10} %`
}

/** The quote as it is now, from a refusal `quote_expired`. */
type NewQuote = NonNullable<RefusalExtras['quote']>

/** Shown when the price went up or the request was changed since it was shown: as it is now, to approve with one press. */
function Dearer({ request, quote }: { request: RequestView; quote: NewQuote }) {
  const { total, quoted, perDay, leftAfter, shareAfter, currency, changed } = quote
  const label = changed === undefined ? 'The price went up' : 'The request was changed'
  return (
    <section class="notice warn" role="alert" aria-label={label}>
      <p>
        <strong>
          {changed === undefined
            ? `The price went up by ${money(minus(total, quoted), currency)} since it was quoted.`
            : `It was changed since you were shown it: ${changed}.`}
        </strong>{' '}
        Nothing is approved yet.
      </p>
      <dl class="facts money-facts">
        <Fact name="Total now">
          <strong>{money(total, currency)}</strong> <small>{`instead of ${money(quoted, currency)}`}</small>
        </Fact>
        <Fact name="Per day, after its free days">{money(perDay, currency)}</Fact>
        <Fact name={`Left on ${request.budget} afterwards`}>{money(leftAfter, currency)}</Fact>
        <Fact name="Of its limit then taken">{percent(shareAfter)}</Fact>
      </dl>
    </section>
  )
}

/** Approve with one press; a denial needs its reason. @param quote what it costs now, where it went up or was changed */
export function DecisionForms({ request, quote }: { request: RequestView; quote?: NewQuote | undefined }) {
  const { id } = request
  const at = `/requests/${encodeURIComponent(id)}`
  return (
    <div class="decide">
      <form method="post" action={`${at}/approve`}>
        {quote === undefined ? (
          <input type="hidden" name="quote" value={request.quote.id} />
        ) : (
          <input type="hidden" name="acceptQuote" value={quote.id} />
        )}
        <button type="submit">
          {quote === undefined ? 'Approve' : `Approve for ${money(quote.total, quote.currency)}`}
          <span class="sr">{` ${id}`}</span>
        </button>
      </form>
      <form method="post" action={`${at}/deny`} class="row">
        <label class="sr" for={`reason-${id}`}>
          {`Why ${id} is denied`}
        </label>
        <input id={`reason-${id}`} name="reason" required maxLength={500} placeholder="Why not" />
        <button type="submit" class="danger">
          Deny<span class="sr">{` ${id}`}</span>
        </button>
      </form>
    </div>
  )
}

/** What its requester may do while nobody has decided. */
function OwnForms({ request: { id, kind } }: { request: RequestView }) {
  const at = `/requests/${encodeURIComponent(id)}`
  return (
    <div class="actions">
      {kind === 'machines' ? (
        <a href={`${at}/edit`} role="button" class="secondary">
          Change it
        </a>
      ) : null}
      <form method="post" action={`${at}/cancel`}>
        <button type="submit" class="secondary">
          Take it back
        </button>
      </form>
    </div>
  )
}
