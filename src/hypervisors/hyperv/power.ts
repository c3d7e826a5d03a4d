import { setTimeout as pause } from 'node:timers/promises'
import { roughMillis } from '../../base/duration.ts'
import type { Hypervisor } from '../hypervisor.ts'
import { guestIgnored, refused } from '../outages.ts'
import type { Script } from '../powershell/script.ts'
import { type Farm, gigabyte } from './farm.ts'
import { type Found, powerOf } from './machine.ts'
import { scripts } from './scripts.ts'

type Control = Pick<Hypervisor, 'start' | 'shutdown' | 'powerOff' | 'reset' | 'save' | 'resume' | 'resize'>

/** The verbs that change what a machine does. Each looks first: what is so already is not asked for again. */
export function power(farm: Farm): Control {
  async function act(machine: Found, script: Script, signal: AbortSignal, more: object = {}): Promise<void> {
    await farm.tell(machine.host, script, { id: machine.id, ...more }, signal)
  }

  const control: Control = {
    async start(ref, signal) {
      const machine = await farm.settled(ref, signal)
      const now = powerOf(machine.state)
      if (now === 'running') return
      await act(machine, now === 'paused' ? scripts.resume : scripts.start, signal)
    },
    async shutdown(ref, signal) {
      const machine = await farm.settled(ref, signal)
      const now = powerOf(machine.state)
      if (now === 'stopped' || now === 'saved') return
      if (now === 'paused')
        throw refused(`Machine ${ref} is paused, so that its guest hears nothing. Resume it first.`)
      await shutDown(farm, machine, ref, signal)
    },
    async powerOff(ref, signal) {
      const machine = await farm.settled(ref, signal)
      const now = powerOf(machine.state)
      if (now === 'stopped') return
      await act(machine, now === 'saved' ? scripts.discard : scripts.turnOff, signal)
    },
    async reset(ref, signal) {
      const machine = await farm.settled(ref, signal)
      if (powerOf(machine.state) !== 'running') throw notSo(ref, machine, 'only one that runs is reset')
      await act(machine, scripts.reset, signal)
    },
    async save(ref, signal) {
      const machine = await farm.settled(ref, signal)
      const now = powerOf(machine.state)
      if (now === 'running' || now === 'paused') await act(machine, scripts.save, signal)
    },
    async resume(ref, signal) {
      const machine = await farm.settled(ref, signal)
      const now = powerOf(machine.state)
      if (now === 'running') return
      if (now === 'stopped') throw notSo(ref, machine, 'it has nothing to go on from')
      await act(machine, now === 'paused' ? scripts.resume : scripts.start, signal)
    },
    async resize(ref, { cpus, memoryGb }, signal) {
      const machine = await farm.settled(ref, signal)
      const memory = Math.round(memoryGb * gigabyte)
      if (machine.cpus === cpus && machine.memory === memory && powerOf(machine.state) !== 'saved') return
      const now = powerOf(machine.state)
      if (now !== 'running' && now !== 'stopped')
        throw notSo(ref, machine, 'what it has in memory would not fit')
      // Hyper-V changes processors of stopped machines only.
      if (now === 'running') await shutDown(farm, machine, ref, signal)
      await act(machine, scripts.resize, signal, { cpus, memory })
      if (now === 'running') await act(machine, scripts.start, signal)
    },
  }
  return control
}

function notSo(ref: string, { state }: Found, why: string) {
  return refused(`Machine ${ref} is ${state}: ${why}.`)
}

/** Asks the guest through its integration services, and waits as long as the site's file says. */
async function shutDown(farm: Farm, machine: Found, ref: string, signal: AbortSignal): Promise<void> {
  const patience = new AbortController()
  const limit = setTimeout(
    () => patience.abort(new Error('patience has run out')),
    roughMillis(farm.rule.patience),
  )
  try {
    const both = AbortSignal.any([signal, patience.signal])
    await farm.tell(machine.host, scripts.shutdown, { id: machine.id }, both)
    await untilStopped(farm, ref, both)
  } catch (error) {
    signal.throwIfAborted()
    if (!patience.signal.aborted) throw error
    // It may have stopped at the last moment.
    if (powerOf((await farm.look(ref, signal)).state) !== 'stopped') throw guestIgnored(ref)
  } finally {
    clearTimeout(limit)
  }
}

/** The cmdlet comes back when the guest has gone down, or only when it was asked: that differs between versions. */
async function untilStopped(farm: Farm, ref: string, signal: AbortSignal): Promise<void> {
  while (powerOf((await farm.look(ref, signal)).state) !== 'stopped') {
    await pause(1000, undefined, { signal })
  }
}
