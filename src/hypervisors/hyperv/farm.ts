import { z } from 'zod'
import { messageOf, Outage } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import type { HostStatus } from '../hypervisor.ts'
import { hostUnreachable, hypervisorUnreachable, machineMissing, refused } from '../outages.ts'
import { gigabyte } from '../powershell/power.ts'
import { ask, type Script } from '../powershell/script.ts'
import type { Credentials } from '../powershell/credentials.ts'
import { openSsh, type Remote } from '../powershell/ssh.ts'
import { type Found, foundOn, isOnItsWay, Machine, makingName, markOf } from './machine.ts'
import type { HyperVHostRule, HyperVRule } from './rule.ts'
import { scripts } from './scripts.ts'

/** One host with the connection to it. */
export interface Site {
  rule: HyperVHostRule
  remote: Remote
}

/** Where a machine was looked for: on which hosts it was found, and which of them were silent. */
export interface Sighting {
  found: Found | undefined
  silent: { host: string; cause: Outage }[]
  /** The host that had it when it was last seen. */
  lastHost: string | undefined
}

/** The hosts of a hypervisor: which of them has a machine, and how to ask it. */
export interface Farm {
  readonly rule: HyperVRule
  readonly sites: readonly Site[]
  site(host: string): Site
  /** Runs a script on one host. */
  ask<T>(
    host: string,
    script: Script,
    parameters: object,
    options: { answer: z.ZodType<T>; signal: AbortSignal; heard?: (word: unknown) => void },
  ): Promise<T>
  /** Runs a script whose answer is nothing. */
  tell(host: string, script: Script, parameters: object, signal: AbortSignal): Promise<void>
  sight(ref: string, signal: AbortSignal): Promise<Sighting>
  /** The machine as it is now. @throws Outage `machine_missing`, `host_unreachable`. */
  look: (ref: string, signal: AbortSignal) => Promise<Found>
  /** The same for one that is whole and at rest. @throws Outage `hypervisor_refused`, transient, while it is not. */
  settled: (ref: string, signal: AbortSignal) => Promise<Found>
  /** Every host with its machines. @throws Outage `hypervisor_unreachable` when none answers. */
  survey(signal: AbortSignal): Promise<{ hosts: HostStatus[]; machines: Found[] }>
  close(): void
}

export const nothing = z.null()

const HostFacts = z.strictObject({
  version: z.string(),
  cpus: z.number(),
  memory: z.number(),
  cpu: z.string(),
})
type HostFacts = z.infer<typeof HostFacts>

export function openFarm(rule: HyperVRule, credentials: Credentials, log: Log): Farm {
  const sites = rule.hosts.map((host) => ({ rule: host, remote: openSsh({ ...host, ...credentials }) }))
  /** Where a machine was last: it is asked first, and blamed when it is silent. Forgotten with the process. */
  const seenOn = new Map<string, string>()
  const facts = new Map<string, HostFacts>()
  /** Hosts that have said what they are since they last were silent: they may be another thing when they come back. */
  const told = new Set<string>()

  const site = (host: string): Site => {
    const known = sites.find(({ rule: { name } }) => name === host)
    if (known === undefined) throw refused(`Hypervisor ${rule.name} has no host ${host}.`)
    return known
  }

  const farm: Farm = {
    ...{ rule, sites, site },
    ask: (host, script, parameters, options) => ask(site(host).remote, { script, parameters, ...options }),
    async tell(host, script, parameters, signal) {
      await farm.ask(host, script, parameters, { answer: nothing, signal })
    },
    sight,
    async look(ref, signal) {
      const { found, silent, lastHost } = await sight(ref, signal)
      if (found !== undefined) return found
      const [first] = silent
      if (first === undefined) throw machineMissing(ref)
      throw first.cause.transient ? hostUnreachable(lastHost ?? first.host, first.cause) : first.cause
    },
    async settled(ref, signal) {
      const machine = await farm.look(ref, signal)
      if (machine.name === makingName(ref)) throw refused(`Machine ${ref} is still being made.`, soon)
      if (isOnItsWay(machine.state)) throw refused(`Machine ${ref} is busy: ${machine.state}.`, soon)
      return machine
    },
    survey,
    close: () => sites.forEach(({ remote }) => remote.close()),
  }

  function searchOn(host: Site, ref: string, signal: AbortSignal): Promise<Machine[]> {
    const parameters = { mark: markOf(ref), making: makingName(ref), id: ref }
    return ask(host.remote, { script: scripts.find, parameters, answer: z.array(Machine), signal })
  }

  async function sight(ref: string, signal: AbortSignal): Promise<Sighting> {
    const lastHost = seenOn.get(ref)
    const first = sites.filter(({ rule: { name } }) => name === lastHost)
    const rest = sites.filter((host) => !first.includes(host))
    const silent: Sighting['silent'] = []
    for (const group of [first, rest]) {
      const found = (await Promise.all(group.map((host) => lookOn(host, ref, silent, signal)))).flat()
      signal.throwIfAborted()
      if (found.length > 1) throw twice(ref, found)
      const [only] = found
      if (only !== undefined) {
        seenOn.set(ref, only.host)
        return { found: only, silent, lastHost: only.host }
      }
    }
    if (silent.length === 0) seenOn.delete(ref)
    return { found: undefined, silent, lastHost }
  }

  async function lookOn(
    host: Site,
    ref: string,
    silent: Sighting['silent'],
    signal: AbortSignal,
  ): Promise<Found[]> {
    try {
      return (await searchOn(host, ref, signal)).map((machine) => foundOn(host.rule.name, machine))
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof Outage)) throw error
      silent.push({ host: host.rule.name, cause: error })
      return []
    }
  }

  async function survey(signal: AbortSignal): ReturnType<Farm['survey']> {
    const each = await Promise.all(sites.map((host) => surveyOf(host, signal)))
    signal.throwIfAborted()
    const hosts = each.map(({ status }) => status)
    const last = each.find(({ cause }) => cause !== undefined)
    if (hosts.every(({ reachable }) => !reachable)) throw hypervisorUnreachable(rule.name, last?.cause)
    const machines = each.flatMap(({ machines: found }) => found)
    for (const machine of machines) if (machine.note) seenOn.set(machine.note.ref, machine.host)
    return { hosts, machines }
  }

  async function surveyOf(host: Site, signal: AbortSignal) {
    const { name } = host.rule
    try {
      if (!told.has(name))
        facts.set(name, await farm.ask(name, scripts.host, {}, { answer: HostFacts, signal }))
      told.add(name)
      const all = await farm.ask(name, scripts.list, {}, { answer: z.array(Machine), signal })
      return {
        status: hostStatus(rule, host.rule, facts.get(name), true),
        machines: all.map((machine) => foundOn(name, machine)),
      }
    } catch (cause) {
      signal.throwIfAborted()
      if (!(cause instanceof Outage)) throw cause
      log.warn(
        { hypervisor: rule.name, host: name, error: messageOf(cause) },
        'host of Hyper-V does not answer',
      )
      told.delete(name)
      return { status: hostStatus(rule, host.rule, facts.get(name), false), machines: [], cause }
    }
  }

  return farm
}

const soon = { transient: true }

function twice(ref: string, found: readonly Found[]) {
  const places = found.map(({ host, name }) => `${name} on ${host}`).join(' and ')
  return refused(`${places} both bear the note of machine ${ref}. Take it out of the notes of the copy.`)
}

function hostStatus(
  rule: HyperVRule,
  { name, slots, group }: HyperVHostRule,
  facts: HostFacts | undefined,
  reachable: boolean,
): HostStatus {
  return {
    ...{ name, slots, group, reachable },
    version: facts === undefined ? 'unknown' : `Hyper-V on Windows ${facts.version}`,
    cpus: facts?.cpus ?? 0,
    memoryGb: Math.floor((facts?.memory ?? 0) / gigabyte),
    templates: Object.keys(rule.templates),
    ...(facts === undefined ? {} : { cpu: facts.cpu.trim() }),
  }
}
