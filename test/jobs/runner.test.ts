import { expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { type Desk, enqueue } from '../../src/jobs/outbox.ts'
import { openRunner } from '../../src/jobs/runner.ts'
import type { Sweep } from '../../src/jobs/schedule.ts'
import { trades } from '../../src/jobs/trades.ts'
import type { Tools } from '../../src/jobs/trade.ts'
import type { Store } from '../../src/store/store.ts'
import { memoryFiles } from '../fakes/memory-files.ts'
import { countedIds, demoConfig, recordingTeller } from '../operations/core.ts'
import { openDirectory } from '../../src/identity/open.ts'
import { openOn } from '../store/opened.ts'

async function tools(): Promise<Tools> {
  const config = await demoConfig()
  return {
    store: await openOn(memoryFiles()),
    site: config.site,
    clock: systemClock,
    ids: countedIds(),
    log: silentLog,
    hypervisors: new Map(),
    directory: await openDirectory(config.identity),
    teller: recordingTeller(),
    closeConnections: async () => 0,
    registrars: [],
  }
}

/** Less than the runner sleeps when nothing wakes it. */
const soon = 3_000

test(
  'a job that is saved while the runner decides how long to sleep is not slept over',
  { timeout: soon },
  async () => {
    const desk = await tools()
    const { store } = desk
    let isDeciding = false
    const deciding: Sweep = {
      name: 'deciding',
      next: async () => {
        isDeciding = true
        return null
      },
      run: async () => false,
    }
    /** Saves a job once the runner has looked for what is due, and before it can go to sleep. */
    const saveBetween = async (): Promise<void> => {
      if (!isDeciding || (await store.read((tx) => tx.jobs.all())).length > 0) return
      await store.transact((tx) => saveJob({ ...desk, tx, now: desk.clock.now() }))
    }
    const between: Store = {
      shared: false,
      transact: (work) => store.transact(work),
      read: async (work) => {
        const answer = await store.read(work)
        await saveBetween()
        return answer
      },
      onCommit: (listener) => store.onCommit(listener),
      health: () => store.health(),
      close: () => store.close(),
    }
    const runner = openRunner(
      { ...desk, store: between },
      { trades, sweeps: [deciding], concurrency: 1, chance: () => 0 },
    )
    const done = new Promise<void>((resolve) => {
      store.onCommit(() => {
        void store.read((tx) => tx.jobs.all()).then(([job]) => job?.state === 'done' && resolve())
      })
    })

    await runner.start()
    await done
    await runner.stop(0)

    expect(isDeciding).toBe(true)
  },
)

function saveJob(desk: Desk): Promise<unknown> {
  return enqueue(desk, 'redraw-cards', { about: 'x:1' }, { subject: 'x:1', by: 'test' })
}

test('a job that is in hand when the runner stops is put back, and counts as no attempt', async () => {
  const desk = await tools()
  let begin: () => void = () => undefined
  const begun = new Promise<void>((resolve) => (begin = resolve))
  const hanging = {
    ...trades,
    'redraw-cards': {
      ...trades['redraw-cards'],
      run: ({ signal }: { signal: AbortSignal }) => {
        begin()
        return new Promise<void>((_, reject) =>
          signal.addEventListener('abort', () => reject(new Error('aborted'))),
        )
      },
    },
  }
  const runner = openRunner(desk, { trades: hanging, sweeps: [], concurrency: 1, chance: () => 0 })
  const now = desk.clock.now()
  await desk.store.transact((tx) => saveJob({ ...desk, tx, now }))

  await runner.start()
  await begun
  await runner.stop(0)

  const [job] = await desk.store.read((tx) => tx.jobs.all())
  expect(job).toMatchObject({ state: 'queued', attempts: 0, takenUntil: null })
})
