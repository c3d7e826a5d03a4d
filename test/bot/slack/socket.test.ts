import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { textOf } from '../../fakes/slack/reading.ts'
import { directOf } from '../../fakes/slack/workspace.ts'
import { accounts, openSlackStage, type SlackStage } from './stage.ts'

const { alice, bob } = accounts
let stage: SlackStage
beforeEach(async () => {
  stage = await openSlackStage('socket')
})
afterEach(() => stage.close())

const direct = (user: string) =>
  stage.slack.space.messages.filter(({ channel }) => channel === directOf(stage.slack.space, user))
const ready = async (): Promise<unknown> => (await fetch(`${stage.site.url}/readyz`)).json()

test('everything goes over the socket as it goes over HTTP: a line, a press that asks, its form, an event', async () => {
  const { slack, site } = stage

  const acked = await slack.command(alice, 'request slc5 for 60d budget T-1042 name webafs20 why tests')
  await stage.idle()
  await site.settle()
  const card = direct(bob).at(-1)
  if (card === undefined) throw new Error('bob was not asked')
  await slack.click(bob, { message: card, label: 'Deny' })
  await stage.idle()
  const [view] = [...slack.space.views.values()]
  if (view === undefined) throw new Error('no window opened')
  const refused = await slack.submit(view, { answer: ' ' })
  await slack.submit(view, { answer: 'not needed' })
  await stage.idle()
  await slack.event({ type: 'app_home_opened', user: alice, tab: 'home' }, { retry: 1 })
  await stage.idle()

  expect(acked.status).toBe(200)
  expect(refused.body).toMatchObject({ response_action: 'errors' })
  expect(textOf(card.blocks)).toContain('not needed')
  expect(textOf(slack.space.homes.get(alice)?.blocks ?? [])).toContain('Your servers')
})

test('a socket that ends is made anew, and the service says so meanwhile', async () => {
  const { slack } = stage
  await vi.waitFor(async () => expect(await ready()).toMatchObject({ status: 'ready' }))

  slack.state.isDown = true
  slack.disconnectAll()
  await vi.waitFor(async () => expect(await ready()).toMatchObject({ degraded: ['slack'] }))
  slack.state.isDown = false

  await vi.waitFor(async () => expect(await ready()).toMatchObject({ status: 'ready' }), 10_000)
  await slack.command(alice, 'templates')
  await stage.idle()
  expect(direct(alice)).toHaveLength(1)
})
