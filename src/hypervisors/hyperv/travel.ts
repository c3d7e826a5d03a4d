import type { Duplex } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import { Outage } from '../../base/errors.ts'
import { changeFeed } from '../change-feed.ts'
import type { Hypervisor, Passage } from '../hypervisor.ts'
import { refused } from '../outages.ts'
import { inOneLine } from '../powershell/failures.ts'
import { commandLine, oneLine } from '../powershell/script.ts'
import { type Farm, nothing } from './farm.ts'
import { type Found, foundOn, refOf } from './machine.ts'
import { pipeOf } from './provision.ts'
import { machineFolder } from './places.ts'
import { scripts, serialPump } from './scripts.ts'

const Incompatibilities = z.array(z.strictObject({ id: z.number(), message: z.string() }))
const Percent = z.object({ percent: z.number().min(0).max(100) })
const Changed = z.object({ id: z.guid(), notes: z.string() })

/** Moving machines between hosts, their serial line, and word of what changes. */
export function travel(farm: Farm): Pick<Hypervisor, 'passage' | 'migrate' | 'console' | 'changes'> {
  async function way(machine: Found, ref: string, host: string, signal: AbortSignal): Promise<Passage> {
    const target = farm.sites.find(({ rule }) => rule.name === host)
    if (target === undefined) return { how: 'none', why: `There is no host ${host}.` }
    if (machine.host === host) return staying(machine)
    const parameters = { id: machine.id, ...toward(host, ref) }
    try {
      const answer = { answer: Incompatibilities, signal }
      const found = await farm.ask(machine.host, scripts.compare, parameters, answer)
      if (found.length === 0) return staying(machine)
      return { how: 'none', why: found.map(({ message }) => inOneLine(message)).join(' ') }
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof Outage) || error.code !== 'hypervisor_refused') throw error
      return { how: 'none', why: error.message }
    }
  }

  function toward(host: string, ref: string) {
    const { address, computer = address } = farm.site(host).rule
    return { host: computer, storage: farm.rule.shared ? '' : machineFolder(farm.rule, ref) }
  }

  return {
    async passage(ref, host, signal) {
      return way(await farm.settled(ref, signal), ref, host, signal)
    },
    async migrate(ref, host, signal, progress) {
      const machine = await farm.settled(ref, signal)
      const passage = await way(machine, ref, host, signal)
      if (passage.how === 'none') throw refused(passage.why)
      if (machine.host === host) return
      if (machine.clustered)
        throw refused(`Machine ${ref} belongs to a failover cluster, which moves it itself.`)
      const heard = (word: unknown) => {
        const said = Percent.safeParse(word)
        if (said.success) progress?.(said.data.percent / 100)
      }
      const parameters = { id: machine.id, ...toward(host, ref) }
      await farm.ask(machine.host, scripts.move, parameters, { answer: nothing, signal, heard })
    },
    async console(ref, kind, signal) {
      const machine = await farm.settled(ref, signal)
      if (machine.power !== 'running') throw refused(`Machine ${ref} is ${machine.state}, not running.`)
      if (kind === 'screen') throw noScreen(ref, machine.host)
      return serialLine(farm, machine, ref, signal)
    },
    changes: (signal) => changes(farm, signal),
  }
}

/** Hyper-V's own moves are live for what runs; the rest has only its disks and what it saved to bring along. */
function staying({ state, power }: Found): Passage {
  if (power === 'running') return { how: 'live' }
  return { how: 'quick', why: `It is ${state}, so only its disk and what it saved have to move.` }
}

function noScreen(ref: string, host: string) {
  return refused(
    `The screen of machine ${ref} is shown by Hyper-V's own client only: vmconnect on Windows, or RDP to port 2179 of ${host}. Its serial line and its own RDP are open to you here.`,
  )
}

async function serialLine(farm: Farm, machine: Found, ref: string, signal: AbortSignal): Promise<Duplex> {
  const line = await farm.site(machine.host).remote.open(commandLine(serialPump), signal)
  line.write(oneLine({ name: pipeOf(ref).replace(/^.*\\/, '') }))
  return line
}

const againAfterMillis = 10_000

/** Every host says by itself what is another; one that is silent is asked again after a while. */
function changes(farm: Farm, signal: AbortSignal): AsyncIterable<string> {
  const feed = changeFeed()
  const refs = new Map<string, string>()
  const follow = async (host: string): Promise<void> => {
    const heard = (word: unknown) => {
      const said = Changed.safeParse(word)
      if (!said.success) return
      const { id, notes } = said.data
      const known = refs.get(id)
      const ref = notes === '' && known !== undefined ? known : refIn(host, id, notes)
      refs.set(id, ref)
      feed.tell(ref)
    }
    await farm.ask(host, scripts.watch, {}, { answer: nothing, signal, heard })
  }
  const followed = feed.follow(signal)
  for (const { rule } of farm.sites) void again(() => follow(rule.name), signal)
  return followed
}

async function again(work: () => Promise<void>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    // Silence is seen and told by whoever looks at the hosts; here it only means to listen again.
    await work().catch(() => undefined)
    await pause(againAfterMillis, undefined, { signal, ref: false }).catch(() => undefined)
  }
}

function refIn(host: string, id: string, notes: string): string {
  const machine = { id, notes, name: '', state: '', heartbeat: '', cpus: 0, memory: 0, clustered: false }
  return refOf(foundOn(host, { ...machine, addresses: [] }))
}
