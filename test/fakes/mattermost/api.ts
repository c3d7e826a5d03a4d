import { z } from 'zod'
import { ApiError } from './calls.ts'
import type { Hub } from './hub.ts'
import { dialogFaults, postFaults } from './limits.ts'
import {
  channelView,
  type FakeChannel,
  type FakePost,
  type FakeUser,
  postView,
  userView,
  type World,
} from './world.ts'
import { readTrigger } from '../../../bot/mattermost/callback-proof.ts'

/** One call of the API. */
export interface Call {
  me: FakeUser
  params: Record<string, string>
  query: URLSearchParams
  body: unknown
  form: FormData | undefined
}

export type Answer = { status: number; body: unknown }

/** A dialog that a client shows. */
export interface ShownDialog {
  user: string
  url: string
  dialog: Record<string, unknown>
}

/** A message that only one person sees. It is nowhere on the server. */
export interface Whisper {
  id: string
  user: string
  channel: string
  root: string
  text: string
  attachments: unknown[]
}

export interface Shown {
  dialogs: ShownDialog[]
  whispers: Whisper[]
}

const ok = (body: unknown, status = 200): Answer => ({ status, body })

const NewPost = z.object({
  channel_id: z.string(),
  message: z.string(),
  root_id: z.string().default(''),
  props: z.record(z.string(), z.unknown()).default({}),
  file_ids: z.array(z.string()).default([]),
  pending_post_id: z.string().default(''),
})
const Patch = z.object({
  message: z.string().optional(),
  props: z.record(z.string(), z.unknown()).optional(),
  file_ids: z.array(z.string()).optional(),
})

/** How long the server remembers a pending id (app/post.go). */
const pendingMillis = 30_000
/** How long a trigger id opens a dialog: OutgoingIntegrationRequestsTimeout. */
const triggerMillis = 30_000

export type Handlers = Readonly<Record<string, (call: Call) => Answer | Promise<Answer>>>

/** What each call does, by its key in the description. */
export function handlers(world: World, hub: () => Hub, shown: Shown): Handlers {
  const found = <T>(value: T | undefined, id: string): T => {
    if (value === undefined) throw new ApiError(404, id)
    return value
  }
  const mine = (call: Call, channelId: string): FakeChannel => {
    const channel = found(world.channels.get(channelId), 'app.channel.get.existing.app_error')
    if (!channel.members.has(call.me.id)) throw new ApiError(403, 'api.context.permissions.app_error')
    return channel
  }
  const byId = (id: string, call: Call): FakeUser =>
    id === 'me' ? call.me : found(world.users.get(id), 'user.missing')
  const someone = (wanted: (user: FakeUser) => boolean): Answer =>
    ok(userView(found([...world.users.values()].find(wanted), 'app.user.missing_account.const')))
  return {
    'GET /users/{user_id}': (call) => ok(userView(byId(call.params.user_id ?? '', call))),
    'GET /users/username/{username}': ({ params }) => someone((user) => user.username === params.username),
    'GET /users/email/{email}': ({ params }) => someone((user) => user.email === params.email),
    'POST /channels/direct': (call) =>
      ok(channelView(direct(world, z.array(z.string()).length(2).parse(call.body))), 201),
    'GET /channels/{channel_id}': (call) => ok(channelView(mine(call, call.params.channel_id ?? ''))),
    'GET /users/{user_id}/channels': (call) =>
      ok([...world.channels.values()].filter(({ members }) => members.has(call.me.id)).map(channelView)),
    'GET /channels/{channel_id}/members/{user_id}': (call) => {
      const { channel_id = '', user_id = '' } = call.params
      const channel = found(world.channels.get(channel_id), 'channel')
      if (!channel.members.has(user_id)) throw new ApiError(404, 'app.channel.get_member.missing.app_error')
      return ok({ channel_id, user_id })
    },
    'GET /teams/{team_id}/members/{user_id}': ({ params }) =>
      ok({ team_id: params.team_id, user_id: params.user_id }),
    'GET /teams/name/{team_name}': ({ params }) => {
      if (params.team_name !== world.team.name)
        throw new ApiError(404, 'app.team.get_by_name.missing.app_error')
      return ok({ ...world.team, display_name: 'Servers', type: 'O' })
    },
    'GET /teams/name/{team_name}/channels/name/{channel_name}': ({ params }) =>
      ok(
        channelView(
          found(
            [...world.channels.values()].find(({ name }) => name === params.channel_name),
            'channel',
          ),
        ),
      ),
    'POST /posts': (call) => {
      const post = NewPost.parse(call.body)
      mine(call, post.channel_id)
      return ok(postView(world, createPost(world, hub(), call.me, post)), 201)
    },
    'GET /posts/{post_id}': (call) => ok(postView(world, readable(world, call))),
    'PUT /posts/{post_id}/patch': (call) => {
      const post = readable(world, call)
      if (post.user_id !== call.me.id) throw new ApiError(403, 'api.context.permissions.app_error')
      return ok(postView(world, patchPost(world, hub(), post, Patch.parse(call.body))))
    },
    'GET /channels/{channel_id}/posts': (call) =>
      ok(postList(world, mine(call, call.params.channel_id ?? ''), call.query)),
    'POST /posts/ephemeral': () => {
      throw new ApiError(
        403,
        'api.context.permissions.app_error',
        'create_post_ephemeral is for system administrators',
      )
    },
    'POST /files': async (call) => ok(await upload(world, call, (channel) => mine(call, channel)), 201),
    'POST /actions/dialogs/open': ({ body }) => ok(openDialog(world, hub(), shown, body)),
    'GET /config/client': ({ query }) => {
      if (query.get('format') !== 'old') throw new ApiError(501, 'api.config.client.old_format.app_error')
      return ok(clientConfig(world))
    },
    'GET /commands': (call) => ok(commands(world, call)),
    'POST /commands': (call) => ok(saveCommand(world, call, undefined), 201),
    'PUT /commands/{command_id}': (call) => ok(saveCommand(world, call, call.params.command_id)),
    'GET /system/ping': () => ok({ status: 'OK' }),
  }
}

export function direct(world: World, [a = '', b = '']: readonly string[]): FakeChannel {
  const name = [a, b].toSorted().join('__')
  const known = [...world.channels.values()].find((channel) => channel.name === name)
  if (known !== undefined) return known
  const members = new Set([a, b])
  const channel: FakeChannel = { id: world.id(), type: 'D', name, team_id: '', members, last_post_at: 0 }
  world.channels.set(channel.id, channel)
  return channel
}

function readable(world: World, { me, params }: Call): FakePost {
  const post = world.posts.get(params.post_id ?? '')
  const channel = world.channels.get(post?.channel_id ?? '')
  if (post === undefined || post.delete_at > 0) throw new ApiError(404, 'app.post.get.app_error')
  if (channel?.members.has(me.id) !== true) throw new ApiError(403, 'api.context.permissions.app_error')
  return post
}

/** A time that no other post has: lists are in order, and `since` tells them apart. */
function moment(world: World): number {
  const last = Math.max(0, ...[...world.posts.values()].map(({ update_at }) => update_at))
  return Math.max(world.now(), last + 1)
}

export function createPost(world: World, hub: Hub, user: FakeUser, input: z.infer<typeof NewPost>): FakePost {
  const { pending_post_id: pending, root_id, file_ids } = input
  const faults = postFaults(input)
  if (faults.length > 0) throw new ApiError(400, 'model.post.is_valid.app_error', faults.join('; '))
  const again = [...world.posts.values()].find((post) => pending !== '' && post.pending_post_id === pending)
  if (again !== undefined && world.now() - again.create_at < pendingMillis) return again
  if (root_id !== '' && world.posts.get(root_id)?.channel_id !== input.channel_id) {
    throw new ApiError(400, 'api.post.create_post.root_id.app_error')
  }
  for (const id of file_ids) {
    if (world.files.get(id)?.post !== '') throw new ApiError(400, 'a file is not there, or was used before')
  }
  const at = moment(world)
  const times = { create_at: at, update_at: at, delete_at: 0 }
  const props = user.is_bot ? { ...input.props, from_bot: 'true' } : input.props
  const post: FakePost = { ...input, ...times, props, id: world.id(), user_id: user.id, type: '' }
  for (const id of file_ids) claim(world, id, post.id)
  world.posts.set(post.id, post)
  const channel = world.channels.get(post.channel_id)
  if (channel !== undefined) channel.last_post_at = at
  publishPost(world, hub, post, 'posted')
  return post
}

function claim(world: World, id: string, post: string): void {
  const file = world.files.get(id)
  if (file !== undefined) world.files.set(id, { ...file, post })
}

function publishPost(world: World, hub: Hub, post: FakePost, event: string): void {
  const channel = world.channels.get(post.channel_id)
  const mentions = [...world.users.values()]
    .filter(({ username }) => names(post.message, username))
    .map(({ id }) => id)
  const data = {
    ...{
      channel_type: channel?.type ?? '',
      channel_name: channel?.name ?? '',
      team_id: channel?.team_id ?? '',
    },
    post: JSON.stringify(postView(world, post)),
    ...(mentions.length === 0 ? {} : { mentions: JSON.stringify(mentions) }),
  }
  hub.publish(event, data, channel?.members ?? [])
}

function names(message: string, username: string): boolean {
  return new RegExp(`(^|[^\\w@])@${username}(?![\\w-])`, 'i').test(message)
}

function patchPost(world: World, hub: Hub, post: FakePost, patch: z.infer<typeof Patch>): FakePost {
  const changed = { ...post, ...patch, message: patch.message ?? post.message }
  const faults = postFaults(changed)
  if (faults.length > 0) throw new ApiError(400, 'model.post.is_valid.app_error', faults.join('; '))
  const next: FakePost = {
    ...changed,
    props: patch.props === undefined ? post.props : { ...patch.props, from_bot: 'true' },
    file_ids: patch.file_ids ?? post.file_ids,
    update_at: moment(world),
  }
  world.posts.set(post.id, next)
  publishPost(world, hub, next, 'post_edited')
  return next
}

function postList(world: World, channel: FakeChannel, query: URLSearchParams): unknown {
  const since = query.get('since')
  const posts = [...world.posts.values()]
    .filter((post) => post.channel_id === channel.id && post.delete_at === 0)
    .filter(({ update_at }) => since === null || update_at > Number(since))
    .toSorted((a, b) => b.create_at - a.create_at)
    .slice(0, since === null ? Number(query.get('per_page') ?? 60) : 1000)
  const byId = Object.fromEntries(posts.map((post) => [post.id, postView(world, post)]))
  return { order: posts.map(({ id }) => id), posts: byId, next_post_id: '', prev_post_id: '' }
}

async function upload(world: World, { form }: Call, allowed: (channel: string) => unknown): Promise<unknown> {
  const file = form?.get('files')
  const channel = form?.get('channel_id')
  if (!(file instanceof File) || typeof channel !== 'string')
    throw new ApiError(400, 'api.file.upload_file.read_request')
  allowed(channel)
  if (file.size === 0) throw new ApiError(400, 'an empty file')
  const bytes = Buffer.from(await file.arrayBuffer())
  const stored = { id: world.id(), channel, name: file.name, type: file.type, bytes, post: '' }
  world.files.set(stored.id, stored)
  const info = { id: stored.id, name: stored.name, size: bytes.length, mime_type: file.type }
  return { file_infos: [info], client_ids: [] }
}

const Opening = z.object({ trigger_id: z.string(), url: z.url(), dialog: z.record(z.string(), z.unknown()) })

/** A trigger id is good for 30 s from when it was made, however often; then the client shows the dialog. */
function openDialog(world: World, hub: Hub, shown: Shown, body: unknown): unknown {
  const { trigger_id, url, dialog } = Opening.parse(body)
  const trigger = readTrigger(trigger_id, world.publicKey, world.now())
  const at = Number(Buffer.from(trigger_id, 'base64').toString('utf8').split(':')[2])
  if (!trigger.ok || world.now() - at > triggerMillis) {
    throw new ApiError(400, 'interactive_message.decode_trigger_id.expired')
  }
  const faults = dialogFaults(dialog)
  if (faults.length > 0) throw new ApiError(400, 'app.open_interactive_dialog.is_valid', faults.join('; '))
  shown.dialogs.push({ user: trigger.value.user, url, dialog })
  hub.publish('open_dialog', { dialog: JSON.stringify({ trigger_id, url, dialog }) }, [trigger.value.user])
  return { status: 'OK' }
}

function clientConfig(world: World): Record<string, string> {
  return {
    Version: world.version,
    AsymmetricSigningPublicKey: world.publicKey,
    FeatureFlagMmBlocksEnabled: 'true',
    EnableCommands: 'true',
    EnableUserAccessTokens: 'true',
    EnableBotAccountCreation: 'true',
    SiteURL: '',
  }
}

function mayManage({ me }: Call): void {
  if (!me.roles.includes('system_admin')) throw new ApiError(403, 'api.context.permissions.app_error')
}

function commands(world: World, call: Call): unknown {
  mayManage(call)
  return [...world.commands.values()].filter(({ team_id }) => team_id === call.query.get('team_id'))
}

const NewCommand = z.looseObject({
  team_id: z.string(),
  trigger: z.string().regex(/^[a-z0-9-]{1,128}$/),
  url: z.url(),
  method: z.enum(['P', 'G']),
})

function saveCommand(world: World, call: Call, id: string | undefined): unknown {
  mayManage(call)
  const input = NewCommand.parse(call.body)
  const known = id === undefined ? undefined : world.commands.get(id)
  if (id !== undefined && known === undefined)
    throw new ApiError(404, 'store.sql_command.get.missing.app_error')
  const taken = [...world.commands.values()].some((one) => one.trigger === input.trigger && one.id !== id)
  if (taken) throw new ApiError(400, 'api.command.duplicate_trigger.app_error')
  const times = { create_at: world.now(), update_at: world.now(), delete_at: 0 }
  const command = {
    ...times,
    ...known,
    ...input,
    id: known?.id ?? world.id(),
    token: known?.token ?? world.id(),
  }
  world.commands.set(command.id, command)
  return command
}
