import { z } from 'zod'
import { messageFaults, viewFaults } from '../../../bot/slack/schema.ts'
import {
  Blocks,
  botUser,
  directOf,
  type FakeChannel,
  type FakeMessage,
  ModalView,
  ours,
  SlackSays,
  type Workspace,
} from './workspace.ts'

/** A method of the fake's Web API: the scope it takes, how often it may be called in a minute, and what it does. */
export interface Method {
  scope: string | undefined
  perMinute: number
  run(space: Workspace, args: Args, base: string): Record<string, unknown>
}

export type Args = Readonly<Record<string, unknown>>

const tiers = { two: 20, three: 50, four: 100, special: 600 }

function method(scope: string | undefined, perMinute: number, run: Method['run']): Method {
  return { scope, perMinute, run }
}

function text(args: Args, name: string): string {
  const value = args[name]
  if (typeof value !== 'string' || value === '') throw new SlackSays('invalid_arguments', { missing: name })
  return value
}

function channelIn(space: Workspace, wanted: string): FakeChannel {
  const found =
    space.channels.get(wanted) ??
    [...space.channels.values()].find(({ name }) => name !== '' && `#${name}` === wanted)
  if (found === undefined) throw new SlackSays('channel_not_found')
  if (!found.members.has(botUser)) throw new SlackSays('not_in_channel')
  return found
}

function contentOf(args: Args): Pick<FakeMessage, 'text' | 'blocks'> {
  const faults = messageFaults({ text: args.text, blocks: args.blocks })
  if (faults.length > 0) throw new SlackSays('invalid_blocks', { response_metadata: { messages: faults } })
  return { text: text(args, 'text'), blocks: Blocks.parse(args.blocks) }
}

export function addMessage(
  space: Workspace,
  message: Partial<FakeMessage> & Pick<FakeMessage, 'channel' | 'text' | 'blocks'>,
): FakeMessage {
  const whole: FakeMessage = {
    ...{ ts: space.stamp(), thread: undefined, only: undefined, file: undefined, edits: 0, deleted: false },
    ...message,
  }
  space.messages.push(whole)
  return whole
}

function threadOf(space: Workspace, channel: string, args: Args): string | undefined {
  if (args.thread_ts === undefined) return undefined
  const thread = text(args, 'thread_ts')
  // A thread hangs on a message of people or of ours; of people's only the time is known here.
  if (!/^\d+\.\d+$/.test(thread)) throw new SlackSays('invalid_thread_ts')
  const root = space.messages.find(({ ts }) => ts === thread)
  if (root !== undefined && root.channel !== channel) throw new SlackSays('thread_not_found')
  return thread
}

function viewOf(args: Args): ModalView {
  const raw: unknown = typeof args.view === 'string' ? JSON.parse(args.view) : args.view
  const faults = viewFaults(raw)
  if (faults.length > 0) throw new SlackSays('invalid_arguments', { response_metadata: { messages: faults } })
  return ModalView.parse(raw)
}

/** What a method does of Slack's: `views.open` and the rest, as strictly as they are described. */
export const methods: Readonly<Record<string, Method>> = {
  'api.test': method(undefined, tiers.four, () => ({})),
  'auth.test': method(undefined, tiers.special, () => ({
    ...{ user_id: botUser, user: 'jackdaw', team_id: ours, team: 'Example', bot_id: 'B0JACKDAW' },
  })),
  'apps.connections.open': method('connections:write', tiers.special, (_space, _args, base) => ({
    url: `${base.replace('http', 'ws')}/socket`,
  })),
  'users.info': method('users:read', tiers.four, (space, args) => {
    const user = space.users.get(text(args, 'user'))
    if (user === undefined) throw new SlackSays('user_not_found')
    return { user: withoutEmail(space, user) }
  }),
  'users.lookupByEmail': method('users:read.email', tiers.three, (space, args) => {
    const email = text(args, 'email')
    const user = [...space.users.values()].find(({ profile, deleted }) => profile.email === email && !deleted)
    if (user === undefined) throw new SlackSays('users_not_found')
    return { user: withoutEmail(space, user) }
  }),
  'conversations.open': method('im:write', tiers.three, (space, args) => {
    const user = space.users.get(text(args, 'users'))
    if (user === undefined) throw new SlackSays('user_not_found')
    if (user.deleted) throw new SlackSays('user_disabled')
    return { channel: { id: directOf(space, user.id) } }
  }),
  'conversations.info': method('im:read', tiers.three, (space, args) => {
    const { id, user, name } = channelIn(space, text(args, 'channel'))
    return { channel: { id, name, is_im: user !== undefined, ...(user === undefined ? {} : { user }) } }
  }),
  'conversations.history': method('im:history', tiers.three, (space, args) => {
    const { id } = channelIn(space, text(args, 'channel'))
    const limit = z.coerce.number().parse(args.limit ?? 100)
    const found = space.messages.filter(
      (one) => one.channel === id && one.only === undefined && one.thread === undefined && !one.deleted,
    )
    return {
      messages: found
        .reverse()
        .slice(0, limit)
        .map(({ ts, text: said, blocks }) => ({ ts, text: said, blocks })),
    }
  }),
  'conversations.list': method('channels:read', tiers.two, (space) => ({
    channels: [...space.channels.values()]
      .filter(({ user }) => user === undefined)
      .map(({ id, name, members }) => ({ id, name, is_member: members.has(botUser) })),
  })),
  'chat.postMessage': method('chat:write', tiers.special, (space, args) => {
    const { id } = channelIn(space, text(args, 'channel'))
    const { ts } = addMessage(space, { ...contentOf(args), channel: id, thread: threadOf(space, id, args) })
    return { channel: id, ts }
  }),
  'chat.update': method('chat:write', tiers.three, (space, args) => {
    const { id } = channelIn(space, text(args, 'channel'))
    const found = space.messages.find(({ channel, ts, only, deleted }) => {
      return channel === id && ts === text(args, 'ts') && only === undefined && !deleted
    })
    if (found === undefined) throw new SlackSays('message_not_found')
    Object.assign(found, contentOf(args), { edits: found.edits + 1 })
    return { channel: id, ts: found.ts }
  }),
  'chat.postEphemeral': method('chat:write', tiers.four, (space, args) => {
    const { id, members } = channelIn(space, text(args, 'channel'))
    const only = text(args, 'user')
    if (!members.has(only)) throw new SlackSays('user_not_in_channel')
    const { ts } = addMessage(space, {
      ...contentOf(args),
      channel: id,
      only,
      thread: threadOf(space, id, args),
    })
    return { message_ts: ts }
  }),
  'chat.getPermalink': method(undefined, tiers.special, (space, args) => {
    const { id } = channelIn(space, text(args, 'channel'))
    const ts = text(args, 'message_ts')
    if (space.messages.every((one) => one.ts !== ts)) throw new SlackSays('message_not_found')
    return { channel: id, permalink: `https://example.slack.com/archives/${id}/p${ts.replace('.', '')}` }
  }),
  'views.open': method(undefined, tiers.four, (space, args) => {
    const user = useTrigger(space, text(args, 'trigger_id'))
    const view = viewOf(args)
    if (view.type !== 'modal') throw new SlackSays('invalid_arguments')
    const id = space.next('V')
    space.views.set(id, { id, user, view, hash: space.next('h'), values: {}, errors: {}, isOpen: true })
    return { view: { id } }
  }),
  'views.update': method(undefined, tiers.four, (space, args) => {
    const found = space.views.get(text(args, 'view_id'))
    if (found?.isOpen !== true) throw new SlackSays('not_found')
    if (args.hash !== undefined && args.hash !== found.hash) throw new SlackSays('hash_conflict')
    Object.assign(found, { view: viewOf(args), hash: space.next('h'), errors: {} })
    return { view: { id: found.id } }
  }),
  'views.publish': method(undefined, tiers.four, (space, args) => {
    const view = viewOf(args)
    if (view.type !== 'home') throw new SlackSays('invalid_arguments')
    if (!space.users.has(text(args, 'user_id'))) throw new SlackSays('user_not_found')
    space.homes.set(text(args, 'user_id'), view)
    return { view: { id: `home-${text(args, 'user_id')}` } }
  }),
  'files.getUploadURLExternal': method('files:write', tiers.four, (space, args, base) => {
    const length = z.coerce.number().int().min(1).parse(args.length)
    const id = space.next('F')
    space.uploads.set(id, { length, alt: z.string().max(1000).default('').parse(args.alt_txt), bytes: 0 })
    return { upload_url: `${base}/upload/${id}`, file_id: id }
  }),
  'files.completeUploadExternal': method('files:write', tiers.four, (space, args) => {
    const files = z
      .array(z.object({ id: z.string(), title: z.string() }))
      .min(1)
      .parse(typeof args.files === 'string' ? JSON.parse(args.files) : args.files)
    const { id: channel } = channelIn(space, text(args, 'channel_id'))
    for (const { id, title } of files) {
      const upload = space.uploads.get(id)
      if (upload === undefined || upload.bytes !== upload.length) throw new SlackSays('file_not_found')
      const file = { title, alt: upload.alt, bytes: upload.bytes }
      addMessage(space, { channel, text: '', blocks: [], file, thread: threadOf(space, channel, args) })
    }
    return { files: files.map(({ id }) => ({ id })) }
  }),
}

function withoutEmail(space: Workspace, user: { profile: { real_name: string; email: string } }) {
  if (space.scopes.has('users:read.email')) return user
  return { ...user, profile: { real_name: user.profile.real_name } }
}

function useTrigger(space: Workspace, id: string): string {
  const trigger = space.triggers.get(id)
  if (trigger === undefined) throw new SlackSays('invalid_trigger_id')
  if (trigger.used) throw new SlackSays('exchanged_trigger_id')
  if (space.now() - trigger.at > 3_000) throw new SlackSays('expired_trigger_id')
  trigger.used = true
  return trigger.user
}
