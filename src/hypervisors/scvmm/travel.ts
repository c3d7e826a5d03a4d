import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import { Outage } from '../../base/errors.ts'
import { changeFeed } from '../change-feed.ts'
import { noteIn } from '../hyperv/machine.ts'
import type { Figures, Hypervisor, Passage } from '../hypervisor.ts'
import { refused } from '../outages.ts'
import { inOneLine } from '../powershell/failures.ts'
import { gigabyte } from '../powershell/power.ts'
import type { Centre, Kept } from './centre.ts'
import { checkpointsOf } from './keeping.ts'
import { clean } from './names.ts'
import { act } from './provision.ts'
import { scripts } from './scripts.ts'

const Rating = z.strictObject({ rating: z.number(), transfer: z.string(), reasons: z.array(z.string()) })
const Percent = z.object({ percent: z.number().min(0).max(100) })
const Changed = z.object({ id: z.guid(), notes: z.string() })
const Measured = z.strictObject({
  millis: z.number().nullable(),
  load: z.number(),
  disks: z.array(z.strictObject({ name: z.string(), size: z.number() })),
  nics: z.array(z.strictObject({ name: z.string(), mac: z.string() })),
  problems: z.array(z.string()),
})

/** Moving machines, and looking at them. */
export function travel(
  centre: Centre,
): Pick<Hypervisor, 'passage' | 'migrate' | 'figures' | 'console' | 'changes'> {
  return {
    async passage(ref, host, signal) {
      return way(centre, await centre.settled(ref, signal), host, signal)
    },
    async migrate(ref, host, signal, progress) {
      const machine = await centre.settled(ref, signal)
      const passage = await way(centre, machine, host, signal)
      if (passage.how === 'none') throw refused(passage.why)
      if (machine.host === host) return
      const isQuick = passage.how === 'quick' && machine.power === 'running'
      if (isQuick) await act(centre, machine, 'save', signal)
      const heard = (word: unknown) => {
        const said = Percent.safeParse(word)
        if (said.success) progress?.(said.data.percent / 100)
      }
      const parameters = { id: machine.id, host: centre.computer(host), path: centre.rule.machines }
      await centre.tell(scripts.move, parameters, signal, heard)
      if (isQuick) await act(centre, machine, 'start', signal)
    },
    figures: (ref, signal) => figuresOf(centre, ref, signal),
    async console(ref, kind, signal) {
      const machine = await centre.settled(ref, signal)
      if (machine.power !== 'running') throw refused(`Machine ${ref} is ${machine.state}, not running.`)
      const what = kind === 'screen' ? 'screen' : 'serial line'
      throw refused(
        `VMM does not pass on the ${what} of machine ${ref}. It is in VMM's own console, and on its host ${machine.host}.`,
      )
    },
    changes: (signal) => changes(centre, signal),
  }
}

/** Whether VMM's rating of the host lets it go there, and by which way of VMM's. */
async function way(centre: Centre, machine: Kept, host: string, signal: AbortSignal): Promise<Passage> {
  const isRunning = machine.power === 'running'
  const onlyDisks = `It is ${machine.state}, so only its disk and what it saved have to move.`
  if (!centre.rule.hosts.some(({ name }) => name === host))
    return { how: 'none', why: `There is no host ${host}.` }
  if (machine.host === host) return isRunning ? { how: 'live' } : { how: 'quick', why: onlyDisks }
  try {
    const parameters = { id: machine.id, host: centre.computer(host) }
    const { rating, transfer, reasons } = await centre.ask(scripts.rating, parameters, {
      answer: Rating,
      signal,
    })
    const why = reasons.map(inOneLine).join(' ')
    if (rating === 0) return { how: 'none', why: why === '' ? `VMM gives ${host} no star for it.` : why }
    if (!isRunning) return { how: 'quick', why: onlyDisks }
    if (/live|cluster/i.test(transfer)) return { how: 'live' }
    return { how: 'quick', why: `VMM would move it by ${inOneLine(transfer)}, and not live.` }
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof Outage) || error.code !== 'hypervisor_refused') throw error
    return { how: 'none', why: error.message }
  }
}

/** VMM keeps no counters of bytes, and no pictures. */
async function figuresOf(centre: Centre, ref: string, signal: AbortSignal): Promise<Figures> {
  const machine = await centre.settled(ref, signal)
  const runs = machine.power === 'running'
  const asked = { id: machine.id, runs }
  const measured = await centre.ask(scripts.figures, asked, { answer: Measured, signal })
  const taken = await checkpointsOf(centre, machine, signal)
  return {
    uptimeSeconds: runs && measured.millis !== null ? Math.floor(measured.millis / 1000) : null,
    cpuLoad: runs ? measured.load / 100 : null,
    memoryUsedGb: null,
    heartbeat: runs && machine.addresses.length > 0 ? 'ok' : 'none',
    disks: measured.disks.map(({ name, size }) => ({
      name,
      sizeGb: Math.round((size / gigabyte) * 100) / 100,
      readBytes: null,
      writtenBytes: null,
    })),
    networks: measured.nics.map(({ name, mac }) => ({
      name: name === '' ? 'not connected' : name,
      mac: mac === '' ? null : mac.toLowerCase(),
      receivedBytes: null,
      sentBytes: null,
    })),
    snapshots: taken
      .filter(({ name }) => name !== clean)
      .map(({ name, taken: takenAt }) => ({ name, takenAt })),
    thumbnail: null,
    problems: measured.problems.map(inOneLine),
  }
}

const againAfterMillis = 10_000

function changes(centre: Centre, signal: AbortSignal): AsyncIterable<string> {
  const feed = changeFeed()
  const refs = new Map<string, string>()
  const heard = (word: unknown) => {
    const said = Changed.safeParse(word)
    if (!said.success) return
    const { id, notes } = said.data
    const ref = noteIn(notes)?.ref ?? refs.get(id) ?? id
    refs.set(id, ref)
    feed.tell(ref)
  }
  const followed = feed.follow(signal)
  const listen = async (): Promise<void> => {
    while (!signal.aborted) {
      // Silence is seen and told by whoever looks at the hosts; here it only means to listen again.
      await centre.tell(scripts.watch, {}, signal, heard).catch(() => undefined)
      await pause(againAfterMillis, undefined, { signal, ref: false }).catch(() => undefined)
    }
  }
  void listen()
  return followed
}
