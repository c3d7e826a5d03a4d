import { pino } from 'pino'
import type { Log } from '../../src/base/log.ts'
import { openDirectory } from '../../src/identity/open.ts'
import { type Job, newJob } from '../../src/jobs/job.ts'
import { openRunner, type Runner } from '../../src/jobs/runner.ts'
import type { Sweep } from '../../src/jobs/schedule.ts'
import type { Trade, Work } from '../../src/jobs/trade.ts'
import { trades } from '../../src/jobs/trades.ts'
import type { Store } from '../../src/store/store.ts'
import { memoryFiles } from '../fakes/memory-files.ts'
import {
  countedIds,
  demoConfig,
  type MovableClock,
  movableClock,
  recordingTeller,
} from '../operations/core.ts'
import { openOn } from '../store/opened.ts'

export const noon = '2026-11-23T12:00:00.000Z'

/** A store on virtual time with one kind of job, whose runs a test decides about. */
export interface JobRig {
  clock: MovableClock
  store: Store
  /** What was logged, a line each. */
  lines: string[]
  /** A process with a runner of its own. */
  process(name: string, run: Trade<'redraw-cards'>['run'], options?: ProcessOptions): Promise<Runner>
  /** Saves a job that is due. */
  enqueue(): Promise<void>
  job(): Promise<Job>
}

export interface ProcessOptions {
  /** As a store that other processes may share. */
  shared?: boolean
  failed?: () => void
  sweeps?: Sweep[]
}

export async function openJobRig(): Promise<JobRig> {
  const clock = movableClock(noon)
  const store = await openOn(memoryFiles(), { clock })
  const lines: string[] = []
  const log: Log = pino({ level: 'info' }, { write: (line) => void lines.push(line) })
  const { site, identity } = await demoConfig()
  const directory = await openDirectory(identity)
  return {
    ...{ clock, store, lines },
    process: async (name, run, { shared = false, failed, sweeps = [] } = {}) => {
      const trade: Trade<'redraw-cards'> = {
        ...trades['redraw-cards'],
        run,
        ...(failed === undefined ? {} : { failed: async () => failed() }),
      }
      const tools = {
        ...{ site, clock, ids: countedIds(), log, directory, teller: recordingTeller() },
        store: shared ? asShared(store) : store,
        hypervisors: new Map(),
        closeConnections: async () => 0,
        registrars: [],
      }
      const all = { ...trades, 'redraw-cards': trade }
      return openRunner(tools, { trades: all, sweeps, concurrency: 4, chance: () => 0, process: name })
    },
    enqueue: () =>
      store.transact((tx) =>
        tx.jobs.put(
          newJob({
            ...{ id: 'J-1', kind: 'redraw-cards', input: { about: 'request:R-1' } },
            ...{ subject: 'cards:request:R-1', by: 'alice', at: clock.now() },
          }),
        ),
      ),
    job: async () => {
      const job = await store.read((tx) => tx.jobs.get('J-1'))
      if (job === undefined) throw new Error('there is no job')
      return job
    },
  }
}

/** The same store, as one that does not belong to one process alone. */
export function asShared(store: Store): Store {
  return {
    shared: true,
    transact: (work) => store.transact(work),
    read: (work) => store.read(work),
    onCommit: (listener) => store.onCommit(listener),
    health: () => store.health(),
    close: () => store.close(),
  }
}

/** A run that a test lets go on when it likes; like that of a process that hangs, until then. */
export interface HeldRun {
  run: (work: Work<'redraw-cards'>) => Promise<void>
  /** Resolves when the run has begun. */
  begun: Promise<Work<'redraw-cards'>>
  /** Lets it go on. */
  release: () => void
}

export function heldRun(
  rest: (work: Work<'redraw-cards'>) => Promise<void> = async () => undefined,
): HeldRun {
  const began = moment<Work<'redraw-cards'>>()
  const held = moment<undefined>()
  return {
    begun: began.reached,
    release: () => held.reach(undefined),
    run: async (work) => {
      began.reach(work)
      await held.reached
      await rest(work)
    },
  }
}

/** Something that will have happened, with what came of it. */
export function moment<T>(): { reached: Promise<T>; reach: (value: T) => void } {
  let reach: (value: T) => void = () => undefined
  const reached = new Promise<T>((resolve) => {
    reach = resolve
  })
  return { reached, reach: (value) => reach(value) }
}
