import { expect, test, vi } from 'vitest'
import { openWork } from '../../../bot/slack/work.ts'

test('what comes at once is carried out eight at a time, in order of arrival, and a failure holds up nothing', async () => {
  const works: Promise<unknown>[] = []
  const work = openWork({ began: (one) => void works.push(one.catch(() => undefined)) })
  const begun: number[] = []
  const gates: (() => void)[] = []

  for (let index = 0; index < 10; index++) {
    work.start(async () => {
      begun.push(index)
      await new Promise<void>((resolve) => gates.push(resolve))
      if (index === 0) throw new Error('no')
    })
  }
  await vi.waitFor(() => expect(begun).toEqual([0, 1, 2, 3, 4, 5, 6, 7]))
  gates[0]?.()
  await vi.waitFor(() => expect(begun.at(-1)).toBe(8))
  gates[1]?.()
  await vi.waitFor(() => expect(begun.at(-1)).toBe(9))
  for (const open of gates) open()
  await Promise.all(works)

  expect(begun).toHaveLength(10)
})
