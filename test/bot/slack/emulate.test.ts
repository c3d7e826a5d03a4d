import { createEmulator } from 'emulate'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { scopesFor } from '../../../bot/slack/manifest.ts'
import { buttonOf, textOf } from '../../fakes/slack/reading.ts'
import { signedPost, signingSecret } from '../../fakes/slack/slack.ts'
import { Blocks } from '../../fakes/slack/workspace.ts'
import { freePort } from '../../service/process.ts'
import { openStorySite, type StorySite } from '../../stories/site.ts'
import { tracked } from './tracked.ts'

/** Against an emulator of Slack that nobody here wrote: what we call is called as others understand it too. */

const token = 'xoxb-jackdaw'
/** Of the test alone, for what the app itself may not read. */
const looker = 'xoxb-looker'
const names = ['alice', 'bob'] as const

let emulator: Awaited<ReturnType<typeof createEmulator>>
let site: StorySite
let team: string
const ids = new Map<string, string>()
const { timing, idle } = tracked()

beforeAll(async () => {
  emulator = await createEmulator({
    service: 'slack',
    port: await freePort(),
    seed: {
      slack: {
        team: { name: 'Example', domain: 'example' },
        users: names.map((name) => ({ name, real_name: name, email: `${name}@example.org` })),
        channels: [{ name: 'servers' }],
        bots: [{ name: 'jackdaw' }],
        oauth_apps: [
          {
            ...{
              app_id: 'A000000001',
              client_id: '1.2',
              client_secret: 's',
              name: 'jackdaw',
              bot_name: 'jackdaw',
            },
            redirect_uris: ['http://127.0.0.1/x'],
            scopes: scopesFor({}),
          },
        ],
        tokens: [
          { app_id: 'A000000001', token, type: 'bot', user: 'jackdaw', scopes: scopesFor({}) },
          { app_id: 'A000000001', token: looker, type: 'bot', user: 'jackdaw', scopes: ['files:read'] },
        ],
        signing_secret: signingSecret,
        strict_scopes: true,
      },
    },
  })
  team = z.object({ team_id: z.string() }).parse(await api('auth.test')).team_id
  for (const name of names) {
    const found = await api('users.lookupByEmail', { email: `${name}@example.org` })
    ids.set(name, z.object({ user: z.object({ id: z.string() }) }).parse(found).user.id)
  }
  const withAccounts = (yaml: string): string =>
    names.reduce(
      (text, name) =>
        text.replace(`user: ${name}\n`, `user: ${name}\n      accounts: { slack: ${idOf(name)} }\n`),
      yaml.replace(/^chat:$/m, 'chat:\n  slack: { mode: http }'),
    )
  const env = {
    SLACK_BOT_TOKEN: token,
    SLACK_SIGNING_SECRET: signingSecret,
    SLACK_API_URL: `${emulator.url}/api/`,
  }
  site = await openStorySite({ edit: withAccounts, env, timing })
})
afterAll(async () => {
  await site.close()
  await emulator.close()
})

async function api(method: string, args: Record<string, string> = {}, as = token): Promise<unknown> {
  const response = await fetch(`${emulator.url}/api/${method}`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${as}`, 'Content-Type': 'application/json' },
    body: JSON.stringify(args),
  })
  return response.json()
}

function idOf(name: string): string {
  return ids.get(name) ?? ''
}

const Messages = z.object({
  messages: z.array(z.object({ ts: z.string(), text: z.string().default(''), blocks: Blocks.default([]) })),
})

async function directOf(name: string): Promise<string> {
  const opened = await api('conversations.open', { users: idOf(name) })
  return z.object({ channel: z.object({ id: z.string() }) }).parse(opened).channel.id
}

/** The direct conversation with somebody, the latest message first. */
async function direct(name: string) {
  return Messages.parse(await api('conversations.history', { channel: await directOf(name) })).messages
}

async function triggerFor(name: string): Promise<string> {
  const made = await api('views.generateTriggerId', { user_id: idOf(name) })
  return z.object({ trigger_id: z.string() }).parse(made).trigger_id
}

async function send(fields: Record<string, string>): Promise<number> {
  const { status } = await signedPost(`${site.url}/slack/events`, new URLSearchParams(fields).toString())
  await idle()
  return status
}

async function command(name: string, text: string): Promise<number> {
  return send({
    ...{ command: '/vm', text, user_id: idOf(name), team_id: team, channel_id: await directOf(name) },
    trigger_id: await triggerFor(name),
  })
}

async function press(name: string, label: string): Promise<number> {
  const [message] = await direct(name)
  if (message === undefined) throw new Error(`${name} was told nothing`)
  const { element, block } = buttonOf(message, label)
  const payload = {
    ...{ type: 'block_actions', user: { id: idOf(name), team_id: team }, team: { id: team } },
    trigger_id: await triggerFor(name),
    container: { type: 'message', channel_id: await directOf(name), message_ts: message.ts },
    actions: [{ ...element, block_id: block }],
  }
  return send({ payload: JSON.stringify(payload) })
}

describe('with emulate', () => {
  test('a request goes from a command to its approver, whose card shows what was decided', async () => {
    const acked = await command(
      'alice',
      'request slc5 for 60d budget T-1042 name webafs20 2cpu 4gb why tests',
    )
    await site.settle()
    const wanted = (await direct('bob'))[0]
    await press('bob', 'Approve')
    await site.settle()

    expect(acked).toBe(200)
    expect(textOf(wanted?.blocks ?? [])).toContain('alice asks for 1 slc5 server')
    const decided = (await direct('bob')).find(({ ts }) => ts === wanted?.ts)
    expect(textOf(decided?.blocks ?? [])).toContain('You approved R-1')
    expect((await direct('alice')).some(({ text }) => text.includes('webafs20 is ready'))).toBe(true)
  })

  test('a chart is uploaded as a file, and a window and App Home are taken', async () => {
    const event = { type: 'app_home_opened', user: idOf('alice'), tab: 'home' }
    const happened = { type: 'event_callback', event_id: 'Ev1', team_id: team, event }

    await command('alice', 'request slc5')
    const home = await signedPost(`${site.url}/slack/events`, JSON.stringify(happened), {
      type: 'application/json',
    })
    await idle()
    await site.pass(2 * 86_400_000)
    await command('bob', 'costs T-1042')

    const shown = await (await fetch(emulator.url)).text()
    expect(home.status).toBe(200)
    expect(shown).not.toContain('No App Home views')
    expect(shown).not.toContain('No modal views')
    // A chart that was not taken would be drawn with letters.
    const said = (await direct('bob'))
      .map(({ blocks }) => textOf(blocks))
      .find((text) => text.includes('Costs'))
    expect(said).toBeDefined()
    expect(said).not.toMatch(/[█░]/)
    expect(JSON.stringify(await api('files.list', {}, looker))).toContain('chart.png')
  })
})
