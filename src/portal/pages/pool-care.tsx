import type { Refusal } from '../../base/errors.ts'
import { hasRole } from '../../identity/person.ts'
import {
  closePool,
  drainPool,
  listDesktops,
  reopenPool,
  resetDesktopAgain,
} from '../../operations/manage-pools.ts'
import { Cell, Done, Table, When } from '../parts.tsx'
import type { Pages } from '../serve.tsx'
import { type Answer, attempt, type Visit } from '../visit.ts'
import { Refused } from './trouble.tsx'

const current = '/pools'

/** For operators: pools to close and to open again, and desktops that are set aside. */
export function poolCarePages(pages: Pages): void {
  pages.get(current, (visit) => page(visit))
  for (const [verb, operation] of verbs) {
    pages.post(`/pools/:pool/${verb}`, (visit) => {
      const reason = visit.form.get('reason')
      const input = { pool: visit.param('pool'), ...(reason === undefined ? {} : { reason }) }
      return then(visit, verb, () => visit.perform(operation, input))
    })
  }
  pages.post('/pools/desktops/:name/reset', (visit) =>
    then(visit, 'reset', () => visit.perform(resetDesktopAgain, { name: visit.param('name') })),
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
  reset: 'It is being cleaned. It goes to people again only when that is seen to have worked.',
}

async function then(visit: Visit, done: string, work: () => Promise<unknown>): Promise<Answer> {
  const outcome = await attempt(work)
  return 'refusal' in outcome ? page(visit, outcome.refusal) : { redirect: `${current}?done=${done}` }
}

async function page(visit: Visit, refusal?: Refusal): Promise<Answer> {
  const { items } = await visit.perform(listDesktops, {})
  const aside = items.filter(({ state }) => state === 'quarantined')
  const done = doneWords[visit.query.get('done') ?? '']
  const moment = { now: visit.now, zone: visit.site.timezone }
  const body = (
    <>
      <h1>Pools</h1>
      <Refused refusal={refusal} />
      {done === undefined ? null : <Done>{done}</Done>}
      <Table caption="Pools and their desktops" columns={['Pool', 'In use', 'Ready', 'Others', '']}>
        {visit.site.pools.map(({ name, title }) => {
          const own = items.filter(({ pool }) => pool === name)
          const used = own.filter(({ state }) => state === 'leased').length
          const ready = own.filter(({ state }) => state === 'spare').length
          return (
            <tr role="row" key={name}>
              <Cell label="Pool">
                <strong>{title ?? name}</strong>
              </Cell>
              <Cell label="In use">{String(used)}</Cell>
              <Cell label="Ready">{String(ready)}</Cell>
              <Cell label="Others">{String(own.length - used - ready)}</Cell>
              <Cell label="">{hasRole(visit.caller, 'operator') ? <Verbs pool={name} /> : null}</Cell>
            </tr>
          )
        })}
      </Table>
      {aside.length === 0 ? (
        <p class="empty">No desktop is set aside.</p>
      ) : (
        <Table caption="Desktops that are set aside" columns={['Desktop', 'Pool', 'Since', 'Why', '']}>
          {aside.map(({ name, pool, since, reason, person }) => (
            <tr role="row" key={name}>
              <Cell label="Desktop">
                <strong>{name}</strong>
              </Cell>
              <Cell label="Pool">{pool}</Cell>
              <Cell label="Since">{since === null ? '' : <When at={since} moment={moment} />}</Cell>
              <Cell label="Why">{reason ?? ''}</Cell>
              <Cell label="">
                {person === null ? (
                  <form method="post" action={`/pools/desktops/${encodeURIComponent(name)}/reset`}>
                    <button type="submit" class="secondary">
                      {`Clean ${name} again`}
                    </button>
                  </form>
                ) : (
                  `${person}’s own`
                )}
              </Cell>
            </tr>
          ))}
        </Table>
      )}
    </>
  )
  return { title: 'Pools', current, body, status: refusal?.status ?? 200 }
}

function Verbs({ pool }: { pool: string }) {
  const words = { drain: 'Drain', close: 'Close', reopen: 'Open again' } as const
  return (
    <details>
      <summary>Maintenance</summary>
      {verbs.map(([verb]) => (
        <form method="post" action={`/pools/${encodeURIComponent(pool)}/${verb}`} key={verb}>
          {verb === 'reopen' ? null : (
            <input name="reason" aria-label={`Why ${pool} is closed`} placeholder="why" maxLength={200} />
          )}
          <button type="submit" class="secondary">
            {`${words[verb]} ${pool}`}
          </button>
        </form>
      ))}
    </details>
  )
}
