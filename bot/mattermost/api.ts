import mattermost from '@mattermost/client'
import type { z } from 'zod'
import { messageOf, Outage } from '../../src/base/errors.ts'
import type { Log } from '../../src/base/log.ts'
import type { Pace } from './pacing.ts'
import { withClientSurroundings } from './surroundings.ts'
import * as schema from './schema.ts'

/** How long the server may take for one answer. The client itself would wait for ever. */
const answerMillis = 10_000

export interface ApiOptions {
  url: string
  token: string
  log: Log
  pace: Pace
  answerMillis?: number
}

/** What is written. `pending_post_id` makes a second copy of the same post the first one, for half a minute. */
export interface NewPost {
  channel_id: string
  message: string
  props: Record<string, unknown>
  root_id?: string
  file_ids?: string[]
  pending_post_id?: string
}

/** The calls of the Mattermost API (version 4) that are made. Each throws Outage, with whether trying again can help. */
export interface Api {
  me(): Promise<schema.User>
  user(id: string): Promise<schema.User | undefined>
  userByEmail(email: string): Promise<schema.User | undefined>
  directChannel(a: string, b: string): Promise<string>
  createPost(post: NewPost, options?: { silent?: boolean }): Promise<schema.Post>
  /** @returns false when the post is gone */
  patchPost(id: string, post: Pick<NewPost, 'message' | 'props' | 'file_ids'>): Promise<boolean>
  post(id: string): Promise<schema.Post | undefined>
  /** Posts of a channel that were made or changed since, oldest first. */
  postsSince(channel: string, sinceMillis: number): Promise<schema.Post[]>
  /** The newest posts of a channel. */
  newestPosts(channel: string): Promise<schema.Post[]>
  myChannels(): Promise<schema.Channel[]>
  upload(channel: string, file: { name: string; bytes: Uint8Array; type: string }): Promise<string>
  openDialog(triggerId: string, url: string, dialog: object): Promise<void>
  config(): Promise<schema.ClientConfig>
  team(name: string): Promise<{ id: string } | undefined>
  channelOf(team: string, name: string): Promise<{ id: string } | undefined>
  isMember(channel: string, user: string): Promise<boolean>
  commands(team: string): Promise<schema.Command[]>
  saveCommand(
    command: Omit<schema.Command, 'id' | 'token' | 'delete_at'> & { id?: string },
  ): Promise<schema.Command>
  /** A later answer to a slash command, at the address that came with it. */
  respond(path: string, body: object): Promise<void>
}

type FetchOptions = Parameters<InstanceType<typeof mattermost.Client4>['getOptions']>[0]

/** The library's client, which can be asked for any path, and which gives up. */
class Client extends mattermost.Client4 {
  readonly #limit: number

  constructor(limit: number) {
    super()
    this.#limit = limit
  }

  override getOptions(
    options: FetchOptions,
  ): ReturnType<InstanceType<typeof mattermost.Client4>['getOptions']> {
    return { ...super.getOptions(options), signal: AbortSignal.timeout(this.#limit) }
  }

  ask(url: string, options: FetchOptions): Promise<unknown> {
    return this.doFetch<unknown>(url, options)
  }
}

export function openApi({ url, token, log, pace, answerMillis: limit = answerMillis }: ApiOptions): Api {
  const client = new Client(limit)
  client.setUrl(url)
  client.setToken(token)

  async function call(method: string, path: string, body?: object): Promise<unknown> {
    await pace.turn()
    const data = body === undefined ? {} : { body: body instanceof FormData ? body : JSON.stringify(body) }
    try {
      return await withClientSurroundings(log, () =>
        client.ask(`${client.getBaseRoute()}${path}`, { method, ...data }),
      )
    } catch (error) {
      const outage = outageOf(error)
      if (outage.code === 'mattermost_busy') pace.holdBack(1000)
      throw outage
    }
  }

  async function read<T>(shape: z.ZodType<T>, method: string, path: string, body?: object): Promise<T> {
    const parsed = shape.safeParse(await call(method, path, body))
    if (parsed.success) return parsed.data
    // A page of a proxy comes with status 200, too.
    throw new Outage('chat_unreachable', 'Mattermost gave an answer that is not one of its API', {
      transient: true,
    })
  }

  return { ...readings(read), ...writings(call, read, { url, limit }) }
}

type Call = (method: string, path: string, body?: object) => Promise<unknown>
type Read = <T>(shape: z.ZodType<T>, method: string, path: string, body?: object) => Promise<T>

type Readings =
  'me' | 'user' | 'userByEmail' | 'post' | 'postsSince' | 'newestPosts' | 'myChannels' | 'config'
type Setup = 'team' | 'channelOf' | 'isMember' | 'commands'

function readings(read: Read): Pick<Api, Readings | Setup> {
  const part = encodeURIComponent
  return {
    me: () => read(schema.User, 'get', '/users/me'),
    user: (id) => unlessGone(read(schema.User, 'get', `/users/${part(id)}`)),
    userByEmail: (email) => unlessGone(read(schema.User, 'get', `/users/email/${part(email)}`)),
    post: (id) => unlessGone(read(schema.Post, 'get', `/posts/${part(id)}`)),
    async postsSince(channel, since) {
      const list = await read(schema.PostList, 'get', `/channels/${part(channel)}/posts?since=${since}`)
      return sorted(list)
    },
    async newestPosts(channel) {
      return sorted(await read(schema.PostList, 'get', `/channels/${part(channel)}/posts?page=0&per_page=60`))
    },
    myChannels: () => read(schema.Channel.array(), 'get', '/users/me/channels'),
    config: () => read(schema.ClientConfig, 'get', '/config/client?format=old'),
    team: (name) => unlessGone(read(schema.Named, 'get', `/teams/name/${part(name)}`)),
    channelOf: (team, name) =>
      unlessGone(read(schema.Named, 'get', `/teams/name/${part(team)}/channels/name/${part(name)}`)),
    async isMember(channel, user) {
      const members = `/channels/${part(channel)}/members/${part(user)}`
      return (await unlessGone(read(schema.Member, 'get', members))) !== undefined
    },
    commands: (team) =>
      read(schema.Command.array(), 'get', `/commands?team_id=${part(team)}&custom_only=true`),
  }
}

function sorted({ posts }: z.infer<typeof schema.PostList>): schema.Post[] {
  return Object.values(posts).toSorted((a, b) => a.create_at - b.create_at)
}

type Place = Pick<ApiOptions, 'url'> & { limit: number }

function writings(call: Call, read: Read, place: Place): Omit<Api, Readings | Setup> {
  return {
    async directChannel(a, b) {
      return (await read(schema.Channel, 'post', '/channels/direct', [a, b])).id
    },
    createPost: (post, { silent = false } = {}) =>
      read(schema.Post, 'post', silent ? '/posts?silent=true' : '/posts', post),
    async patchPost(id, post) {
      const patched = await unlessGone(
        read(schema.Post, 'put', `/posts/${encodeURIComponent(id)}/patch`, post),
      )
      return patched !== undefined
    },
    async upload(channel, { name, bytes, type }) {
      const form = new FormData()
      form.set('channel_id', channel)
      form.set('files', new Blob([Buffer.from(bytes)], { type }), name)
      const { file_infos } = await read(schema.Files, 'post', '/files', form)
      return file_infos[0]?.id ?? ''
    },
    async openDialog(triggerId, url, dialog) {
      await call('post', '/actions/dialogs/open', { trigger_id: triggerId, url, dialog })
    },
    saveCommand: (command) =>
      command.id === undefined
        ? read(schema.Command, 'post', '/commands', command)
        : read(schema.Command, 'put', `/commands/${encodeURIComponent(command.id)}`, command),
    respond: (path, body) => respond(place, path, body),
  }
}

/** The address is a secret that lets anybody write: it needs no token, and none is sent. */
async function respond({ url, limit }: Place, path: string, body: object): Promise<void> {
  const sent = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }
  try {
    const response = await fetch(`${url}${path}`, {
      ...sent,
      redirect: 'error',
      signal: AbortSignal.timeout(limit),
    })
    await response.body?.cancel()
    if (response.ok) return
    const transient = response.status >= 500 || response.status === 429
    throw new Outage('mattermost_refused', `Mattermost answered ${response.status}`, { transient })
  } catch (error) {
    throw outageOf(error)
  }
}

/** What is not there is an answer, not an outage. */
async function unlessGone<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work
  } catch (error) {
    if (error instanceof Outage && error.code === 'mattermost_gone') return undefined
    throw error
  }
}

/**
 * What a failed call means. The client gives the status only of JSON answers: a page of a proxy, like a connection that
 * broke, says nothing about the call itself, so trying again can help. Without permission to do one thing it cannot.
 */
export function outageOf(error: unknown): Outage {
  if (error instanceof Outage) return error
  if (!(error instanceof mattermost.ClientError)) {
    return new Outage('chat_unreachable', `Mattermost gave no answer: ${reasonOf(error)}`, {
      transient: true,
    })
  }
  const { status_code: status, server_error_id: id } = error
  const [code, transient] = kindOf(status)
  const what =
    status === undefined ? 'a page that is not of its API' : `${status}${id === undefined ? '' : ` (${id})`}`
  return new Outage(code, `Mattermost answered ${what}`, { transient })
}

function kindOf(status: number | undefined): [code: string, transient: boolean] {
  // Another token makes 401 right again, and what waits should then be sent.
  if (status === undefined || status >= 500 || status === 401) return ['chat_unreachable', true]
  if (status === 429) return ['mattermost_busy', true]
  if (status === 404) return ['mattermost_gone', false]
  return ['mattermost_refused', false]
}

/** `fetch failed` says less than its cause. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  return messageOf(cause).slice(0, 200)
}
