import type { Instant } from '../../base/clock.ts'
import { hasRole } from '../../identity/person.ts'
import { drainHost } from '../../operations/drain-host.ts'
import { listHosts } from '../../operations/list-hosts.ts'
import { removeLeftover } from '../../operations/remove-leftover.ts'
import { returnHost } from '../../operations/return-host.ts'
import { Bar, Cell, type Moment, State, Table } from '../parts.tsx'
import type { Pages } from '../serve.tsx'
import { localTime, relativeTime } from '../times.ts'
import type { Answer, Visit } from '../visit.ts'
import type { StateWords } from '../words.ts'

interface HostView {
  name: string
  hypervisor: string
  version: string
  state: 'up' | 'draining' | 'down'
  group: string
  cpus: number
  memoryGb: number
  slots: number
  machines: number
  usedCpus: number
  usedMemoryGb: number
  seenAt: Instant
  drain: { doneAt: Instant | null; why: { machine: string; why: string }[] } | null
  cpu: string | null
  leftovers: { ref: string; name: string; providerState: string }[]
}

interface Promised {
  cpus: number
  memoryGb: number
}

export function hostPages(pages: Pages): void {
  pages.get('/hosts', async (visit) => {
    const body = (
      <>
        <h1>Hosts</h1>
        <p>
          <a href="/hosts/placement">Where would a machine go?</a>
          {hasRole(visit.caller, 'operator') ? ' ' : null}
          {hasRole(visit.caller, 'operator') ? <a href="/hosts/rebalance">What could be moved?</a> : null}
        </p>
        <div
          id="hosts"
          hx-get="/fragments/hosts"
          hx-trigger="hosts from:body throttle:2s"
          hx-swap="innerMorph"
        >
          <Hosts {...await hostsOf(visit)} />
        </div>
      </>
    )
    return { title: 'Hosts', current: '/hosts', body }
  })
  const back = async (work: Promise<unknown>): Promise<Answer> => {
    await work
    return { redirect: '/hosts' }
  }
  pages.post('/hosts/:name/drain', (visit) => back(visit.perform(drainHost, { name: visit.param('name') })))
  pages.post('/hosts/:name/return', (visit) => back(visit.perform(returnHost, { name: visit.param('name') })))
  pages.post('/hosts/:name/bring-back', (visit) =>
    back(visit.perform(returnHost, { name: visit.param('name'), bringBack: true })),
  )
  pages.post('/hosts/:name/leftovers/:ref/remove', (visit) =>
    back(visit.perform(removeLeftover, { name: visit.param('name'), ref: visit.param('ref') })),
  )
  pages.get('/fragments/hosts', async (visit) => ({ fragment: <Hosts {...await hostsOf(visit)} /> }))
}

interface HostsProps {
  items: readonly HostView[]
  moment: Moment
  /** How much may be promised on a host, beyond what it really has. */
  promised: (host: HostView) => Promised
  /** Whether whoever looks may empty hosts. */
  operator: boolean
}

async function hostsOf(visit: Visit): Promise<HostsProps> {
  const { items } = await visit.perform(listHosts, {})
  const promised = ({ hypervisor, cpus, memoryGb }: HostView): Promised => {
    const rule = visit.site.hypervisors.find(({ name }) => name === hypervisor)?.overcommit
    return { cpus: cpus * (rule?.cpus ?? 1), memoryGb: memoryGb * (rule?.memory ?? 1) }
  }
  const moment = { now: visit.now, zone: visit.site.timezone }
  return { items, moment, promised, operator: hasRole(visit.caller, 'operator') }
}

const hostWords: Readonly<Record<HostView['state'], StateWords>> = {
  up: { words: 'answers', tone: 'good' },
  draining: { words: 'takes no new machines', tone: 'warn' },
  down: { words: 'does not answer', tone: 'bad' },
}

function Hosts({ items, moment, promised, operator }: HostsProps) {
  if (items.length === 0) return <p class="empty">No host is known yet: no hypervisor has answered so far.</p>
  return (
    <Table caption="Hosts and what they hold" columns={['Host', 'State', 'Group', 'Slots', 'CPUs', 'Memory']}>
      {items.map((host) => (
        <Row key={host.name} host={host} moment={moment} room={promised(host)} operator={operator} />
      ))}
    </Table>
  )
}

interface RowProps {
  host: HostView
  moment: Moment
  room: Promised
  operator: boolean
}

function Row({ host, moment, room, operator }: RowProps) {
  return (
    <tr role="row">
      <Cell label="Host">
        <strong>{host.name}</strong>
        <small class="about">
          {[host.hypervisor, host.version, host.cpu ?? ''].filter(Boolean).join(', ')}
        </small>
      </Cell>
      <Cell label="State">
        <State state={hostWords[host.state]} />
        <Maintenance host={host} operator={operator} />
        <Leftovers host={host} />
        {host.state === 'down' ? (
          <small class="about">
            {`Last heard of ${localTime(host.seenAt, moment.zone)}, ${relativeTime(host.seenAt, moment.now)}. ` +
              `Its hypervisor ${host.hypervisor} did not answer for it since.`}
          </small>
        ) : null}
      </Cell>
      <Cell label="Group">{host.group}</Cell>
      <Cell label="Slots">
        <Use used={host.machines} of={host.slots} unit="" note="" />
      </Cell>
      <Cell label="CPUs">
        <Use
          used={host.usedCpus}
          of={room.cpus}
          unit=""
          note={room.cpus === host.cpus ? '' : `${host.cpus} real`}
        />
      </Cell>
      <Cell label="Memory">
        <Use
          used={host.usedMemoryGb}
          of={room.memoryGb}
          unit=" GB"
          note={room.memoryGb === host.memoryGb ? '' : `${host.memoryGb} GB real`}
        />
      </Cell>
    </tr>
  )
}

/** How far a host is emptied, and what an operator may do about it. */
function Maintenance({ host, operator }: Pick<RowProps, 'host' | 'operator'>) {
  const { name, drain } = host
  const at = `/hosts/${encodeURIComponent(name)}`
  if (drain === null) {
    if (!operator) return null
    return (
      <details>
        <summary>Maintenance</summary>
        <small class="about">
          Owners are told; machines are moved without a break where it can be, else saved. Nothing new is
          placed on it.
        </small>
        <Deed action={`${at}/drain`} label="Empty it" spoken={`Empty ${name}`} />
      </details>
    )
  }
  return (
    <>
      <small class="about">
        {drain.doneAt === null ? 'Its machines are leaving.' : 'Free for maintenance.'}
      </small>
      {drain.why.map(({ machine, why }) => (
        <small class="about">{`${machine} could not leave: ${why}`}</small>
      ))}
      {operator ? <Deed action={`${at}/return`} label="Take it back" spoken={`Take ${name} back`} /> : null}
      {operator ? (
        <Deed
          action={`${at}/bring-back`}
          label="Take it back, with what was on it"
          spoken={`Take ${name} back, with what was on it`}
        />
      ) : null}
    </>
  )
}

/** What it still has of machines that were deleted here; only operators are told of any. */
function Leftovers({ host }: Pick<RowProps, 'host'>) {
  const at = `/hosts/${encodeURIComponent(host.name)}/leftovers`
  return (
    <>
      {host.leftovers.map(({ ref, name, providerState }) => (
        <div>
          <small class="about">{`${name} was deleted, and is still there: ${providerState}`}</small>
          <Deed
            action={`${at}/${encodeURIComponent(ref)}/remove`}
            label="Remove what is left"
            spoken={`Remove what is left of ${name} on ${host.name}`}
          />
        </div>
      ))}
    </>
  )
}

function Deed({ action, label, spoken }: { action: string; label: string; spoken: string }) {
  return (
    <form method="post" action={action}>
      <button type="submit" class="secondary" aria-label={spoken}>
        {label}
      </button>
    </form>
  )
}

function Use({ used, of, unit, note }: { used: number; of: number; unit: string; note: string }) {
  return (
    <span class="use">
      {`${rounded(used)} of ${rounded(of)}${unit}`} {note === '' ? null : <small>{note}</small>}
      <Bar segments={[{ share: of === 0 ? 1 : used / of, kind: 'used' }]} />
    </span>
  )
}

function rounded(amount: number): number {
  return Math.round(amount * 10) / 10
}
