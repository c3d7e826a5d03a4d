import { setTimeout as pause } from 'node:timers/promises'
import { makingName, type Note, notesOf } from '../hyperv/machine.ts'
import type { Hypervisor, MachineSpec } from '../hypervisor.ts'
import { refused } from '../outages.ts'
import { gigabyte, type Verb } from '../powershell/power.ts'
import { seedDisc, seedFiles } from '../seed/disc.ts'
import type { Centre, Kept } from './centre.ts'
import { checkpointsOf } from './keeping.ts'
import { clean, imageName } from './names.ts'
import { scripts } from './scripts.ts'

export const stages = [
  'creating the machine',
  'adding disks and network',
  'preparing the guest',
  'booting',
  'waiting for the guest',
] as const
type Stage = (typeof stages)[number]

/** One thing asked of a machine. */
export async function act(
  centre: Centre,
  machine: Kept,
  verb: Verb | 'remove',
  signal: AbortSignal,
  size?: { cpus: number; memory: number },
): Promise<void> {
  const { cpus = 0, memory = 0 } = size ?? {}
  const megabytes = Math.round(memory / 2 ** 20)
  await centre.tell(scripts[verb], { id: machine.id, cpus, megabytes }, signal)
}

/** Making a machine, setting it back and removing it. */
export function making(centre: Centre): Pick<Hypervisor, 'provision' | 'restoreClean' | 'remove'> {
  const { rule } = centre

  async function provision(spec: MachineSpec, stage: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const known = stages.find((name) => name === stage)
    if (known === undefined) throw refused(`VMM has no stage ${stage}.`)
    centre.host(spec.host)
    const template = templateOf(spec)
    const found = await centre.sight(spec.ref, signal)
    // Once it is ready its owner may have stopped it: nothing is done to it then.
    if (found?.note !== undefined && isDone(known, found.note)) return
    await work[known]({ spec, template, found, signal })
  }

  function templateOf(spec: MachineSpec): { template: string; agent: boolean } {
    const own = rule.templates[spec.template]
    if (spec.blank === undefined && own !== undefined) return own
    // A disk that came as a file needs no template, and its guest was prepared by nobody here.
    if (spec.image !== undefined) return { template: '', agent: false }
    if (spec.blank === undefined) throw refused(`Hypervisor ${rule.name} has no template ${spec.template}.`)
    if (rule.blank === undefined) throw refused(`Hypervisor ${rule.name} has no template of empty machines.`)
    return { template: rule.blank, agent: false }
  }

  interface Making {
    spec: MachineSpec
    template: { template: string; agent: boolean }
    found: Kept | undefined
    signal: AbortSignal
  }

  const work: Record<Stage, (making: Making) => Promise<void>> = {
    async 'creating the machine'({ spec, template, found, signal }) {
      if (found !== undefined && !isBroken(found)) return
      if (found !== undefined) await act(centre, found, 'remove', signal)
      const { ref, name, image } = spec
      const place = { making: makingName(ref), host: centre.computer(spec.host), path: rule.machines }
      if (image === undefined) {
        await centre.tell(scripts.fromTemplate, { ...place, name, template: template.template }, signal)
      } else await centre.tell(scripts.fromImage, { ...place, image: imageName(image) }, signal)
    },
    async 'adding disks and network'({ spec, found, signal }) {
      const machine = whole(spec, found)
      const { id } = machine
      const memory = Math.round(spec.memoryGb * gigabyte)
      await act(centre, machine, 'resize', signal, { cpus: spec.cpus, memory })
      const network = (spec.isolated === true ? rule.isolatedNetwork : rule.network) ?? ''
      await centre.tell(scripts.network, { id, network, mac: spec.mac.toUpperCase() }, signal)
      if (spec.data !== undefined)
        await centre.tell(scripts.addDisk, { id, image: imageName(spec.data) }, signal)
      if (spec.blank === undefined) return
      await centre.tell(scripts.growDisk, { id, gigabytes: spec.blank.diskGb }, signal)
      if (spec.blank.disc !== null) {
        await centre.tell(scripts.insertDisc, { id, share: '', disc: discOf(spec.blank.disc) }, signal)
      }
    },
    async 'preparing the guest'({ spec, template, found, signal }) {
      const machine = whole(spec, found)
      const { ref, name, os, blank } = spec
      if (blank === undefined) await insertSeed(machine, spec, signal)
      const taken = await checkpointsOf(centre, machine, signal)
      if (!taken.some((one) => one.name === clean)) {
        await centre.tell(scripts.checkpoint, { id: machine.id, name: clean }, signal)
      }
      const base = blank === undefined && template.template !== '' ? template.template : null
      const note: Note = { ref, os, stage: 'made', base, agent: template.agent }
      await centre.tell(scripts.name, { id: machine.id, name, notes: notesOf(note) }, signal)
    },
    async booting({ spec, signal }) {
      const machine = await centre.settled(spec.ref, signal)
      if (machine.power !== 'running') await act(centre, machine, 'start', signal)
      await write(machine, 'booted', signal)
    },
    async 'waiting for the guest'({ spec, template, signal }) {
      for (;;) {
        const machine = await centre.settled(spec.ref, signal)
        // Whoever stopped it meanwhile does not want it to be waited for; an isolated one may never have an address.
        const isSeen = machine.addresses.length > 0 || spec.isolated === true
        if (!template.agent || isSeen || machine.power !== 'running') return write(machine, 'ready', signal)
        await pause(5000, undefined, { signal })
      }
    },
  }

  /** VMM puts a copy of it beside the machine; what was in the library may go then. */
  async function insertSeed(machine: Kept, spec: MachineSpec, signal: AbortSignal): Promise<void> {
    const disc = `jackdaw-seed-${machine.id}`
    const path = `${rule.library.folder}\\${disc}.iso`
    const files = seedFiles(spec, spec.os === 'windows' ? 'unattend' : 'nocloud')
    const body = (await seedDisc(files, signal)).toString('base64')
    await centre.tell(scripts.writeFile, { path, partial: `${path}.partial`, body }, signal)
    const { share } = rule.library
    await centre.tell(scripts.insertDisc, { id: machine.id, share, disc: `${disc}.iso` }, signal)
    await centre.tell(scripts.deleteFile, { path }, signal)
  }

  function discOf(disc: string): string {
    const name = rule.discs[disc]
    if (name === undefined) throw refused(`Hypervisor ${rule.name} has no disc ${disc}.`)
    return name
  }

  async function write(machine: Kept, stage: Note['stage'], signal: AbortSignal): Promise<void> {
    if (machine.note === undefined) throw refused(`Machine ${machine.name} has lost the note it is found by.`)
    const notes = notesOf({ ...machine.note, stage })
    await centre.tell(scripts.name, { id: machine.id, name: machine.name, notes }, signal)
  }

  return { provision, restoreClean: restoring(centre), remove: removing(centre) }
}

function isBroken({ state }: Kept): boolean {
  return /Failed|Incomplete/.test(state)
}

function whole({ ref }: MachineSpec, found: Kept | undefined): Kept {
  if (found === undefined) throw refused(`Machine ${ref} was not created yet.`)
  if (/^Under|^Creating/.test(found.state))
    throw refused(`Machine ${ref} is busy: ${found.state}.`, { transient: true })
  return found
}

function isDone(stage: Stage, { stage: reached }: Note): boolean {
  return reached === 'ready' || stages.indexOf(stage) < (reached === 'made' ? 3 : 4)
}

/** The size that it has now stays, and so does the note: a checkpoint brings those of its own time back. */
function restoring(centre: Centre): Hypervisor['restoreClean'] {
  return async (ref, signal) => {
    const machine = await centre.settled(ref, signal)
    const { id, cpus, memory, name, notes } = machine
    const all = await checkpointsOf(centre, machine, signal)
    const [first] = all.filter((one) => one.name === clean)
    if (first === undefined || machine.note?.base === null) {
      throw refused(
        `Machine ${ref} has nothing to go back to: it was made without a template, or its checkpoint was removed.`,
      )
    }
    if (machine.power === 'saved') await act(centre, machine, 'discard', signal)
    else if (machine.power !== 'stopped') await act(centre, machine, 'turnOff', signal)
    await centre.tell(scripts.restore, { id, checkpoint: first.id }, signal)
    for (const other of all.filter((one) => one.id !== first.id)) {
      await centre.tell(scripts.forget, { id, checkpoint: other.id }, signal)
    }
    await centre.tell(scripts.name, { id, name, notes }, signal)
    await act(centre, machine, 'resize', signal, { cpus, memory })
    await act(centre, machine, 'start', signal)
  }
}

function removing(centre: Centre): Hypervisor['remove'] {
  return async (ref, signal) => {
    signal.throwIfAborted()
    const machine = await centre.sight(ref, signal)
    if (machine === undefined) return
    const { power, state } = machine
    if (power === 'saved') await act(centre, machine, 'discard', signal)
    else if (state === 'Running' || power === 'paused') await act(centre, machine, 'turnOff', signal)
    await act(centre, machine, 'remove', signal)
  }
}
