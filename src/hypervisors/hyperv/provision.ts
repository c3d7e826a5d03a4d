import { setTimeout as pause } from 'node:timers/promises'
import type { Hypervisor, MachineSpec } from '../hypervisor.ts'
import { refused } from '../outages.ts'
import { seedDisc, seedFiles } from '../seed/disc.ts'
import { partialOf } from '../powershell/disk-files.ts'
import { gigabyte } from '../powershell/power.ts'
import type { Farm, Sighting } from './farm.ts'
import { type Found, makingName, type Note, notesOf } from './machine.ts'
import { Disks, imagePath, machineFolder } from './places.ts'
import type { TemplateRule } from './rule.ts'
import { scripts } from './scripts.ts'

export const stages = [
  'copying the disk',
  'preparing the guest',
  'making the machine',
  'booting',
  'waiting for the guest',
] as const
type Stage = (typeof stages)[number]

/** What a machine that begins with an empty disk is. */
const bare: TemplateRule = { disk: '', generation: 2, secureBoot: 'off', agent: false }

/** Making a machine and removing it. */
export function making(farm: Farm): Pick<Hypervisor, 'provision' | 'restoreClean' | 'remove'> {
  const { rule } = farm

  async function provision(spec: MachineSpec, stage: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const known = stages.find((name) => name === stage)
    if (known === undefined) throw refused(`Hyper-V has no stage ${stage}.`)
    farm.site(spec.host)
    const template = templateOf(spec)
    const { found, silent } = await farm.sight(spec.ref, signal)
    const note = found?.note
    if (found === undefined) await mustAnswer(silent)
    // Once it is ready its owner may have stopped it: nothing is done to it then.
    if (note?.stage === 'ready' || isDone(known, note)) return
    await work[known](spec, template, { found, signal })
  }

  function templateOf(spec: MachineSpec): TemplateRule {
    if (spec.blank !== undefined) return bare
    const template = rule.templates[spec.template]
    // A disk that came as a file, of a guest that nobody here has prepared.
    if (template === undefined && spec.image !== undefined) return bare
    if (template === undefined) throw refused(`Hypervisor ${rule.name} has no template ${spec.template}.`)
    return template
  }

  const work: Record<
    Stage,
    (
      spec: MachineSpec,
      template: TemplateRule,
      context: { found: Found | undefined; signal: AbortSignal },
    ) => Promise<void>
  > = {
    async 'copying the disk'(spec, template, { signal }) {
      const place = places(spec, template)
      const { folder, disk: path } = place
      if (spec.blank !== undefined) {
        const bytes = spec.blank.diskGb * gigabyte
        await farm.tell(spec.host, scripts.emptyDisk, { folder, path, bytes }, signal)
      } else {
        if (spec.image !== undefined) await copy(spec, imagePath(rule, spec.image), place.base, signal)
        await farm.tell(spec.host, scripts.linkDisk, { folder, path, parent: place.base }, signal)
      }
      if (spec.data !== undefined) await copy(spec, imagePath(rule, spec.data), place.data, signal)
    },
    async 'preparing the guest'(spec, template, { signal }) {
      if (spec.blank !== undefined) return
      const { seed: path } = places(spec, template)
      const files = seedFiles(spec, spec.os === 'windows' ? 'unattend' : 'nocloud')
      const body = (await seedDisc(files, signal)).toString('base64')
      await farm.tell(spec.host, scripts.writeFile, { path, partial: `${path}.partial`, body }, signal)
    },
    async 'making the machine'(spec, template, { signal }) {
      await farm.tell(spec.host, scripts.make, parts(spec, template), signal)
    },
    async booting(spec, _template, { found, signal }) {
      const machine = found ?? (await farm.settled(spec.ref, signal))
      if (machine.power !== 'running') {
        await farm.tell(machine.host, scripts.start, { id: machine.id }, signal)
      }
      await write(machine, 'booted', signal)
    },
    async 'waiting for the guest'(spec, template, { signal }) {
      for (;;) {
        const machine = await farm.settled(spec.ref, signal)
        // Whoever stopped it meanwhile does not want it to be waited for.
        const isUp = !template.agent || machine.heartbeat.startsWith('Ok') || machine.power !== 'running'
        if (isUp) return write(machine, 'ready', signal)
        await pause(2000, undefined, { signal })
      }
    },
  }

  async function copy(spec: MachineSpec, source: string, path: string, signal: AbortSignal): Promise<void> {
    const { folder } = places(spec, bare)
    const parameters = { folder, source, path, partial: partialOf(path), tool: '', check: false }
    await farm.tell(spec.host, scripts.copyDisk, parameters, signal)
  }

  function places({ ref, image }: MachineSpec, template: TemplateRule) {
    const folder = machineFolder(rule, ref)
    const kind =
      template.generation === 1 && image === undefined ? template.disk.replace(/^.*\./, '') : 'vhdx'
    const [disk, own] = [`${folder}\\disk.${kind}`, `${folder}\\base.vhdx`]
    const [data, seed] = [`${folder}\\data.vhdx`, `${folder}\\seed.iso`]
    return { folder, disk, data, seed, base: image === undefined ? template.disk : own }
  }

  function parts(spec: MachineSpec, template: TemplateRule) {
    const { folder, disk, data, seed, base } = places(spec, template)
    const { ref, name, os, cpus, blank } = spec
    const { agent, generation } = template
    const note: Note = { ref, os, stage: 'made', base: blank === undefined ? base : null, agent }
    return {
      ...{ name, folder, disk, cpus, generation, making: makingName(ref), notes: notesOf(note) },
      memory: Math.round(spec.memoryGb * gigabyte),
      mac: spec.mac.replaceAll(':', '').toUpperCase(),
      pipe: pipeOf(ref),
      switch: (spec.isolated === true ? rule.isolatedSwitch : rule.switch) ?? '',
      data: spec.data === undefined ? '' : data,
      disc: blank === undefined ? seed : discOf(blank.disc),
      secureBoot: secureBoots[template.secureBoot],
    }
  }

  function discOf(disc: string | null): string {
    if (disc === null) return ''
    const path = rule.discs[disc]
    if (path === undefined) throw refused(`Hypervisor ${rule.name} has no disc ${disc}.`)
    return path
  }

  async function write(machine: Found, stage: Note['stage'], signal: AbortSignal): Promise<void> {
    if (machine.note === undefined)
      throw refused(`Machine ${machine.name} has lost the notes it is found by.`)
    const notes = notesOf({ ...machine.note, stage })
    await farm.tell(machine.host, scripts.note, { id: machine.id, notes }, signal)
  }

  return { provision, restoreClean: restoring(farm), remove: removing(farm) }
}

const secureBoots: Record<TemplateRule['secureBoot'], string> = {
  windows: 'MicrosoftWindows',
  linux: 'MicrosoftUEFICertificateAuthority',
  off: '',
}

function isDone(stage: Stage, note: Note | undefined): boolean {
  if (note === undefined) return false
  return stages.indexOf(stage) < (note.stage === 'made' ? 3 : 4)
}

/** A host that is silent may well have the machine: a second one must not be made. */
async function mustAnswer(silent: Sighting['silent']): Promise<void> {
  const [first] = silent
  if (first !== undefined) throw first.cause
}

export function pipeOf(ref: string): string {
  return `\\\\.\\pipe\\jackdaw-${ref}`
}

function restoring(farm: Farm): Hypervisor['restoreClean'] {
  return async (ref, signal) => {
    const machine = await farm.settled(ref, signal)
    const { host, id, note } = machine
    if (note?.base === undefined || note.base === null) {
      throw refused(`Machine ${ref} was made without a template, so that there is nothing to go back to.`)
    }
    const folder = machineFolder(farm.rule, ref)
    const kind = note.base.replace(/^.*\./, '')
    await farm.tell(host, scripts.wipe, { id }, signal)
    // Two disks take turns: the one in use stays whole until the other has taken its place.
    const [now] = await farm.ask(host, scripts.disks, { id }, { answer: Disks, signal })
    const [one, other] = [`${folder}\\disk.${kind}`, `${folder}\\disk-b.${kind}`]
    const [old, path] = now?.path.toLowerCase() === one.toLowerCase() ? [one, other] : [other, one]
    await farm.tell(host, scripts.deleteFile, { path }, signal)
    await farm.tell(host, scripts.linkDisk, { folder, path, parent: note.base }, signal)
    await farm.tell(host, scripts.swapDisk, { id, path }, signal)
    await farm.tell(host, scripts.deleteFile, { path: old }, signal)
    await farm.tell(host, scripts.start, { id }, signal)
  }
}

function removing(farm: Farm): Hypervisor['remove'] {
  return async (ref, signal) => {
    signal.throwIfAborted()
    const { found, silent } = await farm.sight(ref, signal)
    if (found === undefined) await mustAnswer(silent)
    const folder = machineFolder(farm.rule, ref)
    // Of one that is gone or was never whole, the disks may still lie on any host.
    const hosts = found === undefined ? farm.sites.map(({ rule: { name } }) => name) : [found.host]
    await Promise.all(
      hosts.map((host) => farm.tell(host, scripts.remove, { id: found?.id ?? '', folder }, signal)),
    )
  }
}
