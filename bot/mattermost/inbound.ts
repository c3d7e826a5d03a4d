import { z } from 'zod'
import { Id, Post } from './schema.ts'

/** What comes in from Mattermost, distrusted: a body that does not fit is nothing. */

/** A slash command, as the form that the server sends (docs: custom slash commands). */
const CommandBody = z.object({
  token: z.string().max(100),
  team_id: z.union([Id, z.literal('')]).catch(''),
  channel_id: Id,
  user_id: Id,
  command: z.string().regex(/^\/[a-z0-9_-]{1,64}$/i),
  text: z.string().max(16_383).catch(''),
  trigger_id: z.string().max(1000),
  root_id: z.union([Id, z.literal('')]).catch(''),
  response_url: z.string().max(500).catch(''),
})

export interface SlashCommand {
  token: string
  team: string
  channel: string
  user: string
  /** Without its slash, lower case. */
  trigger: string
  text: string
  triggerId: string
  /** The thread that it was typed in; empty outside of one. */
  root: string
  responseUrl: string
}

export function parseCommand(body: unknown): SlashCommand | undefined {
  const parsed = CommandBody.safeParse(body)
  if (!parsed.success) return undefined
  const { token, team_id, channel_id, user_id, command, text, trigger_id, root_id, response_url } =
    parsed.data
  return {
    ...{ token, text, team: team_id, channel: channel_id, user: user_id, root: root_id },
    ...{ trigger: command.slice(1).toLowerCase(), triggerId: trigger_id, responseUrl: response_url },
  }
}

/** A button or a menu that was used (PostActionIntegrationRequest). */
const ActionBody = z.object({
  user_id: Id,
  channel_id: Id,
  team_id: z.union([Id, z.literal('')]).catch(''),
  post_id: Id,
  trigger_id: z.string().max(1000),
  context: z.record(z.string(), z.unknown()),
})

export interface Action {
  user: string
  channel: string
  post: string
  triggerId: string
  context: Record<string, unknown>
  /** Which choice of a menu; nothing for a button. */
  choice: string | undefined
}

export function parseAction(body: unknown): Action | undefined {
  const parsed = ActionBody.safeParse(body)
  if (!parsed.success) return undefined
  const { user_id, channel_id, post_id, trigger_id, context } = parsed.data
  const { selected_option: selected, ...carried } = context
  const choice = typeof selected === 'string' ? selected : undefined
  return {
    ...{ user: user_id, channel: channel_id, post: post_id },
    ...{ triggerId: trigger_id, context: carried, choice },
  }
}

/** A dialog that was sent, or that asks again while it is filled in. */
const DialogBody = z.object({
  type: z.enum(['dialog_submission', 'refresh']).catch('dialog_submission'),
  state: z.string().max(4000),
  user_id: Id,
  submission: z.record(z.string(), z.unknown()).nullable().catch({}),
  cancelled: z.boolean().catch(false),
})

export interface SentDialog {
  kind: 'submission' | 'refresh'
  state: string
  user: string
  fields: Record<string, string>
  cancelled: boolean
}

export function parseDialog(body: unknown): SentDialog | undefined {
  const parsed = DialogBody.safeParse(body)
  if (!parsed.success) return undefined
  const { type, state, user_id, submission, cancelled } = parsed.data
  const fields = Object.entries(submission ?? {}).flatMap(([name, value]): [string, string][] => {
    const text = textOf(value)
    return text !== undefined && /^[a-z0-9_]{1,40}$/.test(name) ? [[name, text.slice(0, 3000)]] : []
  })
  const kind = type === 'refresh' ? 'refresh' : 'submission'
  return { kind, state, user: user_id, fields: Object.fromEntries(fields), cancelled }
}

/** Values are text, but a client may send a number or a choice as it likes; nothing is what was left out. */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined
}

/** A message that was written (WebSocket event `posted`): the post is JSON in JSON. */
const Posted = z.object({
  event: z.literal('posted'),
  data: z.object({
    post: z.string().max(200_000),
    channel_type: z.string().catch(''),
    mentions: z.string().max(100_000).optional().catch(undefined),
  }),
})

export interface Written {
  post: Post
  isDirect: boolean
  mentions: readonly string[]
}

export function parsePosted(message: unknown): Written | undefined {
  const parsed = Posted.safeParse(message)
  if (!parsed.success) return undefined
  const { post: text, channel_type, mentions } = parsed.data.data
  const post = Post.safeParse(jsonOf(text))
  if (!post.success) return undefined
  const named = z.array(z.string()).safeParse(jsonOf(mentions ?? '[]'))
  return { post: post.data, isDirect: channel_type === 'D', mentions: named.success ? named.data : [] }
}

function jsonOf(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return value
  } catch {
    return undefined
  }
}

/**
 * What somebody said to the bot: anything in a direct channel, elsewhere what names it. Nothing for what the bot, another
 * integration or the server itself wrote.
 */
export function lineFor(
  me: { id: string; username: string },
  { post, isDirect, mentions }: Written,
): string | undefined {
  if (post.user_id === me.id || post.type !== '' || post.delete_at > 0) return undefined
  if (isTrue(post.props.from_bot) || isTrue(post.props.from_webhook) || isTrue(post.props.from_plugin)) {
    return undefined
  }
  const name = new RegExp(`(^|[^\\w@])@${me.username.replace(/[.-]/g, '\\$&')}(?![\\w-]|\\.\\w)[:,]?`, 'gi')
  const isNamed = mentions.includes(me.id) || name.test(post.message)
  if (!isDirect && !isNamed) return undefined
  const line = post.message.replace(name, '$1').trim()
  return line === '' ? 'help' : line
}

function isTrue(value: unknown): boolean {
  return value === true || value === 'true'
}
