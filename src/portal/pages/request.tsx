import type { Refusal } from '../../base/errors.ts'
import { counted, list } from '../../base/text.ts'
import type { RequestView } from '../../operations/shapes/request.ts'
import { Done, type Moment, State, When } from '../parts.tsx'
import { localTime } from '../times.ts'
import { money, requestWords } from '../words.ts'
import { Fact } from './machine.tsx'
import { sizeWords } from './machines.tsx'
import { Refused } from './trouble.tsx'

/** What is asked for, as part of a sentence. */
export function titleOf(request: RequestView): string {
  const { kind, count, template, machines, transfer } = request
  if (transfer !== undefined) {
    return `${transfer.machine} to go from ${transfer.was.owner} and ${transfer.was.budget} to ${transfer.owner} and ${request.budget}`
  }
  if (kind === 'extension') return `more time for ${machines[0] ?? 'a machine'}`
  if (kind === 'resize') return `another size for ${machines[0] ?? 'a machine'}: ${sizeWords(request)}`
  return `${counted(count, 'machine')} of ${template}, ${sizeWords(request)}`
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
  const mayDecide = pending && request.approvers.some((approver) => approver.user === user)
  return (
    <>
      <p class="crumb">
        <a href="/requests">Requests</a>
      </p>
      <Refused refusal={refusal} />
      {done === undefined ? null : <Done>{done}</Done>}
      <article>
        <header class="title">
          <h1>{request.id}</h1>
          <State state={requestWords[request.state]} />
        </header>
        <p class="lead">{`${request.requester} asks for ${titleOf(request)}.`}</p>
        {request.failure === null ? null : <p class="notice bad">{request.failure}</p>}
        <Warnings request={request} />
        {mayDecide ? <DecisionForms request={request} /> : null}
        {pending && request.requester === user ? <CancelForm request={request} /> : null}
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
      <Fact name="Price">
        {money(request.quote.total, currency)}{' '}
        <small>{`then ${money(request.quote.perDay, currency)} a day`}</small>
      </Fact>
      <Fact name="Budget">
        {request.budget}{' '}
        <small>{`${money(request.leftAfter, currency)} left${request.state === 'pending' ? ' after this' : ''}`}</small>
      </Fact>
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

/** Approve with one press; a denial needs its reason. */
export function DecisionForms({ request: { id } }: { request: RequestView }) {
  const at = `/requests/${encodeURIComponent(id)}`
  return (
    <div class="decide">
      <form method="post" action={`${at}/approve`}>
        <button type="submit">
          Approve<span class="sr">{` ${id}`}</span>
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

function CancelForm({ request: { id } }: { request: RequestView }) {
  return (
    <form method="post" action={`/requests/${encodeURIComponent(id)}/cancel`}>
      <button type="submit" class="secondary">
        Take it back
      </button>
    </form>
  )
}
