import type { Refusal } from '../../base/errors.ts'
import { hasRole } from '../../identity/person.ts'
import {
  closePool,
  discardDesktop,
  drainPool,
  listDesktops,
  reopenPool,
  resetDesktopAgain,
} from '../../operations/manage-pools.ts'
import { rollPool, stopRoll } from '../../operations/roll-pool.ts'
import type { PoolCareView } from '../../operations/shapes/pool.ts'
import { showPool } from '../../operations/show-pool.ts'
import { Cell, Done, type Moment, Table, When } from '../parts.tsx'
import type { Pages } from '../serve.tsx'
import { type Answer, attempt, type Visit } from '../visit.ts'
import { Refused } from './trouble.tsx'

const current = '/pools'

/** For operators: pools to close, to open again and to send a new version through, and desktops that are set aside. */
export function poolCarePages(pages: Pages): void {
  pages.get(current, (visit) => page(visit))
  pages.get('/fragments/pools', async (visit) => ({ fragment: <Care {...await careOf(visit)} /> }))
  for (const [verb, operation] of verbs) {
    pages.post(`/pools/:pool/${verb}`, (visit) => {
      const reason = visit.form.get('reason')
      const input = { pool: visit.param('pool'), ...(reason === undefined ? {} : { reason }) }
      return then(visit, verb, () => visit.perform(operation, input))
    })
  }
  pages.post('/pools/:pool/roll', (visit) => {
    const input = { pool: visit.param('pool'), atOnce: visit.form.get('atOnce') ?? '1' }
    return then(visit, 'roll', () => visit.perform(rollPool, input))
  })
  pages.post('/pools/:pool/roll/stop', (visit) =>
    then(visit, 'stop', () => visit.perform(stopRoll, { pool: visit.param('pool') })),
  )
  pages.post('/pools/desktops/:name/reset', (visit) =>
    then(visit, 'reset', () => visit.perform(resetDesktopAgain, { name: visit.param('name') })),
  )
  pages.post('/pools/desktops/:name/discard', (visit) =>
    then(visit, 'discard', () => visit.perform(discardDesktop, { name: visit.param('name') })),
  )
}

const verbs = [
  ['drain', drainPool],
  ['close', closePool],
  ['reopen', reopenPool],
] as const

const doneWords: Readonly<Record<string, string>> = {
  drain: 'Nobody new is let in. Sessions that are open go on to their end.',
  close: 'Nobody new is let in, and open sessions end after a warning.',
  reopen: 'People are let in again.',
  roll: 'The new version is on its way. Nobody who sits at a desktop is disturbed.',
  stop: 'No further desktop is taken out. What is made is made.',
  reset: 'It is being cleaned. It goes to people again only when that is seen to have worked.',
  discard: 'It is being removed, and its pool makes another.',
}

async function then(visit: Visit, done: string, work: () => Promise<unknown>): Promise<Answer> {
  const outcome = await attempt(work)
  return 'refusal' in outcome ? page(visit, outcome.refusal) : { redirect: `${current}?done=${done}` }
}

type DesktopRow = Awaited<ReturnType<typeof listDesktops.run>>['items'][number]

interface CareProps {
  pools: readonly PoolCareView[]
  desktops: readonly DesktopRow[]
  moment: Moment
  isOperator: boolean
}

async function careOf(visit: Visit): Promise<CareProps> {
  const { items } = await visit.perform(listDesktops, {})
  const pools = await Promise.all(visit.site.pools.map(({ name }) => visit.perform(showPool, { pool: name })))
  const moment = { now: visit.now, zone: visit.site.timezone }
  return { pools, desktops: items, moment, isOperator: hasRole(visit.caller, 'operator') }
}

async function page(visit: Visit, refusal?: Refusal): Promise<Answer> {
  const done = doneWords[visit.query.get('done') ?? '']
  const body = (
    <>
      <h1>Pools</h1>
      <Refused refusal={refusal} />
      {done === undefined ? null : <Done>{done}</Done>}
      <div
        id="pools"
        hx-get="/fragments/pools"
        hx-trigger="desktops from:body throttle:500ms"
        hx-swap="innerMorph"
      >
        <Care {...await careOf(visit)} />
      </div>
    </>
  )
  return { title: 'Pools', current, body, status: refusal?.status ?? 200 }
}

function Care({ pools, desktops, moment, isOperator }: CareProps) {
  const aside = desktops.filter(({ state }) => state === 'quarantined')
  return (
    <>
      <Table
        caption="Pools and their desktops"
        columns={['Pool', 'In use', 'Ready', 'Saved', 'Others', 'Keeps', 'New version', '']}
      >
        {pools.map((pool) => (
          <PoolRow
            key={pool.name}
            pool={pool}
            desktops={desktops.filter((desktop) => desktop.pool === pool.name)}
            isOperator={isOperator}
          />
        ))}
      </Table>
      {aside.length === 0 ? (
        <p class="empty">No desktop is set aside.</p>
      ) : (
        <Aside desktops={aside} moment={moment} />
      )}
    </>
  )
}

function PoolRow({
  pool,
  desktops,
  isOperator,
}: {
  pool: PoolCareView
  desktops: readonly DesktopRow[]
  isOperator: boolean
}) {
  const { name, title, state, keeps, roll } = pool
  const { ready, saved } = pool.desktops
  const used = desktops.filter((desktop) => desktop.state === 'leased').length
  return (
    <tr role="row">
      <Cell label="Pool">
        <strong>{title}</strong>
        {state === 'open' ? null : <small class="about">{state}</small>}
      </Cell>
      <Cell label="In use">{String(used)}</Cell>
      <Cell label="Ready">{String(ready)}</Cell>
      <Cell label="Saved">{String(saved)}</Cell>
      <Cell label="Others">{String(desktops.length - used - ready - saved)}</Cell>
      <Cell label="Keeps">
        {keeps.saved === 0 ? `${keeps.ready} ready` : `${keeps.ready} ready, ${keeps.saved} saved`}
        <small class="about">{keeps.why}</small>
      </Cell>
      <Cell label="New version">{roll === null ? '' : <Roll roll={roll} />}</Cell>
      <Cell label="">{isOperator ? <Verbs pool={name} isRolling={roll?.state === 'rolling'} /> : null}</Cell>
    </tr>
  )
}

const rollStates = { rolling: 'on its way', stopped: 'stopped', done: 'through' } as const

function Roll({ roll }: { roll: NonNullable<PoolCareView['roll']> }) {
  const { state, version, fresh, left, inUse, kept, aside } = roll
  const all = fresh + left + inUse
  const rest = [
    inUse === 0 ? '' : `${inUse} in use follow after their session`,
    kept === 0 ? '' : `${kept} are somebody’s own and stay`,
    aside === 0 ? '' : `${aside} are set aside`,
  ]
  return (
    <>
      {`${version === null ? '' : `${version} `}${rollStates[state]}`}
      {state === 'rolling' ? (
        <progress value={fresh} max={Math.max(1, all)} aria-label="New desktops" />
      ) : null}
      <small class="about">
        {[`${fresh} of ${all} are new`, ...rest].filter((part) => part !== '').join('; ')}
      </small>
    </>
  )
}

function Aside({ desktops, moment }: { desktops: readonly DesktopRow[]; moment: Moment }) {
  return (
    <Table caption="Desktops that are set aside" columns={['Desktop', 'Pool', 'Since', 'Why', '']}>
      {desktops.map(({ name, pool, since, reason, person }) => (
        <tr role="row" key={name}>
          <Cell label="Desktop">
            <strong>{name}</strong>
            {person === null ? null : <small class="about">{`${person}’s own`}</small>}
          </Cell>
          <Cell label="Pool">{pool}</Cell>
          <Cell label="Since">{since === null ? '' : <When at={since} moment={moment} />}</Cell>
          <Cell label="Why">{reason ?? ''}</Cell>
          <Cell label="">
            {person === null ? <Press at={`${name}/reset`}>{`Clean ${name} again`}</Press> : null}
            <details>
              <summary>Remove</summary>
              <p class="help">
                {person === null
                  ? 'Its disk goes with it, and the pool makes another.'
                  : `${person}’s work on its disk goes with it. ${person} gets a new desktop.`}
              </p>
              <Press at={`${name}/discard`}>{`Remove ${name}`}</Press>
            </details>
          </Cell>
        </tr>
      ))}
    </Table>
  )
}

function Press({ at, children }: { at: string; children: string }) {
  return (
    <form method="post" action={`/pools/desktops/${at}`}>
      <button type="submit" class="secondary">
        {children}
      </button>
    </form>
  )
}

function Verbs({ pool, isRolling }: { pool: string; isRolling: boolean }) {
  const words = { drain: 'Drain', close: 'Close', reopen: 'Open again' } as const
  const at = `/pools/${encodeURIComponent(pool)}`
  return (
    <details>
      <summary>Maintenance</summary>
      {verbs.map(([verb]) => (
        <form method="post" action={`${at}/${verb}`} key={verb}>
          {verb === 'reopen' ? null : (
            <input name="reason" aria-label={`Why ${pool} is closed`} placeholder="why" maxLength={200} />
          )}
          <button type="submit" class="secondary">
            {`${words[verb]} ${pool}`}
          </button>
        </form>
      ))}
      {isRolling ? (
        <form method="post" action={`${at}/roll/stop`}>
          <button type="submit" class="secondary">{`Stop the new version in ${pool}`}</button>
        </form>
      ) : (
        <form method="post" action={`${at}/roll`}>
          <label>
            At once
            <input name="atOnce" type="number" min="1" max="100" value="1" />
          </label>
          <button type="submit" class="secondary">{`Send a new version through ${pool}`}</button>
        </form>
      )}
    </details>
  )
}
