import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { FakeSlack } from '../../fakes/slack/slack.ts'
import { addChannel, addUser, botUser } from '../../fakes/slack/workspace.ts'
import { openSlackStage, type SlackStage } from './stage.ts'

/** What changes nothing: one service for all of it. */
let stage: SlackStage
let slack: FakeSlack
beforeAll(async () => {
  stage = await openSlackStage('http')
  slack = stage.slack
  addChannel(slack.space, 'C0OPS', 'ops', [botUser])
})
afterAll(() => stage.close())

async function command(user: string, text: string, channel: string) {
  const answer = await slack.command(user, text, { channel })
  await stage.idle()
  return answer
}

async function event(what: Record<string, unknown>) {
  const answer = await slack.event(what)
  await stage.idle()
  return answer
}

const mention = (text: string, user: string) => ({
  ...{ type: 'app_mention', user, text, channel: 'C0OPS', ts: '1700000000.000100' },
})

describe('who gets no answer', () => {
  test.each([
    ['a guest', 'U0EVE0', { is_restricted: true }],
    ['a guest of one channel', 'U0EVE1', { is_ultra_restricted: true }],
    ['a stranger from a shared channel', 'U0EVE2', { team_id: 'T0OTHER' }],
    ['a program', 'U0EVE3', { is_bot: true }],
    ['somebody who has left', 'U0EVE4', { deleted: true }],
  ])('%s gets nothing, however they ask', async (_who, id, differences) => {
    addUser(slack.space, id, differences)

    const acks = [await command(id, 'list', 'C0OPS'), await event(mention('list', id))]
    await event({ type: 'app_home_opened', user: id, tab: 'home' })

    expect(acks.map(({ status }) => status)).toEqual([200, 200])
    expect(slack.space.messages).toEqual([])
    expect(slack.space.homes.size).toBe(0)
  })
})

describe('what is not from Slack', () => {
  const body = 'command=%2Fvm&text=list&user_id=U0ALICE&channel_id=C0OPS&trigger_id=1&team_id=T0SITE'
  const old = String(Math.floor(Date.now() / 1000) - 301)
  const early = String(Math.floor(Date.now() / 1000) + 600)

  test.each([
    ['another signature', { 'X-Slack-Signature': `v0=${'0'.repeat(64)}` }],
    ['a signature of another length', { 'X-Slack-Signature': 'v0=1' }],
    ['a time that is not the one signed', { 'X-Slack-Request-Timestamp': old }],
    ['a time to come', { 'X-Slack-Request-Timestamp': early }],
    ['no time', { 'X-Slack-Request-Timestamp': '' }],
  ])('%s is refused, and nothing is done', async (_what, headers) => {
    const answer = await slack.post(body, { headers })
    await stage.idle()

    expect(answer.status).toBe(401)
    expect(slack.space.messages).toEqual([])
  })

  test.each([
    ['older than five minutes', -301],
    ['from more than five minutes ahead', 330],
  ])('what is signed rightly but %s is refused', async (_when, after) => {
    const answer = await slack.post(body, { after })
    await stage.idle()

    expect(answer.status).toBe(401)
    expect(slack.space.messages).toEqual([])
  })

  test('the address answers to the challenge that Slack proves it with', async () => {
    const challenge = JSON.stringify({ type: 'url_verification', challenge: 'abc', token: 'x' })

    const answer = await slack.post(challenge, { type: 'application/json' })

    expect(answer).toEqual({ status: 200, body: { challenge: 'abc' } })
  })
})
