import type { Hypervisor, MachineSpec } from '../hypervisor.ts'
import { hostUnreachable, refused } from '../outages.ts'
import { checkGuest } from '../seed/guest.ts'
import { accessParams, staleSeeds } from './access.ts'
import { MaybeUpid, Nothing, Snapshots } from './answers.ts'
import type { Params } from './client.ts'
import type { Cluster, Place } from './cluster.ts'
import { adapterLine, disksIn, storageOf } from './device.ts'
import { saidThat } from './failures.ts'
import { describe, type Note, noteIn, tagsIn, tagsOf, workingName } from './note.ts'
import type { Switches } from './power.ts'
import { cleanCopy } from './snapshots.ts'
import { type Addresses, powerOf } from './state.ts'
import { finished } from './task.ts'

/** What making a machine consists of, in order. */
export const stages = [
  'copying the disk',
  'setting size, network and access',
  'keeping a clean copy',
  'booting',
  'waiting for the guest',
] as const

const guestPauseMillis = 2000

interface Parts {
  world: Cluster
  switches: Switches
  addresses: Addresses
}

/** Makes machines, stage by stage. */
export function making(parts: Parts): Pick<Hypervisor, 'provision'> {
  const work: Record<
    (typeof stages)[number],
    (made: Place, spec: MachineSpec, signal: AbortSignal) => Promise<void>
  > = {
    'copying the disk': async () => {},
    'setting size, network and access': (place, spec, signal) => dress(parts.world, place, spec, signal),
    'keeping a clean copy': (place, spec, signal) => keepClean(parts.world, place, spec, signal),
    booting: (place, _spec, signal) => parts.switches.start(place, signal),
    'waiting for the guest': (place, spec, signal) => welcome(parts, place, spec, signal),
  }
  return {
    async provision(spec, stage, signal) {
      signal.throwIfAborted()
      const known = stages.find((name) => name === stage)
      if (known === undefined) throw refused(`Proxmox VE has no stage "${stage}".`)
      const place = await placed(parts.world, spec, known === stages[0], signal)
      const { note } = await parts.world.noted(place, signal)
      if (!note.made) await work[known](place, spec, signal)
      signal.throwIfAborted()
    },
  }
}

/** The machine of a spec; it is made where that is asked for. What was begun earlier is gone on with. */
async function placed(
  world: Cluster,
  spec: MachineSpec,
  isFirst: boolean,
  signal: AbortSignal,
): Promise<Place> {
  const { ref, host } = spec
  if (!world.rule.hosts.some(({ name }) => name === host))
    throw refused(`${world.rule.name} has no host ${host}.`)
  const found = await world.find(ref, signal)
  if (found !== undefined) {
    if (!found.isUp) throw hostUnreachable(found.node)
    return found
  }
  if (!isFirst) throw refused(`Machine ${ref} has not been begun.`)
  if ((await world.nodes(signal)).get(host)?.isUp !== true) throw hostUnreachable(host)
  checkGuest(spec)
  const [begun] = await world.begun('machine', ref, signal)
  const place = begun ?? (await begin(world, spec, signal))
  await adopt(world, place, spec, signal)
  return place
}

async function begin(world: Cluster, spec: MachineSpec, signal: AbortSignal): Promise<Place> {
  const { ref, host, blank } = spec
  const common = { description: describe(noteOf(spec)), pool: world.rule.pool }
  if (blank !== undefined) {
    const params = { ...common, ...blankParams(world, spec, blank) }
    const vmid = await world.withFreeId(signal, async (free) => {
      const upid = await world.client.post(`/nodes/${host}/qemu`, MaybeUpid, signal, {
        vmid: free,
        ...params,
      })
      await finished(world, upid, ref, signal)
    })
    return { ref, node: host, vmid, tags: [] }
  }
  const source = await sourceOf(world, spec, signal)
  const target = source.node === host ? {} : { target: host }
  const vmid = await world.withFreeId(signal, (newid) =>
    world.act({ ...source, ref }, 'clone', signal, {
      newid,
      name: workingName('machine', ref),
      full: false,
      ...target,
      ...common,
    }),
  )
  return { ref, node: host, vmid, tags: source.tags }
}

/** What its disk is made from: an image of the library, or the template VM of its host. */
async function sourceOf(world: Cluster, spec: MachineSpec, signal: AbortSignal): Promise<Omit<Place, 'ref'>> {
  const { image, template, host } = spec
  if (image !== undefined) return imageNamed(world, image, signal)
  const known = world.rule.templates[template]
  const ids = known?.vmid
  const vmid = typeof ids === 'object' ? ids[host] : ids
  if (vmid === undefined) throw refused(`${world.rule.name} has no template ${template} for host ${host}.`)
  const row = (await world.resources(signal)).find((one) => one.vmid === vmid)
  if (row === undefined)
    throw refused(`Template ${template} is VM ${vmid}, and there is none of that number.`)
  return { node: row.node, vmid, tags: tagsIn(row.tags) }
}

export async function imageNamed(world: Cluster, image: string, signal: AbortSignal): Promise<Place> {
  const found = (await world.images(signal)).find((one) => one.ref === image && !one.isGone)
  if (found === undefined) throw refused(`There is no image ${image}.`)
  return found
}

function noteOf({ ref, os, name, cpus, memoryGb, image }: MachineSpec): Note {
  return { ref, os, name, cpus, memoryGb, made: false, ...(image === undefined ? {} : { image }) }
}

/** Gives it its name and our tags, by which it is found from now on. */
async function adopt(world: Cluster, place: Place, spec: MachineSpec, signal: AbortSignal): Promise<void> {
  const { ref, os, name } = spec
  const tags = tagsOf('ref', { ref, vmid: place.vmid, os }, place.tags)
  await configure(world, place, signal, { name, tags, description: describe(noteOf(spec)) })
}

/** An empty disk, on a bus that every guest can boot from; Windows brings no drivers for the quicker ones. */
function blankParams(world: Cluster, spec: MachineSpec, blank: NonNullable<MachineSpec['blank']>): Params {
  const { storage, discs } = world.rule
  const { disc, diskGb } = blank
  if (storage === undefined) throw refused(`Name a storage for empty disks as storage of ${world.rule.name}.`)
  const volume = disc === null ? null : discs[disc]
  if (volume === undefined) throw refused(`${world.rule.name} has no disc ${disc ?? ''}.`)
  const [slot, kind] =
    spec.os === 'linux' ? ['scsi0', 'l26'] : ['sata0', spec.os === 'windows' ? 'win11' : 'other']
  return {
    name: workingName('machine', spec.ref),
    ostype: kind,
    scsihw: 'virtio-scsi-single',
    [slot]: `${storage}:${Math.ceil(diskGb)}`,
    ...(volume === null ? {} : { ide2: `${volume},media=cdrom` }),
    net0: adapterLine(undefined, adapterOf(world, spec)),
    boot: `order=${slot};${volume === null ? 'net0' : 'ide2'}`,
    serial0: 'socket',
    cores: spec.cpus,
    memory: Math.round(spec.memoryGb * 1024),
  }
}

function adapterOf({ rule: { network } }: Cluster, spec: MachineSpec) {
  const isIsolated = spec.isolated === true
  return {
    mac: spec.mac,
    bridge: isIsolated ? (network.isolatedBridge ?? network.bridge) : network.bridge,
    vlan: isIsolated ? undefined : network.vlan,
    isPulled: isIsolated && network.isolatedBridge === undefined,
    model: spec.os === 'linux' ? 'virtio' : 'e1000',
  }
}

/** Everything that is set before the first boot. */
async function dress(world: Cluster, place: Place, spec: MachineSpec, signal: AbortSignal): Promise<void> {
  const config = await world.config(place, signal)
  const access = spec.blank === undefined ? await accessParams(world.rule, spec, config, signal) : {}
  const size = sizeParams(config, spec)
  const stale = staleSeeds(config).filter((key) => !(key in access))
  const gone = [...stale, ...(size.delete === undefined ? [] : [String(size.delete)])]
  await configure(world, place, signal, {
    ...size,
    net0: adapterLine(config.net0, adapterOf(world, spec)),
    ...access,
    delete: gone.length === 0 ? undefined : gone.join(','),
  })
  if (spec.data !== undefined) await putBeside(world, place, spec.data, signal)
}

/** A balloon that is larger than the memory would be refused. */
export function sizeParams(
  config: Readonly<Record<string, string>>,
  size: { cpus: number; memoryGb: number },
): Params {
  const memory = Math.round(size.memoryGb * 1024)
  const isTight = Number(config.balloon ?? 0) > memory
  return { sockets: 1, cores: size.cpus, memory, ...(isTight ? { delete: 'balloon' } : {}) }
}

const besideSlot = 'scsi9'

/** A copy of an image's disk as a second one. */
async function putBeside(world: Cluster, place: Place, image: string, signal: AbortSignal): Promise<void> {
  const config = await world.config(place, signal)
  if (config[besideSlot] !== undefined) return
  const source = await imageNamed(world, image, signal)
  const [disk] = disksIn(await world.config(source, signal))
  if (disk === undefined) throw refused(`Image ${image} has no disk.`)
  const storage = world.rule.library ?? storageOf(disk.volume)
  await world.act(place, 'config', signal, { [besideSlot]: `${storage}:0,import-from=${disk.volume}` })
}

/** What `restoreClean` goes back to. Storages without snapshots have none, and then it says so. */
async function keepClean(
  world: Cluster,
  place: Place,
  spec: MachineSpec,
  signal: AbortSignal,
): Promise<void> {
  const { note } = await world.noted(place, signal)
  if (note.clean !== undefined || spec.blank !== undefined) return
  const path = `/nodes/${place.node}/qemu/${place.vmid}/snapshot`
  const known = await world.client.get(path, Snapshots, signal)
  if (!known.some(({ name }) => name === cleanCopy)) {
    try {
      await world.act(place, 'snapshot', signal, { snapname: cleanCopy, vmstate: false })
    } catch (error) {
      if (!saidThat(error, /snapshot feature is not available/)) throw error
      return configure(world, place, signal, { description: describe({ ...note, clean: false }) })
    }
  }
  await configure(world, place, signal, { description: describe({ ...note, clean: true }) })
}

/** Waits until the guest's agent answers and says an address, then writes down that the machine is made. */
async function welcome(parts: Parts, place: Place, spec: MachineSpec, signal: AbortSignal): Promise<void> {
  if (spec.blank === undefined) await answered(parts, place, signal)
  const { config } = await parts.world.noted(place, signal)
  const note = noteIn(config.description) ?? noteOf(spec)
  await configure(parts.world, place, signal, { description: describe({ ...note, made: true }) })
}

/** Waits until the guest can be reached. A machine without an agent cannot say so, and is not waited for. */
export async function answered(
  { world, addresses }: Parts,
  place: Place,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const status = await world.status(place, signal)
    if (powerOf(status) !== 'running' || status.agent !== true) return
    if ((await addresses.fresh(place, status, signal)) !== null) return
    await mayAsk(world, place, signal)
    const { net0 = '' } = await world.config(place, signal)
    if (/link_down=1/.test(net0)) return
    await world.sleep(guestPauseMillis, signal)
  }
}

/** Who may not ask the agent would wait in vain. */
async function mayAsk({ client }: Cluster, place: Place, signal: AbortSignal): Promise<void> {
  try {
    await client.post(`/nodes/${place.node}/qemu/${place.vmid}/agent/ping`, Nothing, signal)
  } catch (error) {
    if (saidThat(error, /Permission check failed/)) throw error
  }
}

export async function configure(
  world: Cluster,
  place: Place,
  signal: AbortSignal,
  params: Params,
): Promise<void> {
  await world.client.put(`/nodes/${place.node}/qemu/${place.vmid}/config`, Nothing, signal, params)
}
