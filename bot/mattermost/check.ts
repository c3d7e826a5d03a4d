import type { Finding } from '../../src/base/finding.ts'
import { messageOf } from '../../src/base/errors.ts'
import type { Site } from '../../src/operations/site.ts'
import { pageAt } from '../facts.ts'
import type { MattermostRule } from '../rules.ts'
import type { MattermostSecrets } from '../secrets.ts'
import type { Api } from './api.ts'
import type { User } from './schema.ts'
import { channelId } from './server.ts'

export interface CheckServices {
  api: Api
  rule: MattermostRule
  site: Pick<Site, 'publicUrl'>
  secrets: MattermostSecrets
  nowMillis: () => number
}

/** Trigger ids are believed within a minute; a clock that is half of that wrong is said before it hurts. */
const mostSkewMillis = 30_000
const patienceMillis = 5000

/** Tries what Mattermost needs of its set-up. Never throws: what cannot be tried is a finding. */
export async function checkMattermost(services: CheckServices): Promise<Finding[]> {
  const { api } = services
  let me: User
  try {
    me = await api.me()
  } catch (error) {
    return [
      fault(
        'Mattermost token',
        messageOf(error),
        'Check chat.mattermost.url, and the token in MATTERMOST_TOKEN.',
      ),
    ]
  }
  const tries = [server, clockOf, team, channel, callbacks, commands]
  const found = await Promise.all(tries.map((look) => attempted(() => look(services, me))))
  return [account(me), ...found.flat()]
}

async function attempted(look: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await look()
  } catch (error) {
    return [
      warning('Mattermost', `something could not be tried: ${messageOf(error)}`, 'Try again in a moment.'),
    ]
  }
}

const fine = (about: string, fact: string): Finding => ({ about, state: 'fine', fact, remedy: null })
const warning = (about: string, fact: string, remedy: string): Finding => ({
  about,
  state: 'warning',
  fact,
  remedy,
})
const fault = (about: string, fact: string, remedy: string): Finding => ({
  about,
  state: 'fault',
  fact,
  remedy,
})

function account({ username, is_bot }: User): Finding {
  const about = 'Mattermost token'
  if (is_bot) return fine(about, `it is the bot @${username}'s`)
  return warning(
    about,
    `it is @${username}'s, who is a person`,
    'Use the token of a bot account made for Jackdaw.',
  )
}

async function server({ api }: CheckServices): Promise<Finding[]> {
  const config = await api.config()
  const { Version, AsymmetricSigningPublicKey, EnableCommands } = config
  return [
    fine('Mattermost server', `version ${Version}`),
    AsymmetricSigningPublicKey === ''
      ? fault(
          'Mattermost signing key',
          'the server gives none',
          'Without it no press can be believed: update the server.',
        )
      : fine('Mattermost signing key', 'presses can be proven with it'),
    EnableCommands === 'false'
      ? fault(
          'Mattermost commands',
          'they are switched off',
          'System Console > Integrations: enable custom slash commands.',
        )
      : fine('Mattermost commands', 'they are switched on'),
  ]
}

/** By the head of any answer (RFC 9110 §6.6.1), in whole seconds. */
async function clockOf({ rule, nowMillis }: CheckServices): Promise<Finding[]> {
  const response = await fetch(`${rule.url}/api/v4/system/ping`, {
    signal: AbortSignal.timeout(patienceMillis),
  })
  await response.body?.cancel()
  const theirs = Date.parse(response.headers.get('date') ?? '')
  if (Number.isNaN(theirs)) return []
  const skew = Math.abs(theirs - nowMillis())
  const seconds = Math.round(skew / 1000)
  return [
    skew > mostSkewMillis
      ? fault(
          'Mattermost clock',
          `it differs from ours by ${seconds} s`,
          'Set both clocks by NTP: presses are refused as old.',
        )
      : fine('Mattermost clock', 'it agrees with ours'),
  ]
}

async function team({ api, rule }: CheckServices): Promise<Finding[]> {
  const found = await api.team(rule.team)
  if (found !== undefined) return [fine('Mattermost team', `${rule.team} is there`)]
  return [
    fault(
      'Mattermost team',
      `the bot sees no team ${rule.team}`,
      'Check chat.mattermost.team, and add the bot to it.',
    ),
  ]
}

async function channel({ api, rule }: CheckServices, me: User): Promise<Finding[]> {
  if (rule.channel === undefined) return []
  const id = await channelId(api, rule)
  const name = `~${rule.channel}`
  if (id === undefined) {
    return [fault('Mattermost channel', `there is no ${name}`, 'Check chat.mattermost.channel.')]
  }
  return [
    (await api.isMember(id, me.id))
      ? fine('Mattermost channel', `the bot is in ${name}`)
      : fault('Mattermost channel', `the bot is not in ${name}`, `Write "/invite @${me.username}" there.`),
  ]
}

const local =
  /^(localhost|127\.|10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|\[?::1|\[?f[cd])|\.(local|internal|lan)$/i

async function callbacks({ site }: CheckServices): Promise<Finding[]> {
  const url = pageAt(site, '/mattermost/command')
  const { protocol, hostname } = new URL(url)
  const isHere = /^(localhost|127\.|\[::1\])/.test(hostname)
  return [
    await reached(url),
    protocol === 'http:' && !isHere
      ? warning(
          'Mattermost callbacks',
          'they come over plain HTTP',
          'Put the site behind HTTPS: tokens could be read on the way.',
        )
      : fine(
          'Mattermost callbacks',
          protocol === 'https:' ? 'they come over HTTPS' : 'they do not leave this machine',
        ),
    ...(local.test(hostname)
      ? [
          warning(
            'Mattermost internal addresses',
            `${hostname} is an internal address, which Mattermost does not call by itself`,
            `System Console > Environment > Developer: add ${hostname} to "Allow untrusted internal connections".`,
          ),
        ]
      : []),
  ]
}

/** Our own door, as whoever is outside would find it: what is not proven is answered with 403 there. */
async function reached(url: string): Promise<Finding> {
  const about = 'Mattermost callbacks'
  const remedy = 'Check site.publicUrl: the Mattermost server has to reach it.'
  try {
    const signal = AbortSignal.timeout(patienceMillis)
    const response = await fetch(url, { method: 'POST', redirect: 'manual', signal })
    await response.body?.cancel()
    return response.status === 403
      ? fine(about, `${url} leads here`)
      : fault(about, `${url} answers ${response.status}, not as we do`, remedy)
  } catch (error) {
    return fault(about, `${url} cannot be reached from here: ${messageOf(error)}`, remedy)
  }
}

async function commands({ api, rule, site }: CheckServices): Promise<Finding[]> {
  const about = 'Mattermost commands'
  const setUp = 'Run "jackdaw mattermost-setup" with the token of somebody who may manage slash commands.'
  const found = await api.team(rule.team)
  if (found === undefined) return []
  try {
    const ours = (await api.commands(found.id)).filter(
      ({ url }) => url === pageAt(site, '/mattermost/command'),
    )
    const missing = ['vm', 'desktop'].filter((name) => !ours.some(({ trigger }) => trigger === name))
    return [
      missing.length === 0
        ? fine(about, '/vm and /desktop are registered')
        : fault(about, `not registered: ${missing.map((name) => `/${name}`).join(', ')}`, setUp),
    ]
  } catch {
    return [warning(about, 'the bot may not look whether they are registered', setUp)]
  }
}
