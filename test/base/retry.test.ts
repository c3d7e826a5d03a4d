import { expect, test } from 'vitest'
import { Outage } from '../../src/base/errors.ts'
import { persist } from '../../src/base/retry.ts'

function failing(times: number, error: Error): () => Promise<number> {
  let calls = 0
  return async () => {
    calls += 1
    if (calls <= times) throw error
    return calls
  }
}

function outage(transient: boolean): Outage {
  return new Outage('store_unwritable', 'no space left', { transient })
}

test('work is tried again, each time after a longer pause, until it is done', async () => {
  const pauses: number[] = []
  const wait = async (pause: number) => void pauses.push(pause)

  const tries = await persist(failing(7, outage(true)), { stop: new AbortController().signal, wait })

  expect(tries).toBe(8)
  expect(pauses).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000])
})

test.each([
  ['what trying again does not help', outage(false)],
  ['a mistake of ours', new Error('a bug')],
])('%s is given up at once', async (_case, error) => {
  const wait = async () => Promise.reject(new Error('it waited'))

  const work = persist(failing(1, error), { stop: new AbortController().signal, wait })

  await expect(work).rejects.toBe(error)
})

test('once it is stopped, work is tried no more than once again', async () => {
  const stop = new AbortController()
  const wait = async () => stop.abort()

  const work = persist(failing(9, outage(true)), { stop: stop.signal, wait })

  await expect(work).rejects.toMatchObject({ code: 'store_unwritable' })
})
