import { expect, test } from 'vitest'
import { live } from './life.ts'

test.each([4, 17, 42])('seed %i tells the very same story twice, to the last id', async (seed) => {
  const first = await live(seed)
  const second = await live(seed)

  expect(second.trace).toEqual(first.trace)
  expect(second.hash).toBe(first.hash)
})

test('another seed tells another story', async () => {
  const [one, other] = [await live(5), await live(6)]

  expect(other.hash).not.toBe(one.hash)
})
