import { isLocalDay, startOfDay } from '../../base/period.ts'
import { attempt, filled, type Visit } from '../visit.ts'
import { listAudit } from '../../operations/list-audit.ts'
import { Cell, Field, type Moment, Table } from '../parts.tsx'
import type { Pages } from '../serve.tsx'
import { localTime } from '../times.ts'
import { Refused } from './trouble.tsx'

export function auditPages(pages: Pages): void {
  pages.get('/audit', async (visit) => {
    const filter = filled(visit.query, 'actor', 'subject', 'cursor')
    const day = visit.query.get('since')
    const since = day === undefined ? {} : { since: startOf(day, visit.site.timezone) }
    const outcome = await attempt(() => visit.perform(listAudit, { ...filter, ...since, limit: '100' }))
    if ('refusal' in outcome && outcome.refusal.code !== 'invalid_input') throw outcome.refusal
    const page = 'done' in outcome ? outcome.done : { items: [], next: null }
    const body = (
      <>
        <h1>Audit</h1>
        <Refused refusal={'refusal' in outcome ? outcome.refusal : undefined} />
        <Filter visit={visit} />
        <Rows
          {...page}
          moment={{ now: visit.now, zone: visit.site.timezone }}
          filter={{ ...filter, since: day }}
        />
      </>
    )
    return { title: 'Audit', current: '/audit', body }
  })
}

/** The day as the input wants it; whatever is none is left for the operation to refuse. */
function startOf(day: string, zone: string): string {
  return isLocalDay(day) ? startOfDay(day, zone) : day
}

function Filter({ visit: { query } }: { visit: Visit }) {
  return (
    <form method="get" action="/audit" class="row">
      <Field name="actor" label="Who">
        {(attributes) => <input value={query.get('actor') ?? ''} placeholder="alice" {...attributes} />}
      </Field>
      <Field name="subject" label="On what">
        {(attributes) => (
          <input value={query.get('subject') ?? ''} placeholder="webafs20 or request:R-12" {...attributes} />
        )}
      </Field>
      <Field name="since" label="Since">
        {(attributes) => <input type="date" value={query.get('since') ?? ''} {...attributes} />}
      </Field>
      <button type="submit">Filter</button>
    </form>
  )
}

interface AuditView {
  id: string
  at: string
  actor: string
  via: string
  operation: string
  subject: string | null
  result: string
  detail: string | null
}

interface RowsProps {
  items: readonly AuditView[]
  next: string | null
  moment: Moment
  filter: Partial<Record<'actor' | 'subject' | 'since', string | undefined>>
}

function Rows({ items, next, moment, filter }: RowsProps) {
  if (items.length === 0) return <p class="empty">Nothing of that kind was done.</p>
  return (
    <>
      <Table caption="Who did what, newest first" columns={['When', 'Who', 'What', 'On what', 'Result']}>
        {items.map(({ at, actor, via, operation, subject, result, detail }) => (
          <tr role="row">
            <Cell label="When">
              <time dateTime={at}>{localTime(at, moment.zone)}</time>
            </Cell>
            <Cell label="Who">
              {actor} <small>{via}</small>
            </Cell>
            <Cell label="What">{operation.replaceAll('-', ' ')}</Cell>
            <Cell label="On what">{subject ?? ''}</Cell>
            <Cell label="Result">
              {result === 'done' ? 'done' : <strong>{`refused: ${result.replaceAll('_', ' ')}`}</strong>}
              {detail === null ? null : <small class="about">{detail}</small>}
            </Cell>
          </tr>
        ))}
      </Table>
      {next === null ? null : (
        <p>
          <a href={`/audit?${older(filter, next)}`}>Older rows</a>
        </p>
      )}
    </>
  )
}

function older(filter: RowsProps['filter'], cursor: string): string {
  const parameters = new URLSearchParams({ cursor })
  for (const name of ['actor', 'subject', 'since'] as const) {
    const value = filter[name]
    if (value !== undefined) parameters.set(name, value)
  }
  return parameters.toString()
}
