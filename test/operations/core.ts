import { readFile } from 'node:fs/promises'
import { earliest, instant, type Instant, millis, plusMillis } from '../../src/base/clock.ts'
import { type Ids, idText } from '../../src/base/ids.ts'
import { silentLog } from '../../src/base/log.ts'
import { packagePath } from '../../src/base/package-root.ts'
import { checkConfig, type Config } from '../../src/config.ts'
import type { Hypervisor } from '../../src/hypervisors/hypervisor.ts'
import { type Faults, simulator } from '../../src/hypervisors/simulator.ts'
import { openDirectory } from '../../src/identity/open.ts'
import type { Caller } from '../../src/identity/person.ts'
import { callerFor } from '../../src/identity/roles.ts'
import { signIn } from '../../src/identity/sign-in.ts'
import { throttle } from '../../src/identity/throttle.ts'
import { openRunner, type Runner } from '../../src/jobs/runner.ts'
import { type Pace, sweeps, trades } from '../../src/jobs/trades.ts'
import type { Delivery, Notice, Teller } from '../../src/notices/notice.ts'
import type { Registrar } from '../../src/registration/registrar.ts'
import { openOperations, type Operations } from '../../src/operations/perform.ts'
import type { Store } from '../../src/store/store.ts'
import { memoryFiles } from '../fakes/memory-files.ts'
import { openOn } from '../store/opened.ts'

/** The clock, which stands still until it is moved. */
export interface MovableClock {
  now(): Instant
  set(at: Instant): void
}

export function movableClock(at: Instant): MovableClock {
  let now = at
  return {
    now: () => now,
    set: (next) => {
      now = next
    },
  }
}

/** Ids and secrets that are the same in every run. */
export function countedIds(): Ids {
  let count = 0
  return {
    next: (prefix, at) => {
      count += 1
      return idText(prefix, at, Buffer.from(String(count).padStart(7, '0')))
    },
    secret: (bytes) => {
      count += 1
      return Buffer.alloc(bytes, String(count).padStart(8, '0')).toString('base64url')
    },
  }
}

/** What people were told, in order; a test may make somebody unreachable. */
export interface Told extends Teller {
  readonly notices: { user: string; notice: Notice }[]
  unreachable: Set<string>
}

export function recordingTeller(): Told {
  const notices: { user: string; notice: Notice }[] = []
  const unreachable = new Set<string>()
  return {
    notices,
    unreachable,
    async tell(notice: Notice, user: string, known: readonly Delivery[]) {
      if (known.length > 0 || unreachable.has(user)) return { copies: [], waiting: [] }
      notices.push({ user, notice })
      const copies = [{ platform: 'web', channel: user, message: `${notice.id}-${user}` }]
      return { copies, waiting: [] }
    },
    announce: async () => ({ copies: [], waiting: [] }),
    redraw: async () => undefined,
  }
}

/** The demo site's file, with changes by text. */
export async function demoConfig(edit: (yaml: string) => string = (yaml) => yaml): Promise<Config> {
  const result = checkConfig(
    edit(await readFile(packagePath('src', 'demo.yaml'), 'utf8')),
    'demo.yaml',
    '/data',
  )
  if ('faults' in result) throw new Error(JSON.stringify(result.faults))
  return result.config
}

/** Everything but the faces: operations, jobs and a simulator on virtual time. */
export interface Core {
  config: Config
  clock: MovableClock
  store: Store
  operations: Operations
  hypervisor: Hypervisor & Faults
  told: Told
  closedFor: string[]
  as(user: string): Promise<Caller>
  /** Does what is due now and what follows from it. */
  settle(): Promise<void>
  /** Lets time pass, stopping wherever something is due. */
  pass(amountMillis: number): Promise<void>
  close(): Promise<void>
}

export interface CoreOptions {
  config?: Config
  at?: Instant
  pace?: Pace
  registrars?: readonly Registrar[]
  /** Where several processes are at work on one site: the store as each of them has it. */
  stores?: readonly [Store, ...Store[]]
}

export async function openCore(options: CoreOptions = {}): Promise<Core> {
  const config = options.config ?? (await demoConfig())
  const clock = movableClock(options.at ?? '2026-11-23T08:00:00.000Z')
  const [ids, log, { site }] = [countedIds(), silentLog, config]
  const stores = options.stores ?? ([await openOn(memoryFiles(), { clock })] as const)
  const [store] = stores
  const directory = await openDirectory(config.identity)
  const [rule] = config.hypervisors
  if (rule?.kind !== 'simulator') throw new Error('the demo has a simulated hypervisor')
  const hypervisor = await simulator({ ...rule }, { clock, log, sleep: () => Promise.resolve() })
  const passwords = signIn({ directory, throttle: throttle(), clock })
  const hypervisors = new Map([[rule.name, hypervisor]])
  const services = { store, site, clock, ids, directory, signIn: passwords, hypervisors, log }
  const operations = openOperations(services)
  const told = recordingTeller()
  const closedFor: string[] = []
  const tools = {
    ...{ site, clock, ids, log, directory, teller: told },
    hypervisors,
    registrars: options.registrars ?? [],
    closeConnections: async (lease: string) => {
      closedFor.push(lease)
      return 0
    },
  }
  const pace = options.pace ?? leisurely
  const runner = together(
    stores.map((own, index) =>
      openRunner(
        { ...tools, store: own },
        { trades, sweeps: sweeps(site, pace), concurrency: 8, chance: () => 0, process: `P-${index + 1}` },
      ),
    ),
  )
  await runner.drain()
  return {
    ...{ config, clock, store, operations, hypervisor, told, closedFor },
    as: async (user) => {
      const person = await directory.find(user)
      if (person === undefined) throw new Error(`the demo has no ${user}`)
      return callerFor(person, site.roles, 'rest', '127.0.0.1')
    },
    settle: () => runner.drain(),
    pass: (amount) => passTime(clock, runner, amount),
    close: async () => {
      await runner.stop(0)
      await hypervisor.close()
      await Promise.all(stores.map((own) => own.close()))
    },
  }
}

/** Several runners at the same time. */
function together(runners: readonly Runner[]): Pick<Runner, 'drain' | 'nextDue' | 'stop'> {
  return {
    drain: async () => {
      await Promise.all(runners.map((runner) => runner.drain()))
    },
    nextDue: async () => earliest(...(await Promise.all(runners.map((runner) => runner.nextDue())))),
    stop: async (grace) => {
      await Promise.all(runners.map((runner) => runner.stop(grace)))
    },
  }
}

/** Weeks pass in these tests, and nothing happens to the simulated hosts meanwhile. */
export const leisurely: Pace = { observeMillis: 86_400_000, tidyMillis: 86_400_000 }

/** Goes from one due instant to the next, so that nothing is early and nothing is skipped. */
export async function passTime(
  clock: MovableClock,
  runner: { drain(): Promise<void>; nextDue(): Promise<Instant | null> },
  amountMillis: number,
): Promise<void> {
  const end = plusMillis(clock.now(), amountMillis)
  for (;;) {
    const due = await runner.nextDue()
    if (due === null || due > end) break
    clock.set(instant(Math.max(millis(due), millis(clock.now()))))
    await runner.drain()
  }
  clock.set(end)
  await runner.drain()
}

export const minute = 60_000
export const hour = 60 * minute
export const day = 24 * hour
