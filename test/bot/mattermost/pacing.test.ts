import { expect, test } from 'vitest'
import { openEdits, openPace } from '../../../bot/mattermost/pacing.ts'

/** Time that passes only by waiting, and what was waited for. */
function stopwatch() {
  let now = 0
  const waits: number[] = []
  return {
    waits,
    nowMillis: () => now,
    wait: async (millis: number) => {
      waits.push(millis)
      now += millis
    },
  }
}

test('a burst goes at once, and what is more goes at the pace', async () => {
  const watch = stopwatch()
  const pace = openPace({ perSecond: 10, burst: 3, ...watch })

  for (let call = 0; call < 5; call++) await pace.turn()

  expect(watch.waits).toEqual([100, 100])
  expect(watch.nowMillis()).toBe(200)
})

test('nobody has a turn while the server wants to be left alone', async () => {
  const watch = stopwatch()
  const pace = openPace({ perSecond: 10, burst: 3, ...watch })
  pace.holdBack(1000)

  await pace.turn()

  expect(watch.nowMillis()).toBe(1000)
})

test('of edits that come close together the last is made, and all wait for it', async () => {
  const watch = stopwatch()
  const edits = openEdits({ apartMillis: 1200, ...watch })
  const made: string[] = []
  const edit = (text: string) =>
    edits.edit('post', async () => {
      made.push(text)
      return true
    })
  await edit('first')

  const stand = await Promise.all([edit('second'), edit('third'), edit('fourth')])

  expect(made).toEqual(['first', 'fourth'])
  expect(stand).toEqual([true, true, true])
  expect(watch.waits).toEqual([1200])
})

test('edits of different things do not wait for each other', async () => {
  const watch = stopwatch()
  const edits = openEdits({ apartMillis: 1200, ...watch })

  await Promise.all(['a', 'b', 'c'].map((id) => edits.edit(id, async () => true)))

  expect(watch.waits).toEqual([])
})
