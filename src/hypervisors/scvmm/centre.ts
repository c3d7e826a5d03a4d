import { z } from 'zod'
import { Outage } from '../../base/errors.ts'
import { makingName, markOf, type Note, noteIn } from '../hyperv/machine.ts'
import type { Power } from '../hypervisor.ts'
import { hostUnreachable, hypervisorUnreachable, machineMissing, refused } from '../outages.ts'
import type { Credentials } from '../powershell/credentials.ts'
import { ask, type Script } from '../powershell/script.ts'
import { openSsh } from '../powershell/ssh.ts'
import type { ScvmmHostRule, ScvmmRule } from './rule.ts'
import { scripts } from './scripts.ts'

/** A machine as VMM tells of it. `state` is what it does; `health` is another word, which may hide that. */
const VmmMachine = z.strictObject({
  id: z.guid(),
  name: z.string(),
  notes: z.string(),
  state: z.string(),
  health: z.string(),
  host: z.string(),
  cpus: z.number(),
  /** In MB. */
  memory: z.number(),
  addresses: z.array(z.string()),
})
type VmmMachine = z.infer<typeof VmmMachine>

/** A machine with what is ours about it; `memory` is in bytes, `host` the site's name of it where it has one. */
export interface Kept extends VmmMachine {
  power: Power
  note: Note | undefined
  /** Its host does not answer VMM, so that all of it is what was known last. */
  isSilent: boolean
}

const VmmHost = z.strictObject({
  name: z.string(),
  communication: z.string(),
  version: z.string(),
  cpus: z.number(),
  /** In bytes. */
  memory: z.number(),
})

const Listing = z.strictObject({ machines: z.array(VmmMachine), hosts: z.array(VmmHost) })

interface Asking<T> {
  answer: z.ZodType<T>
  signal: AbortSignal
  heard?: (word: unknown) => void
}

/** VMM's management server. */
export interface Centre {
  readonly rule: ScvmmRule
  host(name: string): ScvmmHostRule
  /** What VMM calls a host. */
  computer(host: string): string
  ask<T>(script: Script, parameters: object, asking: Asking<T>): Promise<T>
  /** Runs a script whose answer is nothing. */
  tell(
    script: Script,
    parameters: object,
    signal: AbortSignal,
    heard?: (word: unknown) => void,
  ): Promise<void>
  sight: (ref: string, signal: AbortSignal) => Promise<Kept | undefined>
  look: (ref: string, signal: AbortSignal) => Promise<Kept>
  settled: (ref: string, signal: AbortSignal) => Promise<Kept>
  survey(signal: AbortSignal): Promise<{ hosts: z.infer<typeof VmmHost>[]; machines: Kept[] }>
  close(): void
}

export function openCentre(rule: ScvmmRule, credentials: Credentials): Centre {
  const remote = openSsh({ name: rule.name, ...rule.server, ...credentials })
  const computerOf = ({ name, computer = name }: ScvmmHostRule) => computer.toLowerCase()
  const ours = (computer: string) =>
    rule.hosts.find((host) => computerOf(host) === computer.toLowerCase())?.name ?? computer.toLowerCase()

  const centre: Centre = {
    rule,
    host(name) {
      const known = rule.hosts.find((host) => host.name === name)
      if (known === undefined) throw refused(`Hypervisor ${rule.name} has no host ${name}.`)
      return known
    },
    computer: (host) => computerOf(centre.host(host)),
    async ask(script, parameters, asking) {
      try {
        return await ask(remote, {
          script,
          parameters: { server: rule.server.vmm, ...parameters },
          ...asking,
        })
      } catch (error) {
        // What does not answer is the server of all of them.
        const isSilent = error instanceof Outage && error.code === 'host_unreachable'
        throw isSilent ? hypervisorUnreachable(rule.name, error) : error
      }
    },
    async tell(script, parameters, signal, heard) {
      const asking = { answer: z.null(), signal }
      await centre.ask(script, parameters, heard === undefined ? asking : { ...asking, heard })
    },
    async sight(ref, signal) {
      const parameters = { mark: markOf(ref), making: makingName(ref), id: ref }
      const found = await centre.ask(scripts.find, parameters, { answer: z.array(VmmMachine), signal })
      const [only, other] = found.map(kept)
      if (only !== undefined && other !== undefined) {
        throw refused(
          `${only.name} and ${other.name} both bear the note of machine ${ref}. Take it out of the copy.`,
        )
      }
      return only
    },
    async look(ref, signal) {
      const machine = await centre.sight(ref, signal)
      if (machine === undefined) throw machineMissing(ref)
      return machine
    },
    async settled(ref, signal) {
      signal.throwIfAborted()
      const machine = await centre.look(ref, signal)
      if (machine.isSilent) throw hostUnreachable(machine.host)
      if (machine.name === makingName(ref)) throw refused(`Machine ${ref} is still being made.`, soon)
      if (isOnItsWay(machine.state)) throw refused(`Machine ${ref} is busy: ${machine.state}.`, soon)
      return machine
    },
    async survey(signal) {
      const { machines, hosts } = await centre.ask(scripts.list, {}, { answer: Listing, signal })
      return { hosts, machines: machines.map(kept) }
    },
    close: () => remote.close(),
  }

  function kept(machine: VmmMachine): Kept {
    const isSilent = [machine.state, machine.health].includes('HostNotResponding')
    return {
      ...machine,
      ...{
        host: ours(machine.host),
        memory: machine.memory * 2 ** 20,
        note: noteIn(machine.notes),
        isSilent,
      },
      power: isSilent ? 'unknown' : powerOf(machine.state),
    }
  }

  return centre
}

const soon = { transient: true }

/** `VirtualMachineState`. What is broken off or unknown is not running: it is as good as off. */
const powers: Readonly<Record<string, Power>> = {
  Running: 'running',
  Starting: 'running',
  Stopping: 'running',
  Saving: 'running',
  UnderMigration: 'running',
  Paused: 'paused',
  Saved: 'saved',
  Restoring: 'saved',
  // VMM lost sight of it, which is not to say that nobody has it.
  Missing: 'unknown',
}

function powerOf(state: string): Power {
  return powers[state] ?? 'stopped'
}

function isOnItsWay(state: string): boolean {
  return /^(Under|Creating|Starting|Stopping|Saving|Restoring|Deleting|Pausing|Recovering|Discarding|Merging)/.test(
    state,
  )
}
