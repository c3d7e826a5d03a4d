import { setTimeout as pause } from 'node:timers/promises'
import { roughMillis } from '../../base/duration.ts'
import { Outage } from '../../base/errors.ts'
import type { Size } from '../../machines/machine.ts'
import type { Hypervisor, Power } from '../hypervisor.ts'
import { guestIgnored, machineMissing, refused } from '../outages.ts'
import { kibibytes } from './domain-xml.ts'
import type { Farm, Found } from './farm.ts'
import { runSpace } from './naming.ts'
import { longMillis } from './virsh.ts'

type Control = Pick<Hypervisor, 'start' | 'shutdown' | 'powerOff' | 'reset' | 'save' | 'resume' | 'resize'>

export function control(farm: Farm, bootedStage: number): Control {
  /** Finds a machine that can be given orders. */
  async function ready(ref: string, signal: AbortSignal): Promise<Found> {
    const found = await farm.machine(ref, signal)
    if (found.kept !== undefined && found.kept.made < bootedStage)
      throw refused(`Machine ${ref} is being made.`, { transient: true })
    return found
  }

  return {
    async start(ref, signal) {
      await started(farm, await ready(ref, signal), signal)
    },
    async shutdown(ref, signal) {
      const found = await ready(ref, signal)
      if (found.power === 'paused') throw guestIgnored(ref)
      if (found.power === 'running') await shutDown(farm, found, signal)
    },
    async powerOff(ref, signal) {
      await powerOff(farm, await ready(ref, signal), signal)
    },
    async reset(ref, signal) {
      const found = await ready(ref, signal)
      if (found.power !== 'running') throw refused(`Machine ${ref} is ${found.power}, not running.`)
      await farm.tell(found, signal, ['reset'])
      await noteStart(farm, found, signal)
    },
    async save(ref, signal) {
      const found = await ready(ref, signal)
      const holdsMemory = found.power === 'running' || found.power === 'paused'
      // Saved while it stands still, it is to run all the same when it is woken.
      if (holdsMemory) await settled(farm, found, 'saved', signal, ['managedsave', '--running'], longMillis)
    },
    async resume(ref, signal) {
      const found = await ready(ref, signal)
      if (found.power === 'stopped') throw refused(`Machine ${ref} is stopped, with nothing to resume.`)
      await started(farm, found, signal)
    },
    async resize(ref, size, signal) {
      const found = await ready(ref, signal)
      if (hasSize(found, size)) return
      if (found.power !== 'running' && found.power !== 'stopped')
        throw refused(`Machine ${ref} is ${found.power}, and its size can be changed only without that.`)
      if (found.power === 'running') await shutDown(farm, found, signal)
      await setSize(farm, found, size, signal)
      if (found.power === 'running') await started(farm, { ...found, power: 'stopped' }, signal)
    },
  }
}

/** Has it run, from whatever it is. */
export async function started(farm: Farm, found: Found, signal: AbortSignal): Promise<void> {
  if (found.power === 'running') return
  // What it once had in memory would not fit its disk any more.
  if (found.power === 'stopped' && found.kept !== undefined) await farm.disks.dropMemory(found.ref)
  const isAsleep = found.words.startsWith('pmsuspended')
  const word = found.power === 'paused' ? (isAsleep ? 'dompmwakeup' : 'resume') : 'start'
  await settled(farm, found, 'running', signal, [word], longMillis)
  await noteStart(farm, found, signal)
}

/** Has it stopped, without asking anybody, and without what it had kept in memory. */
export async function powerOff(farm: Farm, found: Found, signal: AbortSignal): Promise<void> {
  if (found.power === 'running' || found.power === 'paused') {
    await settled(farm, found, 'stopped', signal, ['destroy'])
  }
  if (found.power === 'saved') await settled(farm, found, 'stopped', signal, ['managedsave-remove'])
}

/** Carries out a command, and takes its refusal for success if the machine is as it was to be all the same. */
export async function settled(
  farm: Farm,
  found: Found,
  wanted: Power,
  signal: AbortSignal,
  words: readonly string[],
  deadlineMillis?: number,
): Promise<void> {
  try {
    await farm.tell(found, signal, words, deadlineMillis)
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof Outage) || error.code !== 'hypervisor_refused') throw error
    const now = await farm.look(found.at, found.ref, signal)
    if (now?.power !== wanted) throw error
  }
}

/** A guest hears nothing while it boots, and some hear only the second time. */
const askAgainMillis = 5000
const lookAgainMillis = 400

/** Asks the guest to shut down, and watches it. */
async function shutDown(farm: Farm, found: Found, signal: AbortSignal): Promise<void> {
  const limit = roughMillis(farm.rule.shutdown)
  for (let waited = 0; waited < limit; waited += lookAgainMillis) {
    if (waited % askAgainMillis < lookAgainMillis)
      await ask(farm, found, { turn: waited / askAgainMillis }, signal)
    const now = await farm.look(found.at, found.ref, signal)
    if (now === undefined) throw machineMissing(found.ref)
    if (now.power !== 'running') return
    await pause(lookAgainMillis, undefined, { signal }).catch(() => signal.throwIfAborted())
  }
  throw guestIgnored(found.ref)
}

/** Through its agent where it has one, which may say yes and do nothing; each second time by the power button. */
async function ask(farm: Farm, found: Found, { turn }: { turn: number }, signal: AbortSignal): Promise<void> {
  const words = Math.floor(turn) % 2 === 0 ? ['shutdown'] : ['shutdown', '--mode', 'acpi']
  await settled(farm, found, 'stopped', signal, words)
}

function hasSize({ cpus, memoryKib }: Found, size: Size): boolean {
  return cpus === size.cpus && memoryKib === kibibytes(size.memoryGb)
}

async function setSize(farm: Farm, found: Found, size: Size, signal: AbortSignal): Promise<void> {
  const [cpus, memory] = [String(size.cpus), String(kibibytes(size.memoryGb))]
  await farm.tell(found, signal, ['setmaxmem', memory, '--config'])
  await farm.tell(found, signal, ['setmem', memory, '--config'])
  await farm.tell(found, signal, ['setvcpus', cpus, '--maximum', '--config'])
  await farm.tell(found, signal, ['setvcpus', cpus, '--config'])
}

/** libvirt does not say since when a machine runs: that is written into what lasts as long as it does. */
export async function noteStart(farm: Farm, found: Found, signal: AbortSignal): Promise<void> {
  const set = `<run at="${farm.clock.now()}"/>`
  const words = ['metadata', '--uri', runSpace, '--key', 'jackdawrun', '--set', set, '--live']
  // A machine without this runs as well: only its uptime is not known.
  await farm.tell(found, signal, words).catch(() => signal.throwIfAborted())
}
