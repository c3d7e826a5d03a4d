import { z } from 'zod'
import { millis } from '../../src/base/clock.ts'
import { messageOf, Outage } from '../../src/base/errors.ts'
import type { Chat, ChatStatus, OpenedChat } from '../chat.ts'
import type { PlatformServices } from '../open.ts'
import type { SlackRule } from '../rules.ts'
import type { SlackSecrets } from '../secrets.ts'
import { openAnswers } from './answers.ts'
import { openApi } from './api.ts'
import { checkSlack } from './check.ts'
import { openForms, patienceMillis } from './forms.ts'
import { openHandler } from './handler.ts'
import { openHistory } from './history.ts'
import { openHome } from './home.ts'
import { openOnce } from './once.ts'
import { openPace, realTiming, type Timing } from './pace.ts'
import { openPeople } from './people.ts'
import { asOutage, openPosts } from './posts.ts'
import { httpReceiver, socketReceiver } from './receivers.ts'
import { openWindows } from './windows.ts'

/** How often a Slack that is in trouble is asked whether it is well again, when nothing else is asked of it. */
const probeMillis = 30_000

/** Slack: Socket Mode or HTTP, cards as Block Kit, forms as windows, and App Home. */
export function slackChat(
  rule: SlackRule,
  secrets: SlackSecrets,
  services: PlatformServices & { timing?: Timing },
): OpenedChat {
  const { conversation, accounts, site, clock, log, timing = realTiming } = services
  let rendered = 0
  const version = (): string => `${millis(clock.now()).toString(36)}${(rendered++ % 46_656).toString(36)}`
  const api = openApi({ botToken: secrets.botToken, apiUrl: secrets.apiUrl, log })
  const pace = openPace(timing)
  const people = openPeople({ api, pace, accounts, now: () => timing.now() })
  const posts = openPosts({ api, pace, log, version, pictureOf: services.pictureOf })
  const windows = openWindows({ api, pace, log })
  const home = openHome({ conversation, windows, timing, log, version })
  const answers = openAnswers({ ...services, posts, timing })
  /** Asks who we are: so it is known whether Slack takes our token, before anybody says anything and after trouble. */
  const probe = (): void => {
    api.call('auth.test', {}, z.object({})).catch((error: unknown) => {
      log.warn({ error: messageOf(error) }, 'slack does not answer')
    })
  }
  probe()
  const watch = setInterval(() => api.trouble() !== undefined && probe(), probeMillis).unref()
  const handler = openHandler({
    ...{ conversation, accounts, people, answers, log },
    forms: openForms({
      ...{ conversation, answers, windows, timing, log, version },
      changed: (listener) => home.changed(listener),
      patience: () => realTiming.sleep(patienceMillis),
    }),
    home,
    once: openOnce(() => timing.now()),
    siteZone: site.timezone,
    onRemoved() {
      log.error({}, 'slack app was removed from its workspace')
      probe()
    },
  })
  const open = rule.mode === 'socket' ? socketReceiver : httpReceiver
  const receiver = open({ handler, log, secrets, timing })
  const status = (): ChatStatus => {
    const trouble = api.trouble()
    if (trouble !== undefined) return { state: 'down', detail: trouble }
    return { state: receiver.isConnected() ? 'up' : 'connecting', detail: receiver.detail() }
  }
  const chat = portOf({ rule, people, posts, api, pace, siteZone: site.timezone })
  return {
    chat: {
      ...chat,
      status,
      check: () => checkSlack({ rule, secrets, api, site, nowMillis: () => millis(clock.now()) }),
      async close() {
        clearInterval(watch)
        await receiver.close()
      },
    },
    faces: receiver.router === undefined ? [] : [{ path: '/slack', router: receiver.router }],
  }
}

interface PortServices {
  rule: SlackRule
  people: ReturnType<typeof openPeople>
  posts: ReturnType<typeof openPosts>
  api: ReturnType<typeof openApi>
  pace: ReturnType<typeof openPace>
  siteZone: string
}

const Info = z.object({ channel: z.object({ user: z.string().optional() }) })

/** What the service sends by itself. */
function portOf({
  rule,
  people,
  posts,
  api,
  pace,
  siteZone,
}: PortServices): Omit<Chat, 'status' | 'check' | 'close'> {
  const history = openHistory(posts)
  /** Whose direct conversation it is. Nobody's: a channel, in which times are the site's. */
  const owners = new Map<string, string | undefined>()
  async function zoneIn(channel: string): Promise<string> {
    if (!channel.startsWith('D')) return siteZone
    if (!owners.has(channel)) {
      const { channel: found } = await pace.call(() => api.call('conversations.info', { channel }, Info))
      owners.set(channel, found.user)
    }
    const owner = owners.get(channel)
    return (owner === undefined ? undefined : await people.zoneOf(owner)) ?? siteZone
  }
  const chat: Omit<Chat, 'status' | 'check' | 'close'> = {
    platform: 'slack',
    reaches: (user) => outages(async () => (await people.accountOf(user)) !== undefined),
    post: (user, card, key) =>
      outages(async () => {
        const account = await people.accountOf(user)
        if (account === undefined) throw noAccount(user)
        const channel = await posts.direct(account.id)
        owners.set(channel, account.id)
        const ref = await posts.post(channel, card, { zone: await zoneIn(channel), key: `${user}/${key}` })
        history.drawn(ref, card)
        return ref
      }),
    announce: (card, key) =>
      outages(async () => {
        if (rule.channel === undefined) return null
        const ref = await posts.post(channelOf(rule.channel), card, { zone: siteZone, key: `channel/${key}` })
        history.drawn(ref, card)
        return ref
      }),
    update: (ref, card) =>
      outages(async () => {
        const zone = await zoneIn(ref.channel)
        await posts.edit(ref, card, zone)
        await history.changed(ref, card, zone)
      }),
    async zoneOf(user) {
      return outages(async () => {
        const account = await people.accountOf(user)
        return account === undefined ? null : ((await people.zoneOf(account.id)) ?? null)
      })
    },
  }
  return chat
}

/** They were reached a moment ago. */
function noAccount(user: string): Outage {
  return new Outage('chat_refused', `${user} has no account on Slack any more`, { transient: true })
}

/** Channels are named by id, or by their name with its sign. */
function channelOf(channel: string): string {
  return /^[CG][A-Z0-9]{6,}$/.test(channel) ? channel : `#${channel}`
}

async function outages<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw asOutage(error)
  }
}
