import { Outage } from '../../src/base/errors.ts'
import type { Chat } from '../../bot/chat.ts'
import type { Instant } from '../../src/base/clock.ts'
import { type Ids, idText } from '../../src/base/ids.ts'
import type { Config } from '../../src/config.ts'
import type { Hypervisor } from '../../src/hypervisors/hypervisor.ts'
import { type Faults, simulator } from '../../src/hypervisors/simulator.ts'
import { openDirectory } from '../../src/identity/open.ts'
import type { Directory } from '../../src/identity/directory.ts'
import { silentLog } from '../../src/base/log.ts'
import { type MemoryDisk, memoryFiles } from '../fakes/memory-files.ts'
import type { Random } from '../torture/random.ts'
import { type Agenda, openAgenda, type Owner } from './agenda.ts'
import { openPlatform, type Platform } from './platform.ts'

/** How likely each part of the world fails at a turn, from 0 to 1. */
export interface Weather {
  disk: number
  driver: number
  /** That the driver says never again, though nothing is wrong for good. */
  refusal: number
  hang: number
  chat: number
  directory: number
}

export const fair: Weather = { disk: 0, driver: 0, refusal: 0, hang: 0, chat: 0, directory: 0 }

/** Everything outside the service: what is still there when its process is killed. */
export interface World {
  readonly config: Config
  readonly random: Random
  readonly agenda: Agenda
  readonly disk: MemoryDisk
  readonly farm: Hypervisor & Faults
  readonly platform: Platform
  readonly directory: Directory
  readonly ids: Ids
  weather: Weather
  /** Machines that were lost in the provider's own console, by ref. */
  readonly vanished: Set<string>
  /** Which process of the service is at work. */
  process: Owner
  now(): Instant
  /** Handles of all machines that the farm has. */
  farmRefs(): Promise<string[]>
  happens(chance: number): boolean
}

export async function openWorld(config: Config, start: Instant, random: Random): Promise<World> {
  const agenda = openAgenda(start, random)
  const { clock } = agenda
  const [rule] = config.hypervisors
  if (rule?.kind !== 'simulator') throw new Error('the simulated site has a hypervisor')
  const world: World = {
    config,
    random,
    agenda,
    disk: memoryFiles(),
    farm: await simulator(
      { ...rule },
      {
        clock,
        log: silentLog,
        // Mostly as long as the file says, at times far longer.
        sleep: (amount, signal) =>
          agenda.sleep(world.process, amount * (random.next() < 0.1 ? 60 : random.next() * 2), signal),
      },
    ),
    platform: openPlatform(),
    directory: await openDirectory(config.identity),
    ids: idsOf(random),
    weather: fair,
    vanished: new Set(),
    process: 0,
    now: () => clock.now(),
    farmRefs: async () => {
      const { machines } = await world.farm.inventory(new AbortController().signal)
      return machines.map(({ ref }) => ref)
    },
    happens: (chance) => chance > 0 && random.next() < chance,
  }
  world.disk.syncing = () => Promise.resolve()
  world.disk.before = async ({ kind, name }) => {
    await agenda.turn(world.process)
    if (world.happens(world.weather.disk))
      throw new Error(`${random.next() < 0.5 ? 'ENOSPC' : 'EIO'}: ${kind} ${name}`)
  }
  return world
}

function idsOf(random: Random): Ids {
  const bytes = (count: number) => Uint8Array.from({ length: count }, () => random.below(256))
  return {
    next: (prefix, at) => idText(prefix, at, bytes(7)),
    secret: (count) => Buffer.from(bytes(count)).toString('base64url'),
  }
}

/** The farm as a process reaches it: each call may fail, be refused, hang, or be done and its answer lost. */
export function drivenBy(owner: Owner, world: World): Hypervisor {
  const { agenda, farm } = world
  async function call<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const { weather } = world
    await agenda.turn(owner)
    signal.throwIfAborted()
    if (world.happens(weather.refusal))
      throw new Outage('hypervisor_refused', 'The simulated farm will not.', { transient: false })
    if (world.happens(weather.hang)) await agenda.sleep(owner, 86_400_000, signal)
    if (world.happens(weather.driver)) throw unreachable()
    const answer = await work()
    if (world.happens(weather.driver)) throw unreachable()
    await agenda.turn(owner)
    return answer
  }
  return {
    ...farm,
    inventory: (signal) => call(signal, () => farm.inventory(signal)),
    provision: (spec, stage, signal) => call(signal, () => farm.provision(spec, stage, signal)),
    status: (ref, signal) => call(signal, () => farm.status(ref, signal)),
    start: (ref, signal) => call(signal, () => farm.start(ref, signal)),
    shutdown: (ref, signal) => call(signal, () => farm.shutdown(ref, signal)),
    powerOff: (ref, signal) => call(signal, () => farm.powerOff(ref, signal)),
    reset: (ref, signal) => call(signal, () => farm.reset(ref, signal)),
    save: (ref, signal) => call(signal, () => farm.save(ref, signal)),
    resume: (ref, signal) => call(signal, () => farm.resume(ref, signal)),
    resize: (ref, size, signal) => call(signal, () => farm.resize(ref, size, signal)),
    restoreClean: (ref, signal) => call(signal, () => farm.restoreClean(ref, signal)),
    remove: (ref, signal) => call(signal, () => farm.remove(ref, signal)),
    close: () => Promise.resolve(),
  }
}

function unreachable(): Outage {
  return new Outage('hypervisor_unreachable', 'The simulated farm gives no answer.', { transient: true })
}

/** The directory as a process reaches it. */
export function askedBy(owner: Owner, world: World): Directory {
  const { directory, agenda } = world
  async function ask<T>(work: () => Promise<T>): Promise<T> {
    await agenda.turn(owner)
    if (world.happens(world.weather.directory))
      throw new Outage('directory_unreachable', 'The simulated directory gives no answer.', {
        transient: true,
      })
    return work()
  }
  return {
    ...directory,
    authenticate: (user, password, signal) => ask(() => directory.authenticate(user, password, signal)),
    find: (user) => ask(() => directory.find(user)),
    members: (name) => ask(() => directory.members(name)),
    close: () => Promise.resolve(),
  }
}

/** The chat as a process reaches it: it may be away, or have the card and its answer be lost. */
export function toldBy(owner: Owner, world: World): Chat {
  const away = () =>
    new Outage('chat_unreachable', 'The simulated chat gives no answer.', { transient: true })
  return world.platform.chat(
    () => world.now(),
    async (work) => {
      await world.agenda.turn(owner)
      if (world.happens(world.weather.chat)) throw away()
      const answer = work()
      if (world.happens(world.weather.chat)) throw away()
      return answer
    },
  )
}
