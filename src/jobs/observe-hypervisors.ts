import { type Instant, millis } from '../base/clock.ts'
import { messageOf, Outage } from '../base/errors.ts'
import { withDeadline } from '../base/retry.ts'
import type { Hypervisor, Inventory, MachineStatus } from '../hypervisors/hypervisor.ts'
import type { Machine } from '../machines/machine.ts'
import type { ReadTransaction, Transaction } from '../store/store.ts'
import { recordHosts, silenceHosts } from './observe-hosts.ts'
import { isNews, recordMachine, type Sight } from './observe-machine.ts'
import { every } from './sweeps.ts'
import { takeUp } from './take-up.ts'
import type { Tools } from './trade.ts'

const deadlineMillis = 20_000
/** How long a hypervisor may be silent before its machines are shown as unreachable: what manages them may be restarted. */
const patienceMillis = 120_000
const batch = 100

/** Looks at what each hypervisor has, and brings our picture of hosts and machines in line. Reports; never reverts. */
export const observeHypervisors = (paceMillis: number) => {
  const silentSince = new Map<string, Instant>()
  return every('observe-hypervisors', paceMillis, async (tools) => {
    await Promise.all(
      [...tools.hypervisors.values()].map((hypervisor) => observe(tools, hypervisor, silentSince)),
    )
  })
}

async function observe(
  tools: Tools,
  hypervisor: Hypervisor,
  silentSince: Map<string, Instant>,
): Promise<void> {
  const { name } = hypervisor
  const since = tools.clock.now()
  try {
    const inventory = await withDeadline(name, deadlineMillis, undefined, (signal) =>
      hypervisor.inventory(signal),
    )
    silentSince.delete(name)
    await record(tools, hypervisor, inventory, since)
  } catch (error) {
    if (!(error instanceof Outage)) throw error
    tools.log.warn({ hypervisor: name, error: messageOf(error) }, 'hypervisor unreachable')
    const first = silentSince.get(name) ?? since
    silentSince.set(name, first)
    await tools.store.transact((tx) => silenceHosts(tx, tools, name))
    if (millis(since) - millis(first) >= patienceMillis) await loseSight(tools, name, since)
  }
}

async function record(
  tools: Tools,
  hypervisor: Hypervisor,
  inventory: Inventory,
  since: Instant,
): Promise<void> {
  const { name } = hypervisor
  await tools.store.transact((tx) => recordHosts(tx, tools, name, inventory))
  const seen = new Map(inventory.machines.map((status) => [status.ref, status]))
  const up = new Set(inventory.hosts.filter(({ reachable }) => reachable).map((host) => host.name))
  const sightOf = ({ ref, host }: Machine): Sight => sight(seen.get(ref), { since, isUp: isUp(up, host) })
  const { news, strangers } = await tools.store.read((tx) => compare(tx, tools, name, seen, sightOf))
  await recordAll(tools, news, sightOf)
  await takeUp(tools, hypervisor, strangers, since)
}

function isUp(up: ReadonlySet<string>, host: string | null): boolean {
  return host !== null && up.has(host)
}

/** What an answer about a machine tells. Of one on a host that is silent nothing is known, whatever was said of it. */
export function sight(
  status: MachineStatus | undefined,
  { since, isUp }: { since: Instant; isUp: boolean },
): Sight {
  const moved = status !== undefined && status.power !== 'unknown' && status.power !== 'missing'
  if (moved) return { status, silent: null, since }
  const isSilent = status?.power === 'unknown' || !isUp
  return { status: undefined, silent: isSilent ? 'its host does not answer' : null, since }
}

/**
 * The machines of which there is something new to write down, and what is there that is none of ours. Most looks find
 * nothing: so this only reads.
 */
async function compare(
  tx: ReadTransaction,
  tools: Tools,
  name: string,
  seen: ReadonlyMap<string, MachineStatus>,
  sightOf: (machine: Machine) => Sight,
): Promise<{ news: string[]; strangers: MachineStatus[] }> {
  const now = tools.clock.now()
  const news: string[] = []
  const known = new Set<string>()
  const look = (machine: Machine): void => {
    known.add(machine.ref)
    if (machine.hypervisor === name && isNews(machine, sightOf(machine), now)) news.push(machine.id)
  }
  const hosts = new Set((await tx.hosts.find('hypervisor', name)).map(({ id }) => id))
  for (const id of hosts) {
    for (const machine of await tx.machines.find('host', id)) look(machine)
  }
  const strangers: MachineStatus[] = []
  for (const status of seen.values()) {
    if (known.has(status.ref)) continue
    const [machine] = await tx.machines.find('ref', status.ref)
    if (machine !== undefined && machine.state !== 'deleted') look(machine)
    else if (status.host !== null && hosts.has(status.host)) strangers.push(status)
  }
  return { news, strangers }
}

async function recordAll(
  tools: Tools,
  names: readonly string[],
  sightOf: (machine: Machine) => Sight,
): Promise<void> {
  for (let first = 0; first < names.length; first += batch) {
    await tools.store.transact(async (tx) => {
      for (const name of names.slice(first, first + batch)) await recordNamed(tx, tools, name, sightOf)
    })
  }
}

async function recordNamed(
  tx: Transaction,
  tools: Tools,
  name: string,
  sightOf: (machine: Machine) => Sight,
): Promise<void> {
  const machine = await tx.machines.get(name)
  if (machine !== undefined) await recordMachine(tx, tools, machine, sightOf(machine))
}

/** Its hypervisor has been silent for so long that nothing can be said of its machines any more. */
async function loseSight(tools: Tools, name: string, since: Instant): Promise<void> {
  const silent: Sight = { status: undefined, silent: `${name} does not answer`, since }
  const now = tools.clock.now()
  const lost = await tools.store.read(async (tx) => {
    const hosts = await tx.hosts.find('hypervisor', name)
    const machines = await Promise.all(hosts.map(({ id }) => tx.machines.find('host', id)))
    return machines.flat().filter((machine) => machine.hypervisor === name && isNews(machine, silent, now))
  })
  await recordAll(
    tools,
    lost.map(({ id }) => id),
    () => silent,
  )
}

/** Looks at one machine, about which there was a hint. */
export async function observeMachine(tools: Tools, hypervisor: Hypervisor, ref: string): Promise<void> {
  const since = tools.clock.now()
  const [known] = await tools.store.read((tx) => tx.machines.find('ref', ref))
  if (known === undefined || known.hypervisor !== hypervisor.name) return
  const status = await withDeadline(hypervisor.name, deadlineMillis, undefined, (signal) =>
    hypervisor.status(ref, signal),
  )
  await tools.store.transact(async (tx) => {
    const [machine] = await tx.machines.find('ref', ref)
    if (machine !== undefined) await recordMachine(tx, tools, machine, sight(status, { since, isUp: true }))
  })
}
