import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { plusMillis } from '../../src/base/clock.ts'
import type { Work } from '../../src/jobs/trade.ts'
import { usualHoldMillis as holdMillis } from '../../src/jobs/taking.ts'
import { heldRun, type JobRig, moment, noon, openJobRig } from './rig.ts'

let rig: JobRig
beforeEach(async () => {
  rig = await openJobRig()
  await rig.enqueue()
})
afterEach(async () => {
  vi.useRealTimers()
  await rig.store.close()
})

const nothing = async (): Promise<void> => undefined
const runOut = plusMillis(noon, holdMillis)

describe('a job that one process has in hand', () => {
  test('is left to it until it has said nothing for too long, then another takes it over', async () => {
    const hanging = heldRun()
    const first = await rig.process('P-1', hanging.run)
    const second = await rig.process('P-2', nothing)
    const firstDone = first.drain()
    await hanging.begun

    rig.clock.set(plusMillis(runOut, -1))
    await second.drain()
    const before = await rig.job()
    rig.clock.set(runOut)
    await second.drain()
    const after = await rig.job()

    expect(before).toMatchObject({ state: 'running', takenBy: 'P-1', takenUntil: runOut, attempts: 1 })
    expect(after).toMatchObject({ state: 'done', takenBy: null, attempts: 2 })
    expect(rig.lines.join()).toContain('job taken from a process that is lost')
    hanging.release()
    await firstDone
  })

  test('is due for others when its time runs out', async () => {
    const hanging = heldRun()
    const first = await rig.process('P-1', hanging.run)
    const second = await rig.process('P-2', nothing)
    const firstDone = first.drain()
    await hanging.begun

    expect(await second.nextDue()).toBe(runOut)

    hanging.release()
    await firstDone
  })

  test.each([
    ['succeeds', nothing],
    [
      'fails',
      async () => {
        throw new Error('too late')
      },
    ],
    ['reports a stage', (work: Work<'redraw-cards'>) => work.plan(['too late'])],
  ])('and that another took over is left alone by a first run that %s then', async (_, rest) => {
    const failed = vi.fn()
    const hanging = heldRun(rest)
    const second = heldRun()
    const firstDone = (await rig.process('P-1', hanging.run, { failed })).drain()
    await hanging.begun
    rig.clock.set(runOut)
    const secondDone = (await rig.process('P-2', second.run)).drain()
    await second.begun

    hanging.release()
    await firstDone
    const meanwhile = await rig.job()
    second.release()
    await secondDone

    expect(meanwhile).toMatchObject({ state: 'running', takenBy: 'P-2', attempts: 2, stages: [] })
    expect(await rig.job()).toMatchObject({ state: 'done', attempts: 2 })
    expect(rig.lines.filter((line) => line.includes('job was taken over meanwhile'))).toHaveLength(1)
    expect(failed).not.toHaveBeenCalled()
  })

  test('is not begun a second time by the same process while its first run hangs', async () => {
    const runs = vi.fn()
    const hanging = heldRun()
    const runner = await rig.process('P-1', (work) => {
      runs()
      return hanging.run(work)
    })
    const done = runner.drain()
    await hanging.begun
    rig.clock.set(plusMillis(runOut, 60_000))
    const doneToo = runner.drain()

    hanging.release()
    await Promise.all([done, doneToo])

    expect(runs).toHaveBeenCalledTimes(1)
    expect(await rig.job()).toMatchObject({ state: 'done', attempts: 1 })
  })
})

describe('a process that starts', () => {
  test.each([
    ['has the store alone: what ran when the last one died is taken up at once', false, 'P-2'],
    ['shares the store: what others have in hand stays theirs', true, 'P-1'],
  ])('and %s', async (_, shared, owner) => {
    const before = heldRun()
    const firstDone = (await rig.process('P-1', before.run)).drain()
    await before.begun
    const after = heldRun()
    const looked = moment<undefined>()
    const looks = { name: 'looks', next: async () => null, run: async () => (looked.reach(undefined), false) }
    const runner = await rig.process('P-2', after.run, { shared, sweeps: [looks] })

    await runner.start()
    await (shared ? looked.reached : after.begun)

    expect(await rig.job()).toMatchObject({ state: 'running', takenBy: owner })
    before.release()
    after.release()
    await Promise.all([firstDone, runner.stop(1000)])
  })
})

describe('a process that works by itself', () => {
  test('says again and again that it still has a job, and gives up one that it has no more', async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true, toFake: ['setTimeout', 'clearTimeout'] })
    const long = heldRun()
    const runner = await rig.process('P-1', long.run)
    await runner.start()
    const { signal } = await long.begun
    rig.clock.set(plusMillis(noon, 10_000))
    await vi.advanceTimersByTimeAsync(10_000)
    await vi.waitFor(async () =>
      expect((await rig.job()).takenUntil).toBe(plusMillis(noon, 10_000 + holdMillis)),
    )
    const before = signal.aborted
    const job = await rig.job()
    await rig.store.transact((tx) => tx.jobs.put({ ...job, takenBy: 'P-2', attempts: 2 }))
    await vi.advanceTimersByTimeAsync(10_000)
    await vi.waitFor(() => expect(signal.aborted).toBe(true))

    expect(before).toBe(false)
    long.release()
    await runner.stop(0)
    expect(await rig.job()).toMatchObject({ state: 'running', takenBy: 'P-2' })
  })
})
