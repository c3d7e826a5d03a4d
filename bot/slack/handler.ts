import { messageOf, Outage } from '../../src/base/errors.ts'
import type { Log } from '../../src/base/log.ts'
import type { ChatAccount } from '../accounts.ts'
import type { Accounts } from '../accounts.ts'
import { card, link, words } from '../cards/parts.ts'
import { outageCard } from '../cards/refusal.ts'
import type { Conversation } from '../conversation.ts'
import type { Answers, Listener } from './answers.ts'
import type { Forms } from './forms.ts'
import type { Home } from './home.ts'
import type { Inbound, Place, Sender } from './inbound.ts'
import type { Once } from './once.ts'
import type { People } from './people.ts'

export interface HandlerServices {
  conversation: Conversation
  accounts: Accounts
  people: People
  answers: Answers
  forms: Forms
  home: Home
  once: Once
  log: Log
  siteZone: string
  /** The app was removed from the workspace. */
  onRemoved(): void
}

type Of<K extends Inbound['kind']> = Extract<Inbound, { kind: K }>

/** What came from Slack is carried out here, once, after it was acknowledged. */
export interface Handler {
  handle(inbound: Exclude<Inbound, { kind: 'submit' }>): Promise<void>
  /** A form that was sent. Its window waits for this answer. */
  submit(inbound: Of<'submit'>): Promise<SubmitAnswer>
}

/** What the window of a form is told: to close, what is wrong in its fields, or to show something else. */
export type SubmitAnswer = Awaited<ReturnType<Forms['submit']>>

/** A line or an event that comes again within this is the same; Slack tries for about six minutes. */
const sameMillis = { line: 60 * 60_000, click: 5_000 }

export function openHandler(services: HandlerServices): Handler {
  const { conversation, people, answers, forms, home, once, log } = services
  const listenerOf = (sender: Sender, fresh: boolean, place?: Place): Promise<Listener | undefined> =>
    identify(services, sender, { fresh, place })

  async function onLine({ sender, place, text, verbs, trigger, key }: Of<'line'>): Promise<void> {
    if (!once.first(key, sameMillis.line)) return
    const listener = await listenerOf(sender, false, place)
    if (listener === undefined) return
    const { caller, zone } = listener
    const line = await plainLine(text, people)
    const cards = await conversation.say(caller, line, { verb: verbs, key: `slack:${key}`, zone })
    const rest = await forms.opened(listener, cards, trigger, { ...placeOrigin(place) })
    await answers.toLine(listener, rest, place)
    home.changed(listener)
  }

  async function onPress({ sender, pressed, action, value }: Of<'press'>): Promise<void> {
    const { key, origin, trigger } = pressed
    if (!once.first(key, sameMillis.click)) return
    const listener = await listenerOf(sender, true, placeOf(origin))
    if (listener === undefined) return
    const { caller, zone } = listener
    const cards = await conversation.press(caller, { action, value, key: `slack:${key}`, zone })
    const rest = await forms.opened(listener, cards, trigger, origin)
    await answers.toPress(listener, rest, origin)
    home.changed(listener)
  }

  async function onClick(inbound: Of<'ask'> | Of<'form'>): Promise<void> {
    const { key, origin } = inbound.pressed
    if (!once.first(key, sameMillis.click)) return
    const listener = await listenerOf(inbound.sender, false, placeOf(origin))
    if (listener === undefined) return
    if (inbound.kind === 'ask') await forms.ask(inbound)
    else await forms.open(listener, inbound)
  }

  async function onFill(inbound: Of<'fill'>): Promise<void> {
    await forms.fill(inbound, () => listenerOf(inbound.sender, false))
  }

  async function onHome({ sender }: Of<'home'>): Promise<void> {
    const listener = await listenerOf(sender, false)
    if (listener !== undefined) await home.show(listener)
  }

  async function dispatch(inbound: Exclude<Inbound, { kind: 'submit' }>): Promise<void> {
    switch (inbound.kind) {
      case 'line':
        return onLine(inbound)
      case 'press':
        return onPress(inbound)
      case 'ask':
      case 'form':
        return onClick(inbound)
      case 'fill':
        return onFill(inbound)
      case 'home':
        return onHome(inbound)
      case 'person':
        people.forget(inbound.user)
        return
      case 'removed':
        services.onRemoved()
        return
    }
  }

  return {
    async handle(inbound) {
      try {
        await dispatch(inbound)
      } catch (error) {
        await say(services, inbound, error)
      }
    },
    async submit(inbound) {
      try {
        return await forms.submit(inbound, () => listenerOf(inbound.sender, true))
      } catch (error) {
        log.warn({ error: messageOf(error) }, 'slack form not answered')
        return {}
      }
    },
  }
}

/**
 * Who speaks: somebody active of our workspace whom the directory knows. Who is not linked yet is told how, where they
 * are; everybody else gets nothing.
 */
async function identify(
  { people, accounts, answers, log, siteZone }: HandlerServices,
  sender: Sender,
  { fresh, place }: { fresh: boolean; place: Place | undefined },
): Promise<Listener | undefined> {
  const account = await people.account(sender.user, fresh)
  if (account === undefined) {
    log.info({ account: sender.user, team: sender.team }, 'slack account gets no answer')
    return undefined
  }
  const zone = (await people.zoneOf(account.id)) ?? siteZone
  const caller = await people.personOf(account)
  if (caller !== undefined) return { caller: { ...caller, via: 'slack' }, account: account.id, zone }
  if (place !== undefined) {
    await answers.aside({ account: account.id, zone }, await strangerCard(account, accounts), place)
  }
  return undefined
}

async function strangerCard(account: ChatAccount, accounts: Accounts) {
  return card({
    summary: 'I do not know yet who you are here. Sign in once on our page, and everything works.',
    title: 'Who are you?',
    tone: 'warn',
    parts: [
      link('Sign in and confirm that this account is yours', await accounts.linkUrl(account)),
      words('The page is for you alone and good for 15 minutes.'),
    ],
  })
}

/** What went wrong with a line or a press is said to whoever waits for it, if Slack still takes it. */
async function say(
  { answers, log, siteZone }: HandlerServices,
  inbound: Inbound,
  error: unknown,
): Promise<void> {
  log.warn({ kind: inbound.kind, error: messageOf(error) }, 'slack message not answered')
  if (!(error instanceof Outage) || error.code.startsWith('chat_')) return
  const place =
    inbound.kind === 'line'
      ? inbound.place
      : 'pressed' in inbound
        ? placeOf(inbound.pressed.origin)
        : undefined
  if (place === undefined || !('sender' in inbound)) return
  await answers
    .aside({ account: inbound.sender.user, zone: siteZone }, outageCard(error), place)
    .catch((failure: unknown) => log.warn({ error: messageOf(failure) }, 'slack takes no answer'))
}

function placeOf({
  channel,
  responseUrl,
}: {
  channel?: string | undefined
  responseUrl?: string | undefined
}) {
  return channel === undefined ? undefined : { channel, responseUrl }
}

function placeOrigin({ channel, responseUrl }: Place) {
  return { ephemeral: false, channel, ...(responseUrl === undefined ? {} : { responseUrl }) }
}

/** A line without our own name in front of it, and with people as the directory calls them. */
async function plainLine(text: string, people: People): Promise<string> {
  const mention = /<@([UW][A-Z0-9]{1,20})(?:\|[^<>]{0,80})?>/g
  if (!text.includes('<@')) return text
  const { user: own } = await people.self()
  const ids = new Set([...text.matchAll(mention)].map(([, id = '']) => id).filter((id) => id !== own))
  const names = new Map<string, string>()
  for (const id of [...ids].slice(0, 10)) {
    const account = await people.account(id)
    const person = account === undefined ? undefined : await people.personOf(account)
    if (person !== undefined) names.set(id, person.user)
  }
  return text.replace(mention, (whole: string, id: string) => {
    if (id === own) return ''
    const user = names.get(id)
    return user === undefined ? whole : `@${user}`
  })
}
