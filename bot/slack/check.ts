import { webApi } from '@slack/bolt'
import { createHmac } from 'node:crypto'
import { z } from 'zod'
import { messageOf } from '../../src/base/errors.ts'
import type { Finding } from '../../src/base/finding.ts'
import { pageAt } from '../facts.ts'
import type { SlackRule } from '../rules.ts'
import type { SlackSecrets } from '../secrets.ts'
import type { Api } from './api.ts'
import { scopesFor } from './manifest.ts'

export interface CheckServices {
  rule: SlackRule
  secrets: SlackSecrets
  api: Api
  site: { publicUrl: string }
  /** Milliseconds of our clock, to be compared with Slack's. */
  nowMillis: () => number
}

const deadlineMillis = 10_000
/** Slack's signatures are refused when the clocks are five minutes apart: somebody should know well before. */
const mostSkewSeconds = 60

/** Tries what Slack needs: each with what was found and how it is mended. */
export async function checkSlack(services: CheckServices): Promise<Finding[]> {
  const { rule } = services
  const tried = [
    token(services),
    rule.mode === 'socket' ? socket(services) : callback(services),
    clock(services),
    ...(rule.channel === undefined ? [] : [channel(services, rule.channel)]),
  ]
  return (await Promise.all(tried)).flat()
}

const Auth = z.object({
  user: z.string().default('?'),
  team: z.string().default('?'),
  response_metadata: z.object({ scopes: z.array(z.string()).default([]) }).optional(),
})

async function token({ api, rule }: CheckServices): Promise<Finding[]> {
  const about = 'Slack bot token'
  try {
    const { user, team, response_metadata: meta } = await api.call('auth.test', {}, Auth)
    const fine = found(about, `is @${user} in ${team}`)
    const has = meta?.scopes ?? []
    // Without the header that lists them nothing can be said of scopes.
    if (has.length === 0) return [fine]
    const lacks = scopesFor(rule).filter((scope) => !has.includes(scope))
    return [
      fine,
      lacks.length === 0
        ? found('Slack scopes', 'all are there')
        : fault(
            'Slack scopes',
            `${lacks.join(', ')} not granted`,
            'Paste the manifest of "jackdaw slack-manifest" into the app\'s settings and install the app anew.',
          ),
    ]
  } catch (error) {
    return [
      fault(
        about,
        messageOf(error),
        'Take the Bot User OAuth Token (xoxb-…) from the app\'s page "OAuth & Permissions" and give it as SLACK_BOT_TOKEN.',
      ),
    ]
  }
}

async function socket({ secrets }: CheckServices): Promise<Finding[]> {
  const about = 'Slack socket'
  try {
    const client = new webApi.WebClient(secrets.appToken, {
      ...{ timeout: deadlineMillis, retryConfig: { retries: 0 }, logLevel: webApi.LogLevel.ERROR },
      ...(secrets.apiUrl === undefined ? {} : { slackApiUrl: secrets.apiUrl }),
    })
    await client.apps.connections.open({})
    return [found(about, 'Socket Mode opens')]
  } catch (error) {
    const remedy =
      'Make an app-level token with the scope connections:write on the page "Basic Information", give it as SLACK_APP_TOKEN, and switch Socket Mode on.'
    return [fault(about, messageOf(error), remedy)]
  }
}

/** Calls our own address as Slack would when it is entered there. */
async function callback({ secrets, site, nowMillis }: CheckServices): Promise<Finding[]> {
  const about = 'Slack callback'
  const url = pageAt(site, '/slack/events')
  if (!url.startsWith('https:')) {
    const remedy = 'Set site.publicUrl to an https address that reaches this service, or use mode: socket.'
    return [fault(about, `${url} is not https, and Slack calls no other`, remedy)]
  }
  try {
    const body = JSON.stringify({ type: 'url_verification', challenge: 'jackdaw' })
    const sent = String(Math.floor(nowMillis() / 1000))
    const signature = createHmac('sha256', secrets.signingSecret).update(`v0:${sent}:${body}`).digest('hex')
    const answer = await fetch(url, {
      method: 'POST',
      body,
      headers: {
        'Content-Type': 'application/json',
        'X-Slack-Request-Timestamp': sent,
        'X-Slack-Signature': `v0=${signature}`,
      },
      signal: AbortSignal.timeout(deadlineMillis),
    })
    if (answer.ok) return [found(about, `${url} answers`)]
    return [
      fault(
        about,
        `${url} answers with ${answer.status}`,
        'See that the proxy passes the body on unchanged.',
      ),
    ]
  } catch (error) {
    return [
      fault(about, `${url}: ${messageOf(error)}`, 'See that the address reaches this service from outside.'),
    ]
  }
}

async function clock({ secrets, nowMillis }: CheckServices): Promise<Finding[]> {
  const about = 'Slack clock'
  try {
    const url = new URL('api.test', secrets.apiUrl ?? 'https://slack.com/api/')
    const answer = await fetch(url, { method: 'POST', signal: AbortSignal.timeout(deadlineMillis) })
    const theirs = Date.parse(answer.headers.get('date') ?? '')
    if (Number.isNaN(theirs)) return []
    const seconds = Math.round(Math.abs(theirs - nowMillis()) / 1000)
    if (seconds <= mostSkewSeconds) return [found(about, `differs by ${seconds} s`)]
    const remedy =
      'Let this computer take its time from the network (NTP): at five minutes Slack is not believed any more.'
    return [fault(about, `differs by ${seconds} s`, remedy)]
  } catch (error) {
    return [fault(about, messageOf(error), 'See that this computer reaches slack.com over HTTPS.')]
  }
}

const Channels = z.object({
  channels: z.array(z.object({ id: z.string(), name: z.string(), is_member: z.boolean().default(false) })),
  response_metadata: z.object({ next_cursor: z.string().default('') }).optional(),
})
const mostPages = 20

async function channel({ api }: CheckServices, wanted: string): Promise<Finding[]> {
  const about = `Slack channel #${wanted}`
  try {
    let cursor = ''
    for (let page = 0; page < mostPages; page++) {
      const args = { types: 'public_channel,private_channel', exclude_archived: true, limit: 200 }
      const answer = await api.call(
        'conversations.list',
        { ...args, ...(cursor === '' ? {} : { cursor }) },
        Channels,
      )
      const there = answer.channels.find(({ id, name }) => name === wanted || id === wanted)
      if (there?.is_member === true) return [found(about, 'the bot is in it')]
      if (there !== undefined) return [fault(about, 'the bot is not in it', 'Say /invite @jackdaw there.')]
      cursor = answer.response_metadata?.next_cursor ?? ''
      if (cursor === '') break
    }
    const remedy =
      'Write chat.slack.channel as it is called on Slack; into a private one, /invite @jackdaw first.'
    return [fault(about, 'there is none that the bot sees', remedy)]
  } catch (error) {
    return [
      fault(about, messageOf(error), 'Install the app anew from the manifest of "jackdaw slack-manifest".'),
    ]
  }
}

function found(about: string, fact: string): Finding {
  return { about, state: 'fine', fact, remedy: null }
}

function fault(about: string, fact: string, remedy: string): Finding {
  return { about, state: 'fault', fact, remedy }
}
