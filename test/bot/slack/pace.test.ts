import { describe, expect, test } from 'vitest'
import { SlackBusy } from '../../../bot/slack/api.ts'
import { openPace } from '../../../bot/slack/pace.ts'

/** Time that passes when somebody waits. */
function virtual() {
  let now = 0
  return {
    now: () => now,
    sleep: async (millis: number) => {
      now += millis
    },
    began: () => undefined,
  }
}

describe('the pace', () => {
  test('lets a few posts into a channel at once, and then one a second', async () => {
    const timing = virtual()
    const pace = openPace(timing)

    const at = await Promise.all(Array.from({ length: 6 }, () => pace.post('D1', async () => timing.now())))

    expect(at).toEqual([0, 0, 0, 1_000, 2_000, 3_000])
  })

  test('keeps the order within a channel, though one of them fails', async () => {
    const pace = openPace(virtual())
    const done: number[] = []

    const all = await Promise.allSettled(
      [1, 2, 3].map((number) =>
        pace.post('D1', async () => {
          done.push(number)
          if (number === 2) throw new Error('no')
        }),
      ),
    )

    expect(done).toEqual([1, 2, 3])
    expect(all.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  })

  test('edits a message as it last was: what comes in between is never sent', async () => {
    const pace = openPace(virtual())
    const sent: number[] = []

    await Promise.all(
      [1, 2, 3, 4].map((number) =>
        pace.edit('D1/1', async () => {
          sent.push(number)
        }),
      ),
    )
    await pace.edit('D1/1', async () => {
      sent.push(5)
    })

    expect(sent).toEqual([4, 5])
  })

  test('edits one message no faster than every 1.2 s, and another at once', async () => {
    const timing = virtual()
    const pace = openPace(timing)
    const at: [string, number][] = []
    const edit = (message: string) =>
      pace.edit(message, async () => {
        at.push([message, timing.now()])
      })

    await edit('a')
    await edit('b')
    await edit('a')

    expect(at).toEqual([
      ['a', 0],
      ['b', 0],
      ['a', 1_200],
    ])
  })

  test('waits as long as Slack says, and tries again', async () => {
    const timing = virtual()
    let tries = 0

    const answer = await openPace(timing).call(async () => {
      tries += 1
      if (tries < 3) throw new SlackBusy('chat.update', 7)
      return timing.now()
    })

    expect(answer).toBe(14_000)
  })

  test.each([
    ['longer than a moment', 3_600, 1],
    ['again and again', 1, 4],
  ])('gives up what is to wait %s, so that its job tries later', async (_how, seconds, expected) => {
    let tries = 0

    const work = openPace(virtual()).call(async () => {
      tries += 1
      throw new SlackBusy('chat.update', seconds)
    })

    await expect(work).rejects.toMatchObject({ code: 'chat_busy', transient: true })
    expect(tries).toBe(expected)
  })
})
