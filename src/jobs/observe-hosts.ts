import type { Inventory } from '../hypervisors/hypervisor.ts'
import type { Host } from '../machines/host.ts'
import { counted, list } from '../base/text.ts'
import type { Transaction } from '../store/store.ts'
import { deskOf } from './facts.ts'
import { tell } from './outbox.ts'
import type { Tools } from './trade.ts'

/** Puts the hosts of a hypervisor into the books, and tells operators which have fallen silent or answer again. */
export async function recordHosts(
  tx: Transaction,
  tools: Tools,
  name: string,
  { hosts }: Pick<Inventory, 'hosts'>,
): Promise<void> {
  const rule = tools.site.hypervisors.find((known) => known.name === name)
  const overcommit = rule?.overcommit ?? { cpus: 1, memory: 1 }
  const now = tools.clock.now()
  const changed: [Host, Host][] = []
  for (const { name: id, reachable, templates, ...facts } of hosts) {
    const known = await tx.hosts.get(id)
    const up = known?.drain === undefined ? 'up' : 'draining'
    const host: Host = {
      ...facts,
      id,
      hypervisor: name,
      overcommit,
      state: reachable ? up : 'down',
      seenAt: reachable ? now : (known?.seenAt ?? now),
      ...(templates === undefined ? {} : { templates: [...templates] }),
      ...(known?.leftovers === undefined ? {} : { leftovers: known.leftovers }),
      ...(known?.drain === undefined ? {} : { drain: known.drain }),
    }
    // That it was seen again is no news worth a write.
    if (known !== undefined && sameApartFromTime(known, host)) continue
    await tx.hosts.put(host)
    if (known !== undefined) changed.push([known, host])
  }
  await tellChanges(tx, tools, [...changed, ...(await dropUnlisted(tx, name, hosts))])
}

/** A host that its hypervisor does not name any more is forgotten once nothing is on it; until then it is down. */
async function dropUnlisted(
  tx: Transaction,
  name: string,
  listed: Inventory['hosts'],
): Promise<[Host, Host][]> {
  const names = new Set(listed.map((host) => host.name))
  const down: [Host, Host][] = []
  for (const host of await tx.hosts.find('hypervisor', name)) {
    if (names.has(host.id)) continue
    if ((await tx.machines.count('host', host.id)) === 0) await tx.hosts.remove(host.id)
    else down.push(...(await silenced(tx, host)))
  }
  return down
}

/** None of the hosts of a hypervisor that does not answer takes anything. */
export async function silenceHosts(tx: Transaction, tools: Tools, hypervisor: string): Promise<void> {
  const changed: [Host, Host][] = []
  for (const host of await tx.hosts.find('hypervisor', hypervisor)) {
    changed.push(...(await silenced(tx, host)))
  }
  await tellChanges(tx, tools, changed)
}

async function silenced(tx: Transaction, host: Host): Promise<[Host, Host][]> {
  if (host.state === 'down') return []
  const down: Host = { ...host, state: 'down' }
  await tx.hosts.put(down)
  return [[host, down]]
}

function sameApartFromTime(a: Host, b: Host): boolean {
  const order = (host: Host) => JSON.stringify(Object.entries({ ...host, seenAt: '' }).sort(byKey))
  return order(a) === order(b)
}

function byKey([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : 1
}

async function tellChanges(
  tx: Transaction,
  tools: Tools,
  changed: readonly (readonly [Host, Host])[],
): Promise<void> {
  // One that is being maintained may be switched off without anybody being alarmed.
  const news = changed.filter(([, after]) => after.drain === undefined)
  const down = news.filter(([before, after]) => before.state !== 'down' && after.state === 'down')
  const up = news.filter(([before, after]) => before.state === 'down' && after.state !== 'down')
  const say = async (kind: 'host-down' | 'host-up', hosts: typeof changed, end: string): Promise<void> => {
    const [first] = hosts
    if (first === undefined) return
    const about = { kind: 'host', id: first[1].id } as const
    const text = `${named(hosts.map(([, { id }]) => id))} ${end}`
    await tell(deskOf(tools, tx), { kind, about, to: [...tools.site.roles.operator], text })
  }
  const silence = down.length === 1 ? 'does' : 'do'
  await say(
    'host-down',
    down,
    `${silence} not answer. Nothing is placed there, and machines there are shown as unreachable until it answers.`,
  )
  await say('host-up', up, `${up.length === 1 ? 'answers' : 'answer'} again.`)
}

function named(names: readonly string[]): string {
  const shown = names.slice(0, 5)
  const rest = names.length - shown.length
  return list(rest === 0 ? shown : [...shown, counted(rest, 'more host')])
}
