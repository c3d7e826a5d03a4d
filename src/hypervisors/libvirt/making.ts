import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Hypervisor, MachineSpec } from '../hypervisor.ts'
import { hostUnreachable, machineMissing, refused } from '../outages.ts'
import { domainXml, keptElement } from './domain-xml.ts'
import { type Farm, type Found, keptOf } from './farm.ts'
import { type Kept, machineSpace, uuidOf } from './naming.ts'
import { powerOff, started } from './power.ts'
import { untilReady } from './ready.ts'
import { LibvirtTemplate } from './rule.ts'
import { seedKind, writeSeed } from './seed.ts'
import { outageOf, type Virsh } from './virsh.ts'

/** What making a machine consists of, in order. */
export const libvirtStages = [
  'copying the disk',
  'writing what its first boot asks',
  'booting',
  'setting up access',
] as const
type Stage = (typeof libvirtStages)[number]

type Making = Pick<Hypervisor, 'provision' | 'restoreClean' | 'remove'>

export function making(farm: Farm): Making {
  const work: Readonly<
    Record<Stage, (found: Found, spec: MachineSpec, signal: AbortSignal) => Promise<void>>
  > = {
    'copying the disk': (_found, spec, signal) => makeDisks(farm, spec, signal),
    'writing what its first boot asks': (_found, spec, signal) => makeSeed(farm, spec, signal),
    booting: (found, _spec, signal) => started(farm, found, signal),
    'setting up access': (found, spec, signal) => untilReady(farm, found, templateOf(farm, spec), signal),
  }

  return {
    async provision(spec, stage, signal) {
      signal.throwIfAborted()
      const index = libvirtStages.findIndex((name) => name === stage)
      const name = libvirtStages[index]
      if (name === undefined) throw refused(`There is no provisioning stage "${stage}".`)
      const known = await farm.find(spec.ref, signal)
      if (known === undefined && index > 0) throw machineMissing(spec.ref)
      const found = known ?? (await define(farm, spec, signal))
      const made = found.kept?.made ?? libvirtStages.length
      if (made > index) return
      if (made < index) throw refused(`Machine ${spec.ref} is not yet ready for "${stage}".`)
      await work[name](found, spec, signal)
      await note(farm, found, { ...keptOf(spec, index + 1) }, signal)
    },
    async restoreClean(ref, signal) {
      const found = await farm.machine(ref, signal)
      const kept = whole(found)
      await powerOff(farm, found, signal)
      await forgetSnapshots(farm, found, signal)
      await makeDisks(farm, kept, signal, 'anew')
      const off = await farm.machine(ref, signal)
      await started(farm, off, signal)
      await untilReady(farm, off, templateOf(farm, kept), signal)
    },
    remove: (ref, signal) => remove(farm, ref, signal),
  }
}

/** A machine that we made, and whose making is over: any other takes no orders about what it consists of. */
export function whole(found: Found): Kept {
  const { kept, ref } = found
  if (kept === undefined)
    throw refused(`Machine ${ref} was made by others: what it consists of is not known.`)
  if (kept.made < libvirtStages.indexOf('setting up access'))
    throw refused(`Machine ${ref} is being made.`, { transient: true })
  return kept
}

function templateOf(
  farm: Farm,
  { template, image, blank }: { template: string; image?: string | undefined; blank?: Kept['blank'] },
): LibvirtTemplate | undefined {
  if (blank !== undefined) return undefined
  const isBroughtIn = image !== undefined && !Object.hasOwn(farm.rule.templates, template)
  return isBroughtIn ? broughtIn : farm.template(template)
}

/** A disk that came as a file, of a guest that nobody here has prepared: what every system has drivers for. */
const broughtIn = LibvirtTemplate.parse({
  disk: '/nowhere',
  bus: 'sata',
  nic: 'e1000e',
  agent: false,
  seed: 'none',
})

/** The domain comes first, so that what is left of a machine that is given up can be found and removed. */
async function define(farm: Farm, spec: MachineSpec, signal: AbortSignal): Promise<Found> {
  const at = farm.host(spec.host)
  const template = templateOf(farm, spec)
  const disc = spec.blank?.disc ?? null
  if (disc !== null && !Object.hasOwn(farm.rule.discs, disc)) throw refused(`There is no disc ${disc}.`)
  await checkImages(farm, spec)
  await checkRoom(farm, at, signal)
  const kept = keptOf(spec, 0)
  const files = farm.disks.paths(spec.ref)
  const hasSeed = seedKind(template, spec) !== 'none'
  const xml = domainXml({ rule: farm.rule, template, spec, kept, files, hasSeed })
  await withFile('domain.xml', xml, (file) => at.call(signal, ['define', file])).catch((error: unknown) => {
    throw outageOf(error, spec.ref)
  })
  const made = await farm.look(at, spec.ref, signal)
  if (made === undefined) throw machineMissing(spec.ref)
  return made
}

async function checkImages(farm: Farm, { image, data }: MachineSpec): Promise<void> {
  const wanted = [image, data].filter((ref) => ref !== undefined)
  if (wanted.length === 0) return
  const there = new Set((await farm.disks.images()).map(({ ref }) => ref))
  const lost = wanted.find((ref) => !there.has(ref))
  if (lost !== undefined) throw refused(`There is no image ${lost} in the library.`)
}

/** A domain of any kind takes a place, ours or not. */
async function checkRoom(farm: Farm, at: Virsh, signal: AbortSignal): Promise<void> {
  const { name, machines, slots, reachable } = await farm.describe(at, signal)
  if (!reachable) throw hostUnreachable(name)
  if (machines >= slots) throw refused(`Host ${name} holds ${machines} machines, and has room for ${slots}.`)
}

type DiskSpec = Pick<MachineSpec, 'ref' | 'template'> & {
  image?: string | undefined
  data?: string | undefined
  blank?: Kept['blank']
}

/** Linked clones: what is not written to is read from the template, or from the image under a name of the machine's own. */
async function makeDisks(farm: Farm, spec: DiskSpec, signal: AbortSignal, how: 'first' | 'anew' = 'first') {
  const { disks } = farm
  const files = disks.paths(spec.ref)
  await disks.makeFolder(spec.ref)
  if (how === 'first' && spec.image !== undefined) await disks.hold(spec.image, files.base)
  if (spec.blank !== undefined) await disks.empty(spec.blank.diskGb, files.disk, signal)
  else await disks.clone(baseOf(farm, spec), files.disk, signal)
  if (spec.data === undefined) return
  if (how === 'first') await disks.hold(spec.data, files.dataBase)
  await disks.clone({ file: files.dataBase, format: 'qcow2' }, files.data, signal)
}

function baseOf(farm: Farm, { ref, template, image }: DiskSpec) {
  if (image !== undefined) return { file: farm.disks.paths(ref).base, format: 'qcow2' as const }
  const { disk, format } = farm.template(template)
  return { file: disk, format }
}

async function makeSeed(farm: Farm, spec: MachineSpec, signal: AbortSignal): Promise<void> {
  const template = templateOf(farm, spec)
  await writeSeed({ template, spec, file: farm.disks.paths(spec.ref).seed }, signal)
}

/** Writes down how far it is, now and for the time after. */
async function note(farm: Farm, found: Found, kept: Kept, signal: AbortSignal): Promise<void> {
  const now = await farm.machine(found.ref, signal)
  const words = [
    'metadata',
    '--uri',
    machineSpace,
    '--key',
    'jackdaw',
    '--set',
    keptElement(kept),
    '--config',
  ]
  await farm.tell(now, signal, now.power === 'running' ? [...words, '--live'] : words)
}

async function forgetSnapshots(farm: Farm, found: Found, signal: AbortSignal): Promise<void> {
  const names = (await farm.tell(found, signal, ['snapshot-list', '--name'])).split('\n')
  for (const name of names.filter((line) => line !== '')) {
    await farm.tell(found, signal, ['snapshot-delete', '--snapshotname', name, '--metadata'])
  }
}

async function remove(farm: Farm, ref: string, signal: AbortSignal): Promise<void> {
  const found = await farm.find(ref, signal)
  if (found !== undefined) {
    await powerOff(farm, found, signal)
    await undefine(farm, found, signal)
  }
  if (ref !== uuidOf(ref)) await farm.disks.removeFolder(ref)
  farm.forget(ref)
  signal.throwIfAborted()
}

/** Takes a machine that is off away from its host. Its disks stay. */
export async function undefine(farm: Farm, found: Found, signal: AbortSignal): Promise<void> {
  const words = ['undefine', '--managed-save', '--snapshots-metadata']
  await farm.tell(found, signal, farm.rule.accel === 'test' ? words : [...words, '--nvram'])
}

/** Has a file that only we can read for as long as the work takes. */
export async function withFile<T>(
  name: string,
  text: string,
  work: (file: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'jackdaw-libvirt-'))
  try {
    const file = join(folder, name)
    await writeFile(file, text, { mode: 0o600 })
    return await work(file)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
