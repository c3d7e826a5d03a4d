import type { Card } from '../../bot/card.ts'
import type { Chat } from '../../bot/chat.ts'
import { cardAsText } from '../../bot/cards/text.ts'
import { type Conversation, openConversation } from '../../bot/conversation.ts'
import { type Caller } from '../../src/identity/person.ts'
import type { Config } from '../../src/config.ts'
import { silentLog } from '../../src/base/log.ts'
import { type Core, openCore } from '../operations/core.ts'

/** The bot over everything that stands behind it, on virtual time. */
export interface Rig extends Core {
  conversation: Conversation
  /** Says a line as somebody of the demo. */
  say(user: string, line: string, key?: string): Promise<Card[]>
  /** Presses the button with this label on a card, as somebody. */
  press(
    user: string,
    card: Card | undefined,
    label: string,
    extras?: { answer?: string; key?: string },
  ): Promise<Card[]>
  /** Sends the form of a card with these fields changed. */
  submit(user: string, card: Card | undefined, fields: Record<string, string>): Promise<Card[]>
  web(user: string): Promise<Caller>
}

export async function openRig(site?: Config): Promise<Rig> {
  const core = await openCore(site === undefined ? {} : { config: site })
  const { operations, clock, config } = core
  const conversation = openConversation({ operations, site: config.site, clock, log: silentLog })
  const web = async (user: string): Promise<Caller> => ({ ...(await core.as(user)), via: 'web' })
  return {
    ...core,
    conversation,
    web,
    say: async (user, line, key) =>
      conversation.say(await web(user), line, { verb: '/vm', ...(key === undefined ? {} : { key }) }),
    press: async (user, card, label, extras = {}) => {
      const { action, value } = buttonNamed(card, label)
      return conversation.press(await web(user), { action, value, ...extras })
    },
    submit: async (user, card, fields) => {
      const form = formOf(card)
      const known = Object.fromEntries(form.fields.map(({ name, value }) => [name, value]))
      return conversation.submit(await web(user), {
        action: form.action,
        value: form.value,
        fields: { ...known, ...fields },
      })
    },
  }
}

export function buttonsOf(card: Card | undefined) {
  return (card?.parts ?? []).flatMap((part) => (part.kind === 'buttons' ? part.buttons : []))
}

export function buttonNamed(card: Card | undefined, label: string) {
  const found = buttonsOf(card).find((button) => button.label.startsWith(label))
  if (found === undefined)
    throw new Error(`no button ${label} on: ${card === undefined ? '' : cardAsText(card)}`)
  return found
}

export function formOf(card: Card | undefined) {
  const found = card?.parts.find((part) => part.kind === 'form')
  if (found === undefined) throw new Error(`no form on: ${card === undefined ? '' : cardAsText(card)}`)
  return found
}

/** What is wrong in the fields of a form. */
export function errorsOf(card: Card | undefined): Record<string, string> {
  return Object.fromEntries(
    formOf(card).fields.flatMap(({ name, error }) => (error === undefined ? [] : [[name, error]])),
  )
}

/** A platform that keeps what it was sent. */
export function keptChat(): Chat & { cards: Map<string, Card> } {
  const cards = new Map<string, Card>()
  return {
    cards,
    platform: 'web',
    reaches: async () => true,
    async post(user, card, key) {
      const message = `${user}/${key}`
      if (!cards.has(message)) cards.set(message, card)
      return { platform: 'web', channel: user, message }
    },
    async update(ref, card) {
      cards.set(ref.message, card)
    },
    announce: async () => null,
    zoneOf: async () => null,
    status: () => ({ state: 'up', detail: '' }),
    check: async () => [],
    close: async () => undefined,
  }
}

/** The line that gets alice a server of a name, once bob agrees. */
export function requestLine(name: string): string {
  return `request slc5 2cpu 4gb for 60d budget T-1042 name ${name} why "AFS web server"`
}

/** Alice's running server. */
export async function giveServer(rig: Rig, name: string): Promise<void> {
  await rig.say('alice', requestLine(name))
  const requests = await rig.say('bob', 'approve')
  const [label] = buttonsOf(requests[0]).map((button) => button.label)
  await rig.press('bob', requests[0], label ?? '')
  await rig.settle()
}
