import { setTimeout as pause } from 'node:timers/promises'
import { type Duration, roughMillis } from '../../base/duration.ts'
import type { Hypervisor, Power } from '../hypervisor.ts'
import { guestIgnored, refused } from '../outages.ts'

type Control = Pick<Hypervisor, 'start' | 'shutdown' | 'powerOff' | 'reset' | 'save' | 'resume' | 'resize'>

/** What is asked of the other side; each fits some states only. */
export type Verb = 'start' | 'resume' | 'save' | 'shutdown' | 'turnOff' | 'discard' | 'reset' | 'resize'

/** What of a machine decides which verb is right. */
interface Steered {
  power: Power
  /** The provider's word. */
  state: string
  cpus: number
  /** In bytes. */
  memory: number
}

/** How a machine is looked at and steered. */
export interface Steering<M extends Steered> {
  /** How long a guest may take to shut down. */
  patience: Duration
  look: (ref: string, signal: AbortSignal) => Promise<M>
  /** The same for one that is whole and at rest, so that something can be asked of it. */
  settled: (ref: string, signal: AbortSignal) => Promise<M>
  act: (machine: M, verb: Verb, signal: AbortSignal, size?: { cpus: number; memory: number }) => Promise<void>
}

/** The verbs that change what a machine does. Each looks first: what is so already is not asked for again. */
export function power<M extends Steered>(steering: Steering<M>): Control {
  const { settled, act } = steering
  return {
    async start(ref, signal) {
      const machine = await settled(ref, signal)
      if (machine.power === 'running') return
      await act(machine, machine.power === 'paused' ? 'resume' : 'start', signal)
    },
    async shutdown(ref, signal) {
      const machine = await settled(ref, signal)
      if (machine.power === 'stopped' || machine.power === 'saved') return
      if (machine.power === 'paused') {
        throw refused(`Machine ${ref} is paused, so that its guest hears nothing. Resume it first.`)
      }
      await shutDown(steering, machine, ref, signal)
    },
    async powerOff(ref, signal) {
      const machine = await settled(ref, signal)
      if (machine.power === 'stopped') return
      await act(machine, machine.power === 'saved' ? 'discard' : 'turnOff', signal)
    },
    async reset(ref, signal) {
      const machine = await settled(ref, signal)
      if (machine.power !== 'running') throw notSo(ref, machine, 'only one that runs is reset')
      await act(machine, 'reset', signal)
    },
    async save(ref, signal) {
      const machine = await settled(ref, signal)
      if (machine.power === 'running' || machine.power === 'paused') await act(machine, 'save', signal)
    },
    async resume(ref, signal) {
      const machine = await settled(ref, signal)
      if (machine.power === 'running') return
      if (machine.power === 'stopped') throw notSo(ref, machine, 'it has nothing to go on from')
      await act(machine, machine.power === 'paused' ? 'resume' : 'start', signal)
    },
    async resize(ref, { cpus, memoryGb }, signal) {
      const machine = await settled(ref, signal)
      const memory = Math.round(memoryGb * gigabyte)
      const now = machine.power
      if (now !== 'running' && now !== 'stopped') {
        throw notSo(ref, machine, 'what it has in memory would not fit')
      }
      if (machine.cpus === cpus && machine.memory === memory) return
      // Hyper-V changes processors of stopped machines only.
      if (now === 'running') await shutDown(steering, machine, ref, signal)
      await act(machine, 'resize', signal, { cpus, memory })
      if (now === 'running') await act(machine, 'start', signal)
    },
  }
}

export const gigabyte = 2 ** 30

function notSo(ref: string, { state }: Steered, why: string) {
  return refused(`Machine ${ref} is ${state}: ${why}.`)
}

/** Asks the guest through its integration services, and waits as long as the site's file says. */
async function shutDown<M extends Steered>(
  { patience, look, act }: Steering<M>,
  machine: M,
  ref: string,
  signal: AbortSignal,
): Promise<void> {
  const limit = new AbortController()
  const timer = setTimeout(() => limit.abort(new Error('patience has run out')), roughMillis(patience))
  const isStopped = async (within: AbortSignal) => (await look(ref, within)).power === 'stopped'
  try {
    const both = AbortSignal.any([signal, limit.signal])
    await act(machine, 'shutdown', both)
    // The cmdlet comes back when the guest has gone down, or only when it was asked: that differs between versions.
    while (!(await isStopped(both))) await pause(1000, undefined, { signal: both })
  } catch (error) {
    signal.throwIfAborted()
    if (!limit.signal.aborted) throw error
    // It may have stopped at the last moment.
    if (!(await isStopped(signal))) throw guestIgnored(ref)
  } finally {
    clearTimeout(timer)
  }
}
