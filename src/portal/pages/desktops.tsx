import { encodingFor } from '../../../broker/rdp-file.ts'
import type { Refusal } from '../../base/errors.ts'
import { endLeaseNow } from '../../operations/end-lease.ts'
import { extendLeaseTime } from '../../operations/extend-lease.ts'
import { listPools } from '../../operations/list-pools.ts'
import { openDesktop } from '../../operations/open-desktop.ts'
import type { ProgressView } from '../../operations/shapes/job.ts'
import type { LeaseView } from '../../operations/shapes/lease.ts'
import { showLease } from '../../operations/show-lease.ts'
import { counted } from '../../base/text.ts'
import { Done, type Moment, Progress, State, When } from '../parts.tsx'
import type { Pages } from '../serve.tsx'
import { type Answer, attempt, type Visit } from '../visit.ts'
import { leaseWords, money } from '../words.ts'
import { Refused } from './trouble.tsx'

export function desktopPages(pages: Pages): void {
  pages.get('/desktops', (visit) => desktopsPage(visit))
  pages.get('/fragments/desktops', async (visit) => ({ fragment: <Pools {...await poolsOf(visit)} /> }))
  pages.post('/desktops/:pool/open', async (visit) => {
    const encoding = encodingFor({ kind: 'browser', userAgent: visit.userAgent })
    const input = { pool: visit.param('pool'), terminal: { kind: 'browser' }, encoding }
    const outcome = await attempt(() => visit.perform(openDesktop, input))
    if ('refusal' in outcome) return desktopsPage(visit, outcome.refusal)
    return rdpAnswer(outcome.done) ?? { redirect: '/desktops?done=open' }
  })
  pages.post('/leases/:id/extend', (visit) => {
    const input = { id: visit.param('id'), minutes: visit.form.get('minutes') ?? '30' }
    const extend = () => visit.perform(extendLeaseTime, input)
    return then(visit, (answer) => ('request' in answer ? 'asked' : 'extend'), extend)
  })
  pages.post('/leases/:id/end', (visit) =>
    then(
      visit,
      () => 'end',
      () => visit.perform(endLeaseNow, { id: visit.param('id'), reason: 'logged_off' }),
    ),
  )
}

/** The RDP file with the headers that the REST API gives it; nothing while there is no desktop to dial. */
export function rdpAnswer(answer: unknown): Extract<Answer, { file: Buffer }> | undefined {
  const media = openDesktop.http?.media
  const rendered = media?.render(answer)
  if (media === undefined || rendered === undefined) return undefined
  return { file: rendered.body, type: media.type, headers: rendered.headers }
}

async function then<A>(
  visit: Visit,
  doneBy: (answer: A) => keyof typeof doneWords,
  work: () => Promise<A>,
): Promise<Answer> {
  const outcome = await attempt(work)
  if ('refusal' in outcome) return desktopsPage(visit, outcome.refusal)
  return { redirect: `/desktops?done=${doneBy(outcome.done)}` }
}

const doneWords = {
  open: 'Your desktop is being prepared. Open it as soon as it is ready.',
  extend: 'You have more time now.',
  asked: 'That is longer than the pool allows by itself, so it is asked for. You are told of the decision.',
  end: 'You are logged off.',
} as const

function isDone(text: string): text is keyof typeof doneWords {
  return text in doneWords
}

interface PoolView {
  name: string
  title: string
  kind: 'persistent' | 'shared'
  desktop?: { name: string; state: string } | undefined
  lease?: LeaseView | undefined
  ready: number
  total: number
  max: number
  progress?: ProgressView | undefined
}

interface PoolsProps {
  items: readonly PoolView[]
  moment: Moment
}

async function poolsOf(visit: Visit): Promise<PoolsProps> {
  const { items } = await visit.perform(listPools, {})
  const followed = items.map(async (pool): Promise<PoolView> => {
    if (pool.lease?.state !== 'preparing') return pool
    const { progress } = await visit.perform(showLease, { id: pool.lease.id })
    return { ...pool, progress }
  })
  return { items: await Promise.all(followed), moment: { now: visit.now, zone: visit.site.timezone } }
}

async function desktopsPage(visit: Visit, refusal?: Refusal): Promise<Answer> {
  const done = visit.query.get('done') ?? ''
  const body = (
    <>
      <h1>Desktops</h1>
      <Refused refusal={refusal} />
      {isDone(done) ? <Done>{doneWords[done]}</Done> : null}
      <div
        id="desktops"
        hx-get="/fragments/desktops"
        hx-trigger="desktops from:body throttle:500ms"
        hx-swap="innerMorph"
      >
        <Pools {...await poolsOf(visit)} />
      </div>
      <p class="help">
        Opening a desktop gives a file for your Remote Desktop client. At a terminal, use{' '}
        <a href="/desktop">the thin-client page</a>.
      </p>
    </>
  )
  return { title: 'Desktops', current: '/desktops', body, status: refusal?.status ?? 200 }
}

function Pools({ items, moment }: PoolsProps) {
  if (items.length === 0)
    return <p class="empty">There is no pool that you may use. Ask an operator to let you in.</p>
  return (
    <div class="cards">
      {items.map((pool) => (
        <Pool key={pool.name} pool={pool} moment={moment} />
      ))}
    </div>
  )
}

const kindWords = {
  persistent: 'Your own desktop, kept for you.',
  shared: 'A clean desktop each time. Nothing is kept after you log off.',
} as const

function Pool({ pool, moment }: { pool: PoolView; moment: Moment }) {
  const { name, title, kind, desktop, lease, ready, total, max } = pool
  return (
    <article id={`pool-${name}`}>
      <header>
        <h2>{title}</h2>
      </header>
      <p>{kindWords[kind]}</p>
      <p class="help">
        {desktop === undefined ? '' : `Yours is ${desktop.name}, ${desktop.state}. `}
        {`${counted(ready, 'desktop')} ready, ${total} of at most ${max} made.`}
      </p>
      {lease === undefined ? null : <Lease lease={lease} progress={pool.progress} moment={moment} />}
      <div class="actions">
        {lease?.state === 'preparing' ? null : (
          <form method="post" action={`/desktops/${encodeURIComponent(name)}/open`}>
            <button type="submit">{lease === undefined ? 'Open' : 'Open again'}</button>
          </form>
        )}
        {lease === undefined ? null : <LeaseButtons lease={lease} />}
      </div>
    </article>
  )
}

function Lease({
  lease,
  progress,
  moment,
}: {
  lease: LeaseView
  progress: ProgressView | undefined
  moment: Moment
}) {
  return (
    <p aria-live="polite">
      <State state={leaseWords[lease.state]} />
      {progress === undefined ? null : <Progress progress={progress} of="your desktop" />}
      {lease.state === 'preparing' ? null : (
        <>
          {' until '}
          <When at={lease.endsAt} moment={moment} />
        </>
      )}
      {lease.asked === undefined ? null : (
        <small class="about">
          <a href={`/requests/${encodeURIComponent(lease.asked.request)}`}>{lease.asked.request}</a>
          {' asks for more time, until '}
          <When at={lease.asked.until} moment={moment} />.
        </small>
      )}
      {lease.trouble === undefined ? null : <span class="notice warn">{lease.trouble.text}</span>}
      {lease.cost === undefined ? null : <LeaseCost cost={lease.cost} />}
    </p>
  )
}

function LeaseCost({ cost }: { cost: NonNullable<LeaseView['cost']> }) {
  const { perHour, toDate, held, currency, budget } = cost
  return (
    <small class="about">
      {`Each hour that is begun costs ${money(perHour, currency)}, paid from ${budget}: ${money(toDate, currency)} until now, ${money(held, currency)} held until its end.`}
    </small>
  )
}

function LeaseButtons({ lease: { id, state } }: { lease: LeaseView }) {
  const at = `/leases/${encodeURIComponent(id)}`
  return (
    <>
      {state === 'preparing' ? null : (
        <form method="post" action={`${at}/extend`}>
          <input type="hidden" name="minutes" value="30" />
          <button type="submit" class="secondary">
            Extend 30 minutes
          </button>
        </form>
      )}
      <form method="post" action={`${at}/end`}>
        <button type="submit" class="secondary">
          Log off
        </button>
      </form>
    </>
  )
}
