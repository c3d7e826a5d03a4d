import type { MachineStatus, Power } from '../hypervisor.ts'
import { Interfaces, type VmStatus } from './answers.ts'
import type { Cluster, Place } from './cluster.ts'
import { saidThat } from './failures.ts'
import { osIn } from './note.ts'

/** What stands still and can be gone on with: by hand, for want of disk space, after a fault, or asleep. */
const still = new Set(['paused', 'io-error', 'internal-error', 'watchdog', 'guest-panicked', 'suspended'])

/** `suspended` as a lock is saved on disk; as QEMU's word it is a guest that sleeps. */
export function powerOf({ status, qmpstatus, lock }: Pick<VmStatus, 'status' | 'qmpstatus' | 'lock'>): Power {
  if (status !== 'running') return lock === 'suspended' ? 'saved' : 'stopped'
  return qmpstatus !== undefined && still.has(qmpstatus) ? 'paused' : 'running'
}

function wordOf({ status, qmpstatus, lock, ha }: VmStatus): string {
  const word = qmpstatus ?? status
  const locked = lock === undefined ? [] : [`locked: ${lock}`]
  const guarded = ha?.managed === true ? [`HA: ${ha.state ?? 'managed'}`] : []
  const more = [...locked, ...guarded]
  return more.length === 0 ? word : `${word} (${more.join(', ')})`
}

const rdpPort = 3389

export function statusOf(place: Place, status: VmStatus, address: string | null): MachineStatus {
  const power = powerOf(status)
  const hasRdp = power === 'running' && address !== null && osIn(place.tags) === 'windows'
  const { cpus, maxmem } = status
  return {
    ref: place.ref,
    power,
    host: place.node,
    address,
    rdp: hasRdp ? { host: address, port: rdpPort } : null,
    providerState: wordOf(status),
    ...(status.name === undefined ? {} : { name: status.name }),
    ...(cpus === undefined || maxmem === undefined ? {} : { size: { cpus, memoryGb: maxmem / 2 ** 30 } }),
  }
}

export function absent(ref: string): MachineStatus {
  return { ref, power: 'missing', host: null, address: null, rdp: null, providerState: 'not there' }
}

/** Of a machine on a node that is silent nobody knows more than where it was. */
export function silent(place: Pick<Place, 'ref' | 'node'>): MachineStatus {
  return {
    ref: place.ref,
    power: 'unknown',
    host: place.node,
    address: null,
    rdp: null,
    providerState: 'node offline',
  }
}

const inner = /^(lo\d*|docker.*|br-.*|veth.*|virbr.*|cni.*|flannel.*)$/
const ownAlone = /^(127\.|169\.254\.|::1$|fe80:)/i

/**
 * The address of a guest, by its agent: the first of IPv4, else of IPv6, that others can reach. A machine that has no
 * agent is shown by its name. Null where the agent does not answer, or has no address yet.
 */
export async function addressOf(
  { client }: Pick<Cluster, 'client'>,
  place: Place,
  name: string | undefined,
  signal: AbortSignal,
): Promise<string | null> {
  const path = `/nodes/${place.node}/qemu/${place.vmid}/agent/network-get-interfaces`
  try {
    const { result } = await client.get(path, Interfaces, signal)
    const outer = result.filter((one) => !inner.test(one.name)).flatMap((one) => one['ip-addresses'])
    const usable = outer.filter((one) => !ownAlone.test(one['ip-address']))
    const chosen = usable.find((one) => one['ip-address-type'] === 'ipv4') ?? usable[0]
    return chosen?.['ip-address'] ?? null
  } catch (error) {
    signal.throwIfAborted()
    return saidThat(error, /No QEMU guest agent configured/) ? (name ?? null) : null
  }
}

/** Addresses that guests had when they were last asked: asking is slow, and lists are long. */
export interface Addresses {
  /** Asks now. */
  fresh(place: Place, status: VmStatus, signal: AbortSignal): Promise<string | null>
  /** What is known of each that runs; those that are not, and some that are known longest, are asked. */
  ofAll(
    places: readonly (Place & { status: VmStatus })[],
    signal: AbortSignal,
  ): Promise<Map<number, string | null>>
}

const askedAtOnce = 8
const askedEachTime = 32

export function addresses(world: Pick<Cluster, 'client'>): Addresses {
  // In the order of when each was asked.
  const known = new Map<number, string | null>()

  async function fresh(place: Place, status: VmStatus, signal: AbortSignal): Promise<string | null> {
    known.delete(place.vmid)
    if (powerOf(status) !== 'running') return null
    const address = await addressOf(world, place, status.name, signal)
    known.set(place.vmid, address)
    return address
  }

  return {
    fresh,
    async ofAll(places, signal) {
      const running = new Map(
        places.filter(({ status }) => powerOf(status) === 'running').map((place) => [place.vmid, place]),
      )
      for (const vmid of [...known.keys()]) if (!running.has(vmid)) known.delete(vmid)
      const unknown = [...running.values()].filter(({ vmid }) => (known.get(vmid) ?? null) === null)
      const oldest = [...known.keys()].map((vmid) => running.get(vmid)).filter((place) => place !== undefined)
      const asked = [...new Set([...unknown, ...oldest])].slice(0, askedEachTime)
      await inTurn(asked, (place) => fresh(place, place.status, signal))
      return new Map(Array.from(running.keys(), (vmid) => [vmid, known.get(vmid) ?? null]))
    },
  }
}

/** Does something with each, some at a time. */
export async function inTurn<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const left = [...items]
  await Promise.all(
    Array.from({ length: askedAtOnce }, async () => {
      for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item)
    }),
  )
}
