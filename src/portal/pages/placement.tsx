import type { z } from 'zod'
import type { Refusal } from '../../base/errors.ts'
import { list } from '../../base/text.ts'
import { explainPlacementOf, type PlacementShape } from '../../operations/explain-placement.ts'
import { groupsFor } from '../../operations/groups.ts'
import { Cell, Field, Table } from '../parts.tsx'
import type { Pages } from '../serve.tsx'
import { attempt, filled, type Visit } from '../visit.ts'
import { Refused } from './trouble.tsx'

type Placement = z.output<typeof PlacementShape>

/** Where machines would go, without asking for any. */
export function placementPages(pages: Pages): void {
  pages.get('/hosts/placement', async (visit) => {
    const order = filled(visit.query, 'template', 'cpus', 'memoryGb', 'count', 'group', 'host')
    const outcome = await attempt(() => visit.perform(explainPlacementOf, order))
    const refusal = 'refusal' in outcome ? outcome.refusal : undefined
    const body = (
      <>
        <p class="crumb">
          <a href="/hosts">Hosts</a>
        </p>
        <h1>Where it would go</h1>
        <Refused refusal={refusal} />
        <Asked visit={visit} refusal={refusal} />
        {'done' in outcome ? <Told placement={outcome.done} /> : null}
      </>
    )
    return { title: 'Where it would go', current: '/hosts', body, status: refusal?.status ?? 200 }
  })
}

function Asked({ visit, refusal }: { visit: Visit; refusal: Refusal | undefined }) {
  const { site, query } = visit
  const groups = groupsFor(visit.caller, site)
  const chosen = (name: string, fallback: string): string => query.get(name) ?? fallback
  return (
    <form method="get" action="/hosts/placement">
      <div class="pair">
        <Field name="template" label="Template" refusal={refusal}>
          {(attributes) => (
            <select {...attributes}>
              {site.templates.map(({ name, title }) => (
                <option value={name} selected={name === query.get('template')}>
                  {title}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field name="group" label="Group of hosts" refusal={refusal}>
          {(attributes) => (
            <select {...attributes}>
              {groups.map((group) => (
                <option value={group} selected={group === query.get('group')}>
                  {group}
                </option>
              ))}
            </select>
          )}
        </Field>
      </div>
      <div class="pair">
        {(['cpus', 'memoryGb', 'count'] as const).map((name) => (
          <Field name={name} label={numberLabels[name]} refusal={refusal}>
            {(attributes) => (
              <input
                type="number"
                min="1"
                value={chosen(name, name === 'count' ? '1' : '')}
                {...attributes}
              />
            )}
          </Field>
        ))}
      </div>
      <button type="submit">Show</button>
    </form>
  )
}

const numberLabels = { cpus: 'CPUs', memoryGb: 'Memory in GB', count: 'How many' }

function Told({ placement }: { placement: Placement }) {
  const { fits, count, cpus, memoryGb, hosts } = placement
  const isScored = hosts.some(({ takes }) => takes !== undefined)
  const columns = isScored
    ? ['Host', 'Group', 'Gets', 'Stars', 'Free with one on it', 'Why not']
    : ['Host', 'Group', 'Why not']
  return (
    <>
      <p role="status">
        {`${fits ? 'There is room' : 'There is no room'} for ${count} of ${cpus} CPUs and ${memoryGb} GB.`}
      </p>
      <Table caption="Hosts and what speaks against them" columns={columns}>
        {hosts.map((host) => (
          <Row host={host} isScored={isScored} />
        ))}
      </Table>
    </>
  )
}

function Row({ host, isScored }: { host: Placement['hosts'][number]; isScored: boolean }) {
  const { group, reasons, takes = 0, stars, free, goal } = host
  return (
    <tr role="row">
      <Cell label="Host">
        <strong>{host.host}</strong>
      </Cell>
      <Cell label="Group">
        {group}
        {goal === undefined ? null : <small class="about">{goals[goal]}</small>}
      </Cell>
      {isScored ? (
        <>
          <Cell label="Gets">{takes === 0 ? '' : String(takes)}</Cell>
          <Cell label="Stars">{stars === null || stars === undefined ? '' : `${stars} of 5`}</Cell>
          <Cell label="Free with one on it">
            {free === null || free === undefined ? '' : freeWords(free)}
          </Cell>
        </>
      ) : null}
      <Cell label="Why not">{list(reasons)}</Cell>
    </tr>
  )
}

const goals = { spread: 'machines evenly on all', consolidate: 'machines on as few as can be' }

function freeWords({ memory, cpus, slots }: { memory: number; cpus: number; slots: number }): string {
  const percent = (share: number) => `${Math.round(share * 100)} %`
  return `memory ${percent(memory)}, CPUs ${percent(cpus)}, slots ${percent(slots)}`
}
