import { afterEach, expect, test, vi } from 'vitest'
import { makeUser, personAt } from '../../fakes/mattermost/people.ts'
import type { FakePost } from '../../fakes/mattermost/world.ts'
import { shownOf } from './as-text.ts'
import { type MattermostSite, openMattermostSite } from './stage.ts'

/** The stream of messages, against a server that goes away, comes back, and loses what it said. */

let there: MattermostSite
afterEach(() => there.close())

async function open(options: Parameters<typeof openMattermostSite>[0] = {}): Promise<void> {
  there = await openMattermostSite(options)
  await vi.waitFor(() => expect(there.fake.hub().open).toBe(1), within)
}

const within = { timeout: 10_000, interval: 10 }

function answersIn(channel: string): FakePost[] {
  return [...there.fake.world.posts.values()].filter(
    (post) => post.channel_id === channel && post.user_id === there.bot.id,
  )
}

async function answered(channel: string, count: number): Promise<FakePost[]> {
  await vi.waitFor(() => expect(answersIn(channel).length).toBe(count), within)
  return answersIn(channel)
}

test('a direct message is answered where it was written', async () => {
  await open()
  const alice = there.as('alice')

  alice.say(alice.home(), 'templates')

  const [answer] = await answered(alice.home().id, 1)
  expect(shownOf(JSON.stringify(answer?.props))).toContain('slc5')
  expect(answer?.root_id).toBe('')
})

test('a mention in a channel is answered in its thread, and nothing else there is', async () => {
  await open()
  const alice = there.as('alice')
  alice.say(there.town, 'list all of them, please')
  const asked = alice.say(there.town, '@jackdaw: templates')

  const [answer] = await answered(there.town.id, 1)

  expect(answer?.root_id).toBe(asked.id)
})

test('what is missing in a direct message is asked for with a button that opens the form', async () => {
  await open()
  const alice = there.as('alice')
  alice.say(alice.home(), 'request slc5 for 60d budget T-1042')
  const [card] = await answered(alice.home().id, 1)
  if (card === undefined) throw new Error('no card')

  await alice.press(card, 'Open the form')
  await alice.send(alice.dialog(), { purpose: 'tests', name: 'filled' })

  expect(answersIn(alice.home().id)).toHaveLength(1)
  expect(shownOf(answersIn(alice.home().id)[0]?.message ?? '')).toMatch(/waits for bob/)
})

test('the link for somebody who is not linked is never shown in a channel', async () => {
  await open()
  const dave = makeUser(there.fake, 'dave')
  there.town.members.add(dave.id)
  const person = personAt(there.fake, dave, there.bot)

  person.say(there.town, '@jackdaw list')

  const [told] = await answered(person.home().id, 1)
  expect(told?.message).toContain('/accounts/link/')
  expect(answersIn(there.town.id)).toEqual([])
})

test('what was written while the server had lost track is found and answered once', async () => {
  await open()
  const alice = there.as('alice')
  alice.say(alice.home(), 'templates')
  await answered(alice.home().id, 1)
  there.fake.hub().loseNext(1)
  alice.say(alice.home(), 'prices')

  alice.say(alice.home(), 'hosts')

  await answered(alice.home().id, 3)
  expect(there.fake.hub().opened).toBeLessThanOrEqual(3)
})

test('a connection that breaks goes on where it was: nothing is lost and nothing is answered twice', async () => {
  await open()
  const alice = there.as('alice')
  alice.say(alice.home(), 'templates')
  await answered(alice.home().id, 1)
  there.fake.hub().breakOff()

  alice.say(alice.home(), 'prices')

  await answered(alice.home().id, 2)
  expect(there.fake.hub().resumed).toBe(1)
})

test('a server that is restarted is found again, and what was written meanwhile is answered once', async () => {
  await open()
  const alice = there.as('alice')
  alice.say(alice.home(), 'templates')
  await answered(alice.home().id, 1)

  for (const line of ['prices', 'hosts']) {
    await there.fake.restart()
    alice.say(alice.home(), line)
  }

  await answered(alice.home().id, 3)
  await vi.waitFor(() => expect(there.fake.hub().open).toBe(1), within)
  // It came back, and did not come back again and again.
  expect(there.fake.hub().opened).toBeLessThanOrEqual(2)
})

test('a site starts while the server is away, and says so', async () => {
  there = await openMattermostSite({ isAway: true })
  const before = await readiness()
  await there.fake.restart()
  await vi.waitFor(() => expect(there.fake.hub().open).toBe(1), within)

  const after = await readiness()

  expect(before.status).toBe(200)
  expect(before.text).toMatch(/degraded.*mattermost/)
  expect(after.text).not.toMatch(/degraded":\["mattermost/)
})

async function readiness(): Promise<{ status: number; text: string }> {
  const response = await fetch(`${there.site.url}/readyz`)
  return { status: response.status, text: await response.text() }
}

test.each(['page', 'page-with-200', 'busy', 'token'] as const)(
  'what people should be told waits while the server answers with %s, and comes once when it does not',
  async (failure) => {
    await open()
    const alice = there.as('alice')
    const bob = there.as('bob')
    await alice.command(alice.home(), '/vm request slc5 2cpu 4gb for 60d budget T-1042 name waits why tests')
    there.fake.fail(failure)
    await there.site.settle()
    const during = answersIn(bob.home().id).length
    there.fake.fail(undefined)

    await there.site.pass(10 * 60_000)

    expect(during).toBe(0)
    expect(answersIn(bob.home().id).filter(({ message }) => message.includes('alice asks for'))).toHaveLength(
      1,
    )
  },
)

test('a server that never answers is given up on, and what should be told waits', async () => {
  await open({ timings: { answerMillis: 100 } })
  const alice = there.as('alice')
  await alice.command(alice.home(), '/vm request slc5 2cpu 4gb for 60d budget T-1042 name silent why tests')
  there.fake.fail('silence')
  await there.site.settle()
  there.fake.fail(undefined)

  await there.site.pass(10 * 60_000)

  expect(answersIn(there.as('bob').home().id)).toHaveLength(1)
})

test('an answer that takes long is promised, and then given where it was asked', async () => {
  await open({ timings: { patienceMillis: 0 } })
  const alice = there.as('alice')

  await alice.command(there.town, '/vm templates')

  await vi.waitFor(() => expect(alice.whispers()).toHaveLength(2), within)
  expect(alice.whispers().map(({ text }) => text)[0]).toBe('Working on it.')
  expect(JSON.stringify(alice.whispers()[1])).toContain('slc5')
})
