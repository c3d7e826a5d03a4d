import { messageOf } from '../../base/errors.ts'
import type { Figures, Hypervisor, HostStatus, MachineStatus } from '../hypervisor.ts'
import { Nothing, NodeStatus, Storages, type VmConfig, type VmStatus } from './answers.ts'
import { type Cluster, listOf, type Place } from './cluster.ts'
import { disksIn, macIn, storageOf } from './device.ts'
import { isMakeshift, namedIn, tagsIn } from './note.ts'
import { snapshotsOf } from './snapshots.ts'
import { absent, type Addresses, inTurn, powerOf, silent, statusOf } from './state.ts'

interface Parts {
  world: Cluster
  addresses: Addresses
}

/** What there is, and how it does. */
export function looking(parts: Parts): Pick<Hypervisor, 'inventory' | 'status' | 'figures'> {
  const { world, addresses } = parts
  return {
    async inventory(signal) {
      signal.throwIfAborted()
      const nodes = await world.nodes(signal)
      const ours = world.rule.hosts.map(({ name }) => name)
      const up = ours.filter((name) => nodes.get(name)?.isUp === true)
      const [hosts, machines] = await Promise.all([
        hostsOf(world, nodes, up, signal),
        machinesOf(parts, ours, up, signal),
      ])
      return { hosts, machines }
    },
    async status(ref, signal) {
      signal.throwIfAborted()
      const found = await world.find(ref, signal)
      if (found === undefined) return absent(ref)
      if (!found.isUp) return silent(found)
      const status = await world.status(found, signal)
      return statusOf(found, status, await addresses.fresh(found, status, signal))
    },
    async figures(ref, signal) {
      signal.throwIfAborted()
      const place = await world.machine(ref, signal)
      return figuresOf(world, place, signal)
    },
  }
}

type NodesUp = Awaited<ReturnType<Cluster['nodes']>>

async function hostsOf(
  world: Cluster,
  nodes: NodesUp,
  up: readonly string[],
  signal: AbortSignal,
): Promise<HostStatus[]> {
  const places = await templatePlaces(world, up, signal)
  return Promise.all(
    world.rule.hosts.map(async ({ name, group, slots }) => {
      const { cpus = 0, memoryGb = 0 } = nodes.get(name) ?? {}
      const isUp = up.includes(name)
      const facts = isUp
        ? await world.client.get(`/nodes/${name}/status`, NodeStatus, signal).catch(() => undefined)
        : undefined
      signal.throwIfAborted()
      const cpu = facts?.cpuinfo?.model
      return {
        name,
        group,
        slots,
        cpus,
        memoryGb,
        version: facts?.pveversion?.replace(/^pve-manager\/([^/]*).*$/, 'Proxmox VE $1') ?? 'Proxmox VE',
        reachable: isUp,
        templates: Object.keys(world.rule.templates).filter(
          (template) => places.get(template)?.has(name) === true,
        ),
        ...(cpu === undefined ? {} : { cpu }),
      }
    }),
  )
}

/** Where machines can be made from each template: on its own node, and on all when its disks are on shared storage. */
async function templatePlaces(
  world: Cluster,
  up: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, Set<string>>> {
  const rows = new Map((await world.resources(signal)).map((row) => [row.vmid, row]))
  const found = await Promise.all(
    Object.entries(world.rule.templates).map(async ([template, { vmid }]): Promise<[string, Set<string>]> => {
      if (typeof vmid !== 'number') {
        return [
          template,
          new Set(Object.keys(vmid).filter((node) => rows.get(vmid[node] ?? 0)?.node === node)),
        ]
      }
      const row = rows.get(vmid)
      if (row === undefined || !up.includes(row.node)) return [template, new Set()]
      const isShared = await onSharedStorage(world, { ref: template, ...row, tags: [] }, signal)
      return [template, new Set(isShared ? up : [row.node])]
    }),
  )
  return new Map(found)
}

async function onSharedStorage(world: Cluster, place: Place, signal: AbortSignal): Promise<boolean> {
  const [config, storages] = await Promise.all([
    world.config(place, signal),
    world.client.get(`/nodes/${place.node}/storage`, Storages, signal),
  ])
  const shared = new Set(storages.filter((one) => one.shared).map(({ storage }) => storage))
  return disksIn(config).every(({ volume }) => shared.has(storageOf(volume)))
}

async function machinesOf(
  { world, addresses }: Parts,
  ours: readonly string[],
  up: readonly string[],
  signal: AbortSignal,
): Promise<MachineStatus[]> {
  const lists = await Promise.all(up.map((node) => listOf(world.client, node, signal)))
  const shown = lists.flat().filter(({ status, tags, vmid, ref, name }) => {
    const isImage = namedIn('image', tags, vmid) !== undefined
    const isOthersInTheMaking = ref === undefined && /^(clone|create)$/.test(status.lock ?? '')
    return !status.template && !isImage && !isMakeshift(name) && !isOthersInTheMaking
  })
  const here: (Place & { status: VmStatus })[] = []
  await inTurn(shown, async (row) => {
    const ref = row.ref ?? (await world.others.refOf(row, signal))
    if (ref !== undefined) here.push({ ...row, ref })
  })
  here.sort((a, b) => a.vmid - b.vmid)
  const known = await addresses.ofAll(here, signal)
  const answering = here.map((place) => statusOf(place, place.status, known.get(place.vmid) ?? null))
  const down = ours.filter((name) => !up.includes(name))
  if (down.length === 0) return answering
  const rows = (await world.resources(signal)).filter(({ node }) => down.includes(node))
  const quiet = rows.flatMap(({ node, vmid, tags: text }) => {
    const tags = tagsIn(text)
    if (namedIn('image', tags, vmid) !== undefined) return []
    const ref = namedIn('ref', tags, vmid) ?? world.others.known(vmid)
    return ref === undefined ? [] : [silent({ node, ref })]
  })
  return [...answering, ...quiet]
}

/** Each part is asked for by itself: one that gives no answer is a problem in words, and hides none of the others. */
async function figuresOf(world: Cluster, place: Place, signal: AbortSignal): Promise<Figures> {
  const status = await world.status(place, signal)
  const runs = powerOf(status) === 'running'
  const problems: string[] = []
  const asked = async <T>(what: string, otherwise: T, ask: () => Promise<T>): Promise<T> => {
    try {
      return await ask()
    } catch (error) {
      signal.throwIfAborted()
      problems.push(`${what}: ${messageOf(error)}`)
      return otherwise
    }
  }
  const [config, snapshots, heartbeat] = await Promise.all([
    asked<VmConfig>('disks and adapters', {}, () => world.config(place, signal)),
    asked('snapshots', [], () => snapshotsOf(world, place, signal)),
    runs && status.agent === true ? pulse(world, place, signal) : ('none' as const),
  ])
  return {
    uptimeSeconds: runs ? status.uptime : null,
    cpuLoad: runs ? Math.min(1, status.cpu ?? 0) : null,
    memoryUsedGb: runs && status.mem !== undefined ? status.mem / 2 ** 30 : null,
    heartbeat,
    disks: disksIn(config).map(({ slot, sizeGb }) => ({
      name: slot,
      sizeGb,
      ...diskTraffic(status, slot, runs),
    })),
    networks: adaptersIn(config, status, place.vmid, runs),
    snapshots: snapshots.map(({ name, takenAt }) => ({ name, takenAt })),
    // The API gives no picture of a screen.
    thumbnail: null,
    problems,
  }
}

async function pulse({ client }: Cluster, place: Place, signal: AbortSignal): Promise<'ok' | 'lost'> {
  try {
    await client.post(`/nodes/${place.node}/qemu/${place.vmid}/agent/ping`, Nothing, signal)
    return 'ok'
  } catch {
    signal.throwIfAborted()
    return 'lost'
  }
}

function diskTraffic(status: VmStatus, slot: string, runs: boolean) {
  const { rd_bytes: readBytes = null, wr_bytes: writtenBytes = null } = status.blockstat?.[slot] ?? {}
  return runs ? { readBytes, writtenBytes } : { readBytes: null, writtenBytes: null }
}

/** What the guest takes in is `netin` of the tap device of its adapter. */
function adaptersIn(config: VmConfig, status: VmStatus, vmid: number, runs: boolean): Figures['networks'] {
  return Object.entries(config)
    .filter(([key]) => /^net\d+$/.test(key))
    .map(([name, line]) => {
      const { netin = null, netout = null } = status.nics?.[`tap${vmid}i${name.slice(3)}`] ?? {}
      const traffic = runs
        ? { receivedBytes: netin, sentBytes: netout }
        : { receivedBytes: null, sentBytes: null }
      return { name, mac: macIn(line), ...traffic }
    })
}
