import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openApi } from '../../../bot/slack/api.ts'
import { checkSlack } from '../../../bot/slack/check.ts'
import { silentLog } from '../../../src/base/log.ts'
import { textOf } from '../../fakes/slack/reading.ts'
import { appToken, botToken, type FakeSlack, signingSecret } from '../../fakes/slack/slack.ts'
import {
  addChannel,
  addUser,
  botUser,
  directOf,
  type FakeMessage,
  type FakeView,
} from '../../fakes/slack/workspace.ts'
import { accounts, openSlackStage, type SlackStage } from './stage.ts'

const { alice, bob } = accounts
const wish = 'request slc5 for 60d budget T-1042 name webafs20 2cpu 4gb why "AFS web server"'

let stage: SlackStage
let slack: FakeSlack
beforeEach(async () => {
  stage = await openSlackStage('http')
  slack = stage.slack
  addChannel(slack.space, 'C0OPS', 'ops', [botUser, alice, bob, accounts.carol])
})
afterEach(() => stage.close())

const inChannel = (channel: string) => slack.space.messages.filter((message) => message.channel === channel)
const direct = (user: string) => inChannel(directOf(slack.space, user))
const called = (method: string) => slack.calls.filter((call) => call.method === method)

function last(messages: readonly FakeMessage[]): FakeMessage {
  const message = messages.at(-1)
  if (message === undefined) throw new Error('nothing was said')
  return message
}

function openWindow(): FakeView {
  const view = [...slack.space.views.values()].findLast(({ isOpen }) => isOpen)
  if (view === undefined) throw new Error('no window is open')
  return view
}

const ready = async (): Promise<unknown> => (await fetch(`${stage.site.url}/readyz`)).json()

async function command(user: string, text: string, channel?: string) {
  const answer = await slack.command(user, text, channel === undefined ? {} : { channel })
  await stage.idle()
  return answer
}

async function event(what: Record<string, unknown>, options: Parameters<FakeSlack['event']>[1] = {}) {
  const answer = await slack.event(what, options)
  await stage.idle()
  return answer
}

const mention = (text: string, extras: object = {}) => ({
  ...{ type: 'app_mention', user: alice, text, channel: 'C0OPS', ts: '1700000000.000100' },
  ...extras,
})
const dm = (user: string, text: string) => ({
  ...{ type: 'message', channel_type: 'im', user, text, ts: '1700000000.000200' },
  channel: directOf(slack.space, user),
})

describe('where answers go', () => {
  test('in a channel a question is answered to whoever asked, and to nobody else', async () => {
    const answer = await command(alice, 'templates', 'C0OPS')

    expect(answer).toEqual({ status: 200, body: '' })
    expect(inChannel('C0OPS').map(({ only }) => only)).toEqual([alice])
    expect(textOf(last(inChannel('C0OPS')).blocks)).toContain('slc5')
  })

  test('a request from a channel lives in the direct conversation, and the channel has a link to it for its asker', async () => {
    await command(alice, wish, 'C0OPS')

    const [said] = inChannel('C0OPS')
    expect(said).toMatchObject({ only: alice })
    expect(JSON.stringify(said?.blocks)).toContain('https://example.slack.com/archives/')
    expect(textOf(last(direct(alice)).blocks)).toContain('waits for bob')
  })

  test('a mention is answered in its thread, with people as the directory calls them', async () => {
    await event(mention(`<@${botUser}> ${wish} admins <@${bob}>`))

    expect(inChannel('C0OPS')).toMatchObject([{ only: alice, thread: '1700000000.000100' }])
    expect(textOf(last(direct(alice)).blocks)).toContain('bob')
  })

  test('a message in the direct conversation is answered there', async () => {
    await event(dm(alice, 'templates'))

    expect(direct(alice)).toMatchObject([{ only: undefined, thread: undefined }])
  })

  test('a mistake is told to whoever made it, beside the card that they pressed', async () => {
    await command(alice, wish)
    await stage.site.settle()
    const card = last(direct(bob))

    await slack.click(accounts.carol, { message: card, label: 'Approve' })
    await stage.idle()

    const told = slack.space.messages.filter(({ only }) => only === accounts.carol)
    expect(told).toHaveLength(1)
    expect(direct(bob).every(({ edits }) => edits === 0)).toBe(true)
  })

  test('what became of a card is told in its thread, and the card itself shows how it is', async () => {
    await command(alice, wish)
    await stage.site.settle()
    const card = last(direct(bob))

    await slack.click(bob, { message: card, label: 'Approve' })
    await stage.idle()
    await stage.site.settle()

    expect(textOf(card.blocks)).toContain('You approved R-1')
    expect(direct(bob).filter(({ thread }) => thread === card.ts)).not.toEqual([])
  })
})

describe('who gets an answer', () => {
  test('somebody who is not linked yet is told how, alone, and nothing is done for them', async () => {
    addUser(slack.space, 'U0NEW', { name: 'newcomer' })

    await command('U0NEW', wish, 'C0OPS')

    const [said] = inChannel('C0OPS')
    expect(said).toMatchObject({ only: 'U0NEW' })
    expect(JSON.stringify(said?.blocks)).toMatch(/"url":"http[^"]*\/accounts\/link\//)
    expect(slack.space.messages).toHaveLength(1)
  })

  test('somebody who leaves cannot decide any more, though they were known a moment ago', async () => {
    await command(alice, wish)
    await stage.site.settle()
    const card = last(direct(bob))
    addUser(slack.space, bob, { name: 'bob', deleted: true })

    await slack.click(bob, { message: card, label: 'Approve' })
    await stage.idle()

    expect(card.edits).toBe(0)
    expect(textOf(card.blocks)).toContain('alice asks for')
  })
})

describe('what comes twice', () => {
  test('an event that Slack sends again is answered once', async () => {
    await event(dm(alice, 'templates'), { id: 'Ev1' })
    await event(dm(alice, 'templates'), { id: 'Ev1', retry: 1 })

    expect(direct(alice)).toHaveLength(1)
  })

  test('a double click is one press, and is answered once', async () => {
    await command(alice, 'quote slc5 for 60d')
    const message = last(direct(alice))

    await Promise.all([1, 2].map(() => slack.click(alice, { message, label: 'Request it' })))
    await stage.idle()

    expect(slack.space.views.size).toBe(1)
  })
})

describe('forms', () => {
  test('the price follows what is typed, and what was typed stays', async () => {
    await command(alice, 'request slc5 budget T-1042')
    const view = openWindow()

    await slack.fill(view, { term: '60d' })
    await stage.idle()
    const first = textOf(view.view.blocks)
    await slack.fill(view, { cpus: '2', memory: '4' })
    await stage.idle()

    expect(first).toContain('Price: 27.84 CHF for 60 days')
    expect(textOf(view.view.blocks)).toContain('Price: 107.30 CHF for 60 days')
    expect(view.values['field.term']).toEqual({ value: { value: '60d' } })
    expect(called('views.update').map(({ answer }) => answer)).toEqual(['ok', 'ok'])
  })

  test('of changes that come fast the last is the one that stands', async () => {
    await command(alice, 'request slc5 budget T-1042')
    const view = openWindow()

    await Promise.all(['6d', '60', '60d'].map((term) => slack.fill(view, { term })))
    await stage.idle()

    expect(textOf(view.view.blocks)).toContain('for 60 days')
  })

  test('a window that comes too late is a message with a button that opens it', async () => {
    const trigger = 'gone'
    slack.space.triggers.set(trigger, { at: slack.space.now() - 4_000, used: false, user: alice })

    await slack.command(alice, 'request slc5 for 60d', { trigger })
    await stage.idle()
    const message = last(direct(alice))
    await slack.click(alice, { message, label: 'Open the form' })
    await stage.idle()
    const view = openWindow()
    await slack.submit(view, { budget: 'T-1042', purpose: 'tests' })
    await stage.idle()

    expect(called('views.open').map(({ answer }) => answer)).toEqual(['expired_trigger_id', 'ok'])
    expect(textOf(message.blocks)).toContain('waits for bob')
  })

  test('a denial asks for its reason, and is not made without one', async () => {
    await command(alice, wish)
    await stage.site.settle()
    const card = last(direct(bob))
    await slack.click(bob, { message: card, label: 'Deny' })
    await stage.idle()
    const view = openWindow()

    const refused = await slack.submit(view, { answer: ' ' })
    const taken = await slack.submit(view, { answer: 'the old one still works' })
    await stage.idle()

    expect(refused.body).toMatchObject({ response_action: 'errors' })
    expect(JSON.stringify(refused.body)).toContain('field.answer')
    expect(taken.body).toBe('')
    expect(textOf(card.blocks)).toContain('the old one still works')
  })
})

describe('App Home', () => {
  test('shows what is mine, what waits for me and what it costs, and follows what I do', async () => {
    await event({ type: 'app_home_opened', user: alice, tab: 'home' })
    const before = textOf(slack.space.homes.get(alice)?.blocks ?? [])
    await command(alice, wish)

    const after = textOf(slack.space.homes.get(alice)?.blocks ?? [])
    expect(before).toMatch(/no servers|none/i)
    expect(after).toContain('R-1')
  })
})

describe('when Slack is not well', () => {
  test('what it wants to wait for is sent when it says', async () => {
    for (const number of [1, 2, 3, 4, 5, 6, 7, 8])
      await slack.event(dm(alice, 'templates'), { id: `Ev${number}` })
    await stage.idle()

    expect(direct(alice)).toHaveLength(8)
    expect(called('chat.postMessage').filter(({ answer }) => answer === 'ratelimited')).toEqual([])
  })

  test('a card waits in its job while Slack is down, and the site says that it is degraded', async () => {
    await command(alice, wish)
    slack.state.isDown = true
    await stage.site.settle()
    const down = await ready()
    slack.state.isDown = false
    await stage.site.pass(10 * 60_000)
    const up = await ready()

    expect(down).toMatchObject({ status: 'degraded', degraded: ['slack'] })
    expect(up).toMatchObject({ status: 'ready' })
    expect(direct(bob).filter(({ text }) => text.includes('alice asks for'))).toHaveLength(1)
  })

  test('where it takes no tables, lists are letters from then on', async () => {
    slack.state.refuses = (method, args) =>
      method === 'chat.postMessage' && JSON.stringify(args.blocks).includes('"table"')

    await event(dm(alice, 'templates'), { id: 'Ev1' })
    await event(dm(alice, 'templates'), { id: 'Ev2' })

    expect(direct(alice).map(({ blocks }) => blocks.some(({ type }) => type === 'table'))).toEqual([
      false,
      false,
    ])
    expect(called('chat.postMessage').map(({ answer }) => answer)).toEqual(['invalid_blocks', 'ok', 'ok'])
  })

  test('a chart that is not taken is drawn with letters', async () => {
    slack.space.scopes.delete('files:write')
    await command(alice, wish)
    await stage.site.settle()
    await slack.click(bob, { message: last(direct(bob)), label: 'Approve' })
    await stage.site.settle()

    await event(dm(bob, 'costs T-1042'))

    expect(textOf(last(direct(bob)).blocks)).toMatch(/[█░]/)
    expect(slack.space.messages.filter(({ file }) => file !== undefined)).toEqual([])
  })
})

test('the doctor finds a scope that is missing and a channel that the bot is not in', async () => {
  slack.space.scopes.delete('files:write')
  slack.space.channels.get('C0SERVERS')?.members.delete(botUser)

  const findings = await checkSlack({
    rule: { mode: 'http', channel: 'servers' },
    secrets: { botToken, appToken, signingSecret, apiUrl: slack.apiUrl },
    api: openApi({ botToken, apiUrl: slack.apiUrl, log: silentLog }),
    site: { publicUrl: stage.site.url },
    nowMillis: () => Date.now(),
  })

  const faults = findings.filter(({ state }) => state === 'fault')
  expect(faults.map(({ about }) => about)).toEqual([
    'Slack scopes',
    'Slack callback',
    'Slack channel #servers',
  ])
  expect(faults.every(({ remedy }) => remedy !== null)).toBe(true)
})
