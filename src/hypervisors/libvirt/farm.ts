import type { Clock } from '../../base/clock.ts'
import { Outage } from '../../base/errors.ts'
import type { HostStatus, Inventory, MachineSpec, MachineStatus, Power } from '../hypervisor.ts'
import { hostUnreachable, machineMissing, refused } from '../outages.ts'
import { address, count, domains, fact, facts, lines, power, yes } from './answers.ts'
import { type Disks, disks } from './disks.ts'
import { hostFacts } from './hosts.ts'
import { type Kept, machineSpace, parseKept, refOf, uuidOf } from './naming.ts'
import type { LibvirtRule, LibvirtTemplate } from './rule.ts'
import { outageOf, type Virsh, virsh } from './virsh.ts'

/** A machine where it was found. */
export interface Found {
  at: Virsh
  ref: string
  uuid: string
  name: string
  power: Power
  /** libvirt's words for its state, such as `running (booted)`. */
  words: string
  cpus: number
  memoryKib: number
  /** What we keep with it; nothing where others made it. */
  kept: Kept | undefined
}

/** All hosts of one hypervisor. Which of them has a machine is asked each time; what was seen last is only a hint. */
export interface Farm {
  readonly rule: LibvirtRule
  readonly stages: readonly string[]
  readonly clock: Clock
  readonly disks: Disks
  host(name: string): Virsh
  hosts(): readonly Virsh[]
  /** What a host is, and how many machines it holds. */
  describe(at: Virsh, signal: AbortSignal): Promise<HostStatus & { machines: number }>
  template(name: string): LibvirtTemplate
  /** @throws Outage `host_unreachable` where a host that does not answer may have it. */
  find(ref: string, signal: AbortSignal): Promise<Found | undefined>
  /** @throws Outage `machine_missing`. */
  machine(ref: string, signal: AbortSignal): Promise<Found>
  /** Looks again at a machine where it was. */
  look(at: Virsh, ref: string, signal: AbortSignal): Promise<Found | undefined>
  /** Carries out one command of `virsh` on a machine. */
  tell(found: Found, signal: AbortSignal, words: readonly string[], deadlineMillis?: number): Promise<string>
  status(found: Found, signal: AbortSignal): Promise<MachineStatus>
  lastSeen(ref: string): MachineStatus | undefined
  forget(ref: string): void
  inventory(signal: AbortSignal): Promise<Inventory>
}

export function openFarm(rule: LibvirtRule, stages: readonly string[], clock: Clock): Farm {
  const hosts = rule.hosts.map(virsh)
  const files = disks(rule.folder)
  const seen = new Map<string, MachineStatus>()
  const describeHost = hostFacts(rule)

  function host(name: string): Virsh {
    const known = hosts.find((one) => one.host.name === name)
    if (known === undefined) throw refused(`There is no host ${name}.`)
    return known
  }

  async function look(at: Virsh, ref: string, signal: AbortSignal): Promise<Found | undefined> {
    const uuid = uuidOf(ref)
    const { texts, errors } = await at.ask(signal, questions(uuid))
    if (texts[0] === null && !/failed to get domain|Domain not found/.test(errors))
      throw hostUnreachable(at.host.name)
    return texts[0] === null ? undefined : found(at, texts)
  }

  async function find(ref: string, signal: AbortSignal): Promise<Found | undefined> {
    const hinted = hosts.find((one) => one.host.name === seen.get(ref)?.host)
    if (hinted !== undefined) {
      const there = await look(hinted, ref, signal).catch((error: unknown) => orSilent(error))
      if (there !== undefined) return there
    }
    const asked = await Promise.allSettled(hosts.map((at) => look(at, ref, signal)))
    signal.throwIfAborted()
    const places = asked.flatMap((one) => (one.status === 'fulfilled' && one.value ? [one.value] : []))
    // On its way it is on two: where it runs is where it is.
    const place = places.find((one) => one.power === 'running') ?? places[0]
    const silent = asked.find((one) => one.status === 'rejected')
    if (place === undefined && silent !== undefined) throw silent.reason
    return place
  }

  async function machine(ref: string, signal: AbortSignal): Promise<Found> {
    const place = await find(ref, signal)
    if (place === undefined) throw machineMissing(ref)
    return place
  }

  async function status(place: Found, signal: AbortSignal): Promise<MachineStatus> {
    const { ref, kept } = place
    const to = await addressOf(rule, place, signal)
    const isWhole = kept === undefined || kept.made >= stages.length
    const hasRdp = kept?.os === 'windows' && place.power === 'running' && to !== null
    const known: MachineStatus = {
      ref,
      power: place.power,
      host: place.at.host.name,
      address: to,
      rdp: hasRdp ? { host: to, port: 3389 } : null,
      providerState: isWhole ? place.words : `${place.words}, under creation: ${stages[kept.made] ?? ''}`,
      name: place.name,
      size: { cpus: place.cpus, memoryGb: place.memoryKib / 2 ** 20 },
    }
    seen.set(ref, known)
    return known
  }

  async function machinesOf(at: Virsh, signal: AbortSignal): Promise<MachineStatus[]> {
    const listing = (await at.ask(signal, ['list --all --uuid --name'])).texts[0] ?? ''
    const all: MachineStatus[] = []
    for (const some of chunks(domains(listing), 100)) {
      const { texts, errors } = await at.ask(
        signal,
        some.flatMap(({ uuid }) => questions(uuid)),
      )
      for (const [index] of some.entries()) {
        const own = texts.slice(index * perMachine, (index + 1) * perMachine)
        if (own[0] !== null && own[0] !== undefined) all.push(await status(found(at, own), signal))
        else if (!/failed to get domain/.test(errors)) throw hostUnreachable(at.host.name)
      }
    }
    return all
  }

  async function inventory(signal: AbortSignal): Promise<Inventory> {
    const each = await Promise.all(
      hosts.map(async (at) => {
        const facts = await describeHost(at, signal)
        const silent = { facts: { ...facts, reachable: false }, machines: lastOf(at.host.name) }
        if (!facts.reachable) return silent
        const machines = await machinesOf(at, signal).catch((error: unknown) => orSilent(error))
        if (machines === undefined) return silent
        forgetGone(at.host.name, machines)
        return { facts, machines }
      }),
    )
    return { hosts: each.map(({ facts }) => facts), machines: once(each.flatMap(({ machines }) => machines)) }
  }

  /** What a host that answers does not list is there no more. */
  function forgetGone(name: string, machines: readonly MachineStatus[]): void {
    const there = new Set(machines.map(({ ref }) => ref))
    for (const [ref, known] of seen) if (known.host === name && !there.has(ref)) seen.delete(ref)
  }

  function lastOf(name: string): MachineStatus[] {
    const last = [...seen.values()].filter((known) => known.host === name)
    return last.map((known) => ({ ...known, ...silence }))
  }

  return {
    rule,
    stages,
    clock,
    disks: files,
    host,
    hosts: () => hosts,
    template(name) {
      const known = Object.hasOwn(rule.templates, name) ? rule.templates[name] : undefined
      if (known === undefined) throw refused(`Hypervisor ${rule.name} has no template ${name}.`)
      return known
    },
    async describe(at, signal) {
      const known = await describeHost(at, signal)
      if (!known.reachable) return { ...known, machines: 0 }
      const { texts } = await at.ask(signal, ['list --all --uuid'])
      return { ...known, machines: lines(texts[0] ?? '').length }
    },
    find,
    machine,
    look,
    async tell(place, signal, words, deadlineMillis) {
      const [command = '', ...rest] = words
      try {
        return await place.at.call(signal, [command, place.uuid, ...rest], deadlineMillis)
      } catch (error) {
        throw outageOf(error, place.ref)
      }
    },
    status,
    lastSeen: (ref) => seen.get(ref),
    forget: (ref) => seen.delete(ref),
    inventory,
  }
}

export const silence = { power: 'unknown', providerState: 'its host does not answer' } as const

const perMachine = 3

/** What is asked of a machine each time. */
function questions(uuid: string): string[] {
  return [`dominfo ${uuid}`, `domstate ${uuid} --reason`, `metadata ${uuid} --uri ${machineSpace}`]
}

function found(at: Virsh, [info, state, metadata]: readonly (string | null)[]): Found {
  const known = facts(info ?? '')
  const [uuid, name] = [fact(known, 'UUID'), fact(known, 'Name')]
  const words = lines(state ?? '')[0] ?? ''
  return {
    at,
    uuid,
    name,
    ref: refOf({ uuid, name }),
    power: power(words, yes(fact(known, 'Managed save'))),
    words: yes(fact(known, 'Managed save')) ? `${words}, memory kept` : words,
    cpus: count(known, 'CPU(s)'),
    memoryKib: count(known, 'Max memory'),
    kept: parseKept(metadata ?? ''),
  }
}

async function addressOf(rule: LibvirtRule, place: Found, signal: AbortSignal): Promise<string | null> {
  const { kept, power: now } = place
  const { from, domain } = rule.address
  if (kept === undefined) return null
  if (from === 'name') return domain === undefined ? kept.name : `${kept.name}.${domain}`
  if (now !== 'running') return null
  const { texts } = await place.at.ask(signal, [`domifaddr ${place.uuid} --source ${from}`])
  return address(texts[0] ?? '', kept.mac)
}

/** A host that does not answer is nothing found; anything else is still an error. */
function orSilent(error: unknown): undefined {
  if (error instanceof Outage && error.code === 'host_unreachable') return undefined
  throw error
}

function chunks<T>(all: readonly T[], size: number): T[][] {
  const count = Math.ceil(all.length / size)
  return Array.from({ length: count }, (_, index) => all.slice(index * size, (index + 1) * size))
}

/** A machine on its way is on two hosts: it is where it runs. */
function once(all: readonly MachineStatus[]): MachineStatus[] {
  const byRef = new Map<string, MachineStatus>()
  for (const one of all) {
    if (byRef.get(one.ref)?.power !== 'running') byRef.set(one.ref, one)
  }
  return [...byRef.values()]
}

/** The part of a spec that is kept with its domain. */
export function keptOf(spec: MachineSpec, made: number): Kept {
  const { ref, name, template, os, mac, administrators, image, data, blank, isolated } = spec
  return {
    ...{ ref, name, template, os, mac, made },
    administrators: administrators.map(({ user, keys }) => ({ user, keys: [...keys] })),
    ...(image === undefined ? {} : { image }),
    ...(data === undefined ? {} : { data }),
    ...(blank === undefined ? {} : { blank }),
    ...(isolated === undefined ? {} : { isolated }),
  }
}
