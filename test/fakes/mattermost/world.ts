import { createCipheriv, createDecipheriv, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { z } from 'zod'

/** What is on the fake server: people, teams, channels, posts, files and commands, and how it signs and seals. */

export interface FakeUser {
  id: string
  username: string
  email: string
  roles: string
  is_bot: boolean
  delete_at: number
  auth_service: string
  timezone: Record<string, string>
  /** Who calls with it is this user. */
  token: string
}

export interface FakeChannel {
  id: string
  type: 'O' | 'P' | 'D'
  name: string
  team_id: string
  members: Set<string>
  last_post_at: number
}

export interface FakePost {
  id: string
  user_id: string
  channel_id: string
  root_id: string
  message: string
  type: string
  props: Record<string, unknown>
  file_ids: string[]
  pending_post_id: string
  create_at: number
  update_at: number
  delete_at: number
}

export interface FakeCommand {
  [key: string]: unknown
  id: string
  token: string
  team_id: string
  trigger: string
  url: string
  method: string
}

export interface FakeFile {
  id: string
  channel: string
  name: string
  type: string
  bytes: Buffer
  post: string
}

/** What a button carries, for a post that only one person sees: the server keeps nothing of it. */
export interface Cookie {
  post: string
  channel: string
  action: string
  integration: { url: string; context: Record<string, unknown> }
}

export interface World {
  users: Map<string, FakeUser>
  channels: Map<string, FakeChannel>
  posts: Map<string, FakePost>
  files: Map<string, FakeFile>
  commands: Map<string, FakeCommand>
  /** Addresses for later answers to commands: who they answer, where, and how often they were used. */
  hooks: Map<string, { user: string; channel: string; root: string; uses: number }>
  team: { id: string; name: string }
  version: string
  publicKey: string
  now(): number
  id(): string
  sign(trigger: { id: string; user: string; at: number }): string
  /** A new key, as after the database was made anew. */
  changeKey(): void
  sealCookie(cookie: Cookie): string
  openCookie(text: string): Cookie | undefined
}

const letters = 'abcdefghijklmnopqrstuvwxyz0123456789'

/** 26 letters and digits, as the server makes them. */
export function newId(): string {
  return Array.from(randomBytes(26), (byte) => letters[byte % 36]).join('')
}

export function openWorld(options: { version: string; now: () => number }): World {
  let keys = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  const cookieKey = randomBytes(32)
  const world: World = {
    users: new Map(),
    channels: new Map(),
    posts: new Map(),
    files: new Map(),
    commands: new Map(),
    hooks: new Map(),
    team: { id: newId(), name: 'servers' },
    version: options.version,
    get publicKey() {
      return keys.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
    },
    now: options.now,
    id: newId,
    sign({ id, user, at }) {
      const data = `${id}:${user}:${at}:`
      const signature = sign('sha256', Buffer.from(data), { key: keys.privateKey, dsaEncoding: 'der' })
      return Buffer.from(data + signature.toString('base64')).toString('base64')
    },
    changeKey() {
      keys = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
    },
    sealCookie: (cookie) => sealed(cookieKey, JSON.stringify(cookie)),
    openCookie(text) {
      const json = opened(cookieKey, text)
      return json === undefined ? undefined : CookieShape.parse(JSON.parse(json))
    },
  }
  return world
}

function sealed(key: Buffer, text: string): string {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
  return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64')
}

function opened(key: Buffer, text: string): string | undefined {
  try {
    const all = Buffer.from(text, 'base64')
    const decipher = createDecipheriv('aes-256-gcm', key, all.subarray(0, 12))
    decipher.setAuthTag(all.subarray(12, 28))
    return Buffer.concat([decipher.update(all.subarray(28)), decipher.final()]).toString('utf8')
  } catch {
    return undefined
  }
}

const CookieShape = z.object({
  post: z.string(),
  channel: z.string(),
  action: z.string(),
  integration: z.object({ url: z.string(), context: z.record(z.string(), z.unknown()) }),
})

/** A user as the API shows one to somebody who is no administrator. */
export function userView(user: FakeUser): Record<string, unknown> {
  const { token: _token, timezone, ...shown } = user
  return { ...shown, timezone, create_at: 1, update_at: 1, email_verified: false, locale: 'en' }
}

export function channelView({ members: _members, ...channel }: FakeChannel): Record<string, unknown> {
  return { ...channel, create_at: 1, update_at: 1, delete_at: 0, display_name: channel.name, creator_id: '' }
}

/**
 * A post as clients see it: what its buttons carry stays with the server. Legacy buttons lose their integration, and
 * the registry of blocks becomes one opaque text.
 */
export function postView(world: World, post: FakePost): Record<string, unknown> {
  const { attachments, mm_blocks_actions: actions, ...props } = post.props
  const shown = {
    ...props,
    ...(Array.isArray(attachments)
      ? { attachments: attachments.map((one: unknown) => withoutIntegrations(one)) }
      : {}),
    ...(actions === undefined ? {} : { mm_blocks_actions: world.sealCookie(blankCookie(post)) }),
  }
  const { pending_post_id, ...rest } = post
  return { ...rest, props: shown, edit_at: 0, hashtag: '', original_id: '', pending_post_id, metadata: {} }
}

function blankCookie({ id, channel_id }: FakePost): Cookie {
  return { post: id, channel: channel_id, action: '', integration: { url: '', context: {} } }
}

function withoutIntegrations(attachment: unknown): unknown {
  if (typeof attachment !== 'object' || attachment === null || !('actions' in attachment)) return attachment
  const { actions } = attachment
  if (!Array.isArray(actions)) return attachment
  return { ...attachment, actions: actions.map((action: object) => ({ ...action, integration: undefined })) }
}
