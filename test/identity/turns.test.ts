import { expect, test } from 'vitest'
import { turns } from '../../src/identity/turns.ts'

const calm = new AbortController().signal

/** Work that ends when it is told to. */
function work() {
  let finish: () => void = () => undefined
  let isStarted = false
  const done = new Promise<void>((resolve) => {
    finish = resolve
  })
  return {
    finish: () => finish(),
    isStarted: () => isStarted,
    run: async () => {
      isStarted = true
      await done
    },
  }
}

/** Lets everything run that waits for nothing outside. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve()
}

test('no more than so much is in hand, and the rest follows in order', async () => {
  const inTurn = turns({ atOnce: 2, waiting: 10 })
  const all = [work(), work(), work(), work()]

  const results = all.map(({ run }) => inTurn(calm, run))
  await settle()
  const atFirst = all.map(({ isStarted }) => isStarted())
  all[1]?.finish()
  await settle()
  const afterOne = all.map(({ isStarted }) => isStarted())
  all.forEach(({ finish }) => finish())
  await Promise.all(results)

  expect(atFirst).toEqual([true, true, false, false])
  expect(afterOne).toEqual([true, true, true, false])
})

test('work that fails makes room for the next', async () => {
  const inTurn = turns({ atOnce: 1, waiting: 10 })

  const failed = inTurn(calm, () => Promise.reject(new Error('broken')))
  const next = inTurn(calm, () => Promise.resolve('next'))

  await expect(failed).rejects.toThrow('broken')
  await expect(next).resolves.toBe('next')
})

test('what comes when too much waits is turned away', async () => {
  const inTurn = turns({ atOnce: 1, waiting: 1 })
  const [first, second] = [work(), work()]
  const admitted = [inTurn(calm, first.run), inTurn(calm, second.run)]

  const third = inTurn(calm, () => Promise.resolve())

  await expect(third).rejects.toMatchObject({ code: 'directory_busy', transient: true })
  first.finish()
  second.finish()
  await expect(Promise.all(admitted)).resolves.toHaveLength(2)
})

test('whoever stops waiting leaves the queue', async () => {
  const inTurn = turns({ atOnce: 1, waiting: 1 })
  const [first, second] = [work(), work()]
  const leaving = new AbortController()
  const admitted = inTurn(calm, first.run)

  const left = inTurn(leaving.signal, second.run)
  leaving.abort(new Error('gone'))
  const later = inTurn(calm, () => Promise.resolve('later'))
  first.finish()

  await expect(left).rejects.toThrow('gone')
  await expect(later).resolves.toBe('later')
  await expect(admitted).resolves.toBeUndefined()
  expect(second.isStarted()).toBe(false)
})
