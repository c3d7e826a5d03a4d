import { expect, test } from 'vitest'
import { steady } from '../../bot/steady.ts'
import { instant, millis } from '../../src/base/clock.ts'
import { Outage } from '../../src/base/errors.ts'
import { movableClock } from '../operations/core.ts'
import { keptChat } from './rig.ts'

const noon = '2026-11-23T12:00:00.000Z'

/** A platform that fails as often as it is told to. */
function failing(code: string, times: number) {
  let asked = 0
  const chat = {
    ...keptChat(),
    async reaches() {
      asked += 1
      if (asked <= times) throw new Outage(code, 'slack gives no answer', { transient: true })
      return true
    },
  }
  return { chat, asked: () => asked }
}

test('a platform that does not answer is left alone for a moment, and longer each time', async () => {
  const clock = movableClock(noon)
  const { chat, asked } = failing('chat_unreachable', 100)
  const steadied = steady(chat, clock)
  const askedBy: number[] = []

  for (let second = 0; second < 40; second++) {
    clock.set(instant(millis(noon) + second * 1000))
    await steadied.reaches('alice').catch(() => undefined)
    askedBy.push(asked())
  }

  expect(
    askedBy
      .map((count, second) => ({ count, second }))
      .filter(({ count, second }) => askedBy[second - 1] !== count)
      .map(({ second }) => second),
  ).toEqual([0, 5, 15, 35])
  expect(steadied.status()).toEqual({ state: 'down', detail: 'slack gives no answer' })
})

test('whatever is wanted meanwhile is told at once that it has to wait', async () => {
  const { chat, asked } = failing('chat_unreachable', 1)
  const steadied = steady(chat, movableClock(noon))
  await steadied.reaches('alice').catch(() => undefined)

  const second = steadied.reaches('bob')

  await expect(second).rejects.toMatchObject({ code: 'chat_unreachable', transient: true })
  expect(asked()).toBe(1)
})

test('one answer is enough to be up again', async () => {
  const clock = movableClock(noon)
  const steadied = steady(failing('chat_unreachable', 1).chat, clock)
  await steadied.reaches('alice').catch(() => undefined)
  clock.set('2026-11-23T12:00:05.000Z')

  const reached = await steadied.reaches('alice')

  expect([reached, steadied.status().state]).toEqual([true, 'up'])
})

test('what is wrong with one message only stops no other', async () => {
  const steadied = steady(failing('chat_busy', 1).chat, movableClock(noon))
  const first = steadied.reaches('alice')
  await expect(first).rejects.toMatchObject({ code: 'chat_busy' })

  const second = await steadied.reaches('bob')

  expect([second, steadied.status().state]).toEqual([true, 'up'])
})
