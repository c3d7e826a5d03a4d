import { expect, test } from 'vitest'
import { changeFeed } from '../../src/hypervisors/change-feed.ts'
import { aSimulator, aSpec, never, provision } from './simulated.ts'

function following(signal: AbortSignal) {
  const feed = changeFeed()
  return { feed, heard: feed.follow(signal)[Symbol.asyncIterator]() }
}

test('what is told before somebody takes it waits, each machine once', async () => {
  const { feed, heard } = following(never)

  for (const ref of ['m-1', 'm-2', 'm-1']) feed.tell(ref)

  expect(await heard.next()).toEqual({ value: 'm-1', done: false })
  expect(await heard.next()).toEqual({ value: 'm-2', done: false })
})

test('who waits hears at once', async () => {
  const { feed, heard } = following(never)
  const next = heard.next()

  feed.tell('m-1')

  expect(await next).toEqual({ value: 'm-1', done: false })
})

test('a machine that changes again after it was taken is told again', async () => {
  const { feed, heard } = following(never)
  feed.tell('m-1')
  await heard.next()

  feed.tell('m-1')

  expect(await heard.next()).toEqual({ value: 'm-1', done: false })
})

test.each([['while somebody waits'], ['before anybody listens']])(
  'it ends with the reason given, %s',
  async (when) => {
    const stop = new AbortController()
    const { heard } = following(stop.signal)
    const reason = new Error('the service stops')

    const next = when === 'while somebody waits' ? heard.next() : undefined
    stop.abort(reason)

    await expect(next ?? heard.next()).rejects.toBe(reason)
  },
)

test('a simulated machine that is stopped behind our back is told', async () => {
  const farm = await aSimulator()
  await provision(farm, aSpec())
  const heard = farm.changes(never)[Symbol.asyncIterator]()

  await farm.stopBehindOurBack('m-1')

  expect(await heard.next()).toEqual({ value: 'm-1', done: false })
  await farm.close()
})
