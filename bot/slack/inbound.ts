import { z } from 'zod'
import type { LineContext } from '../grammar.ts'
import {
  type Asked,
  type FormState,
  type Origin,
  readActionId,
  readAsked,
  readBlockId,
  readFormState,
} from './ids.ts'
import { readWindow, type Window } from './ids.ts'

/** Who sent something, as far as Slack says at once. */
export interface Sender {
  user: string
  team: string | undefined
}

/** Where somebody said something. */
export interface Place {
  channel: string
  /** The thread in which it was said. */
  thread?: string | undefined
  /** Where an answer that only they see may be sent, without being a member of the channel. */
  responseUrl?: string | undefined
}

/** A message on which somebody pressed something. `message` is missing in windows and in App Home. */
export interface Pressed {
  origin: Origin
  trigger: string
  key: string
}

/** What came in, as far as it is ours. */
export type Inbound =
  | {
      kind: 'line'
      sender: Sender
      place: Place
      text: string
      verbs: LineContext['verbs']
      trigger?: string
      key: string
    }
  | { kind: 'press'; sender: Sender; pressed: Pressed; action: string; value: string }
  | { kind: 'ask'; sender: Sender; pressed: Pressed; action: string; asked: Asked }
  | { kind: 'form'; sender: Sender; pressed: Pressed; action: string; state: FormState }
  | { kind: 'fill'; sender: Sender; view: string; window: Window; fields: Fields }
  | { kind: 'submit'; sender: Sender; view: string; window: Window; fields: Fields }
  | { kind: 'home'; sender: Sender }
  /** Somebody's account was changed: what was known of it may be wrong. */
  | { kind: 'person'; user: string }
  /** The app was removed, or its tokens taken away. */
  | { kind: 'removed' }

export type Fields = Readonly<Record<string, string>>

const UserId = z.string().regex(/^[UW][A-Z0-9]{1,20}$/)
const ChannelId = z.string().regex(/^[A-Z][A-Z0-9]{1,20}$/)
const TeamId = z.string().max(30)
const Stamp = z.string().regex(/^\d{1,12}\.\d{1,12}$/)
const Text = z.string().max(4000)
const Trigger = z.string().max(200)
const Url = z.string().max(500)

const Command = z.object({
  command: z.string().regex(/^\/[\w-]{1,32}$/),
  text: Text.default(''),
  user_id: UserId,
  team_id: TeamId.optional(),
  channel_id: ChannelId,
  response_url: Url.optional(),
  trigger_id: Trigger,
})

const Typed = z.object({ event_id: z.string().max(60), team_id: TeamId.optional() })
const Event = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('app_mention'),
    user: UserId,
    text: Text,
    channel: ChannelId,
    ts: Stamp,
    thread_ts: Stamp.optional(),
    bot_id: z.string().optional(),
    user_team: TeamId.optional(),
  }),
  z.object({
    type: z.literal('message'),
    channel_type: z.literal('im'),
    // Edits, joins and what other programs say have a subtype or a bot.
    subtype: z.undefined().optional(),
    bot_id: z.undefined().optional(),
    user: UserId,
    text: Text,
    channel: ChannelId,
    ts: Stamp,
    thread_ts: Stamp.optional(),
    user_team: TeamId.optional(),
  }),
  z.object({ type: z.literal('app_home_opened'), user: UserId, tab: z.string().max(20).default('home') }),
  z.object({ type: z.literal('user_change'), user: z.object({ id: UserId }) }),
  z.object({ type: z.enum(['app_uninstalled', 'tokens_revoked']) }),
])
const Happened = Typed.extend({ type: z.literal('event_callback'), event: Event })

const From = z.object({
  user: z.object({ id: UserId, team_id: TeamId.optional() }),
  team: z.object({ id: TeamId }).nullish(),
})
const StateValue = z.object({
  value: z.string().max(3000).nullish(),
  selected_option: z.object({ value: z.string().max(150) }).nullish(),
})
const View = z.object({
  id: z.string().max(40),
  private_metadata: z.string().max(3000).default(''),
  state: z.object({ values: z.record(z.string(), z.record(z.string(), StateValue)) }).optional(),
})
const Clicked = From.extend({
  type: z.literal('block_actions'),
  trigger_id: Trigger,
  response_url: Url.optional(),
  container: z.object({
    type: z.string().max(40),
    channel_id: ChannelId.optional(),
    message_ts: Stamp.optional(),
    is_ephemeral: z.boolean().optional(),
  }),
  view: View.nullish(),
  actions: z
    .array(
      z.object({
        action_id: z.string().max(255),
        block_id: z.string().max(255),
        value: z.string().max(3000).optional(),
      }),
    )
    .min(1),
})
const Sent = From.extend({ type: z.literal('view_submission'), view: View })

/** What Slack sent, as far as it is meant for us. Nothing for everything else: never throws, whatever it holds. */
export function parseInbound(body: unknown): Inbound | undefined {
  const command = Command.safeParse(body)
  if (command.success) return commandOf(command.data)
  const happened = Happened.safeParse(body)
  if (happened.success) return eventOf(happened.data)
  const clicked = Clicked.safeParse(body)
  if (clicked.success) return clickOf(clicked.data)
  const sent = Sent.safeParse(body)
  return sent.success ? submissionOf(sent.data) : undefined
}

function commandOf(body: z.infer<typeof Command>): Inbound {
  return {
    kind: 'line',
    sender: { user: body.user_id, team: body.team_id },
    place: { channel: body.channel_id, responseUrl: body.response_url },
    text: body.text,
    // A site may have renamed the commands: what begins with `desktop` is for desktops.
    verbs: body.command.startsWith('/desktop') ? '/desktop' : '/vm',
    trigger: body.trigger_id,
    key: `command:${body.trigger_id}`,
  }
}

function eventOf({ event, event_id: id, team_id: team }: z.infer<typeof Happened>): Inbound | undefined {
  switch (event.type) {
    case 'app_mention': {
      // In a direct message the same words also come as a message.
      if (event.bot_id !== undefined || event.channel.startsWith('D')) return undefined
      return lineOf(event, { key: `event:${id}`, team, thread: event.thread_ts ?? event.ts })
    }
    case 'message':
      return lineOf(event, { key: `event:${id}`, team, thread: event.thread_ts })
    case 'app_home_opened':
      return event.tab === 'home' ? { kind: 'home', sender: { user: event.user, team } } : undefined
    case 'user_change':
      return { kind: 'person', user: event.user.id }
    default:
      return { kind: 'removed' }
  }
}

function lineOf(
  event: { user: string; text: string; channel: string; user_team?: string | undefined },
  { key, team, thread }: { key: string; team: string | undefined; thread: string | undefined },
): Inbound {
  const { user, text, channel, user_team: own } = event
  return {
    kind: 'line',
    sender: { user, team: own ?? team },
    place: { channel, thread },
    text,
    verbs: 'mention',
    key,
  }
}

function senderOf({ user, team }: z.infer<typeof From>): Sender {
  return { user: user.id, team: user.team_id ?? team?.id }
}

function clickOf(body: z.infer<typeof Clicked>): Inbound | undefined {
  const { actions, view, container, trigger_id: trigger, response_url: responseUrl } = body
  const [first] = actions
  const sender = senderOf(body)
  if (first === undefined) return undefined
  const window = readWindow(view?.private_metadata ?? '')
  if (view && window !== undefined) {
    return { kind: 'fill', sender, view: view.id, window, fields: fieldsOf(view) }
  }
  const click = readActionId(first.action_id)
  const place = readBlockId(first.block_id)
  if (click === undefined || place === undefined) return undefined
  const { channel_id: channel, message_ts: message, is_ephemeral: ephemeral = false } = container
  const { about, version } = place
  const origin: Origin = {
    ephemeral,
    ...(channel === undefined ? {} : { channel }),
    ...(message === undefined ? {} : { message }),
    ...(responseUrl === undefined ? {} : { responseUrl }),
    ...(about === undefined ? {} : { about }),
    version,
  }
  const key = `click:${channel ?? 'home'}:${message ?? ''}:${version}:${place.place}:${first.action_id}`
  const { value = '' } = first
  return clickKinds(click, value, { sender, pressed: { origin, trigger, key } })
}

function clickKinds(
  { kind, action }: { kind: 'press' | 'ask' | 'form'; action: string },
  value: string,
  from: { sender: Sender; pressed: Pressed },
): Inbound | undefined {
  if (kind === 'press') return value.length > 200 ? undefined : { ...from, kind, action, value }
  if (kind === 'ask') {
    const asked = readAsked(value)
    return asked === undefined ? undefined : { ...from, kind, action, asked }
  }
  const state = readFormState(value)
  return state === undefined ? undefined : { ...from, kind, action, state }
}

function submissionOf(body: z.infer<typeof Sent>): Inbound | undefined {
  const window = readWindow(body.view.private_metadata)
  if (window === undefined) return undefined
  return { kind: 'submit', sender: senderOf(body), view: body.view.id, window, fields: fieldsOf(body.view) }
}

/** What stands in the fields of a window, by their names. */
function fieldsOf({ state }: z.infer<typeof View>): Fields {
  return Object.fromEntries(
    Object.entries(state?.values ?? {}).flatMap(([block, elements]): [string, string][] => {
      const name = /^field\.([a-z]{1,20})$/.exec(block)?.[1]
      const [found] = Object.values(elements)
      if (name === undefined || found === undefined) return []
      return [[name, (found.selected_option?.value ?? found.value ?? '').slice(0, 500)]]
    }),
  )
}
