import { z } from 'zod'

/** A fake of Slack: what a workspace holds. Made for tests, from Slack's published reference; not Slack. */
export interface FakeUser {
  id: string
  name: string
  team_id: string
  deleted: boolean
  is_bot: boolean
  is_restricted: boolean
  is_ultra_restricted: boolean
  is_email_confirmed: boolean
  tz: string
  profile: { real_name: string; email: string }
}

export interface FakeChannel {
  id: string
  name: string
  /** Of a direct conversation: the other one. */
  user: string | undefined
  members: Set<string>
}

export const Blocks = z.array(z.looseObject({ type: z.string(), block_id: z.string().default('') }))
export type Blocks = z.infer<typeof Blocks>

export interface FakeMessage {
  channel: string
  ts: string
  text: string
  blocks: Blocks
  thread: string | undefined
  /** Who alone sees it; nobody's when everybody in the channel does. */
  only: string | undefined
  file: { title: string; alt: string; bytes: number } | undefined
  edits: number
  deleted: boolean
}

export const ModalView = z.looseObject({
  type: z.enum(['modal', 'home']),
  private_metadata: z.string().default(''),
  title: z.looseObject({ text: z.string() }).optional(),
  blocks: Blocks,
})
export type ModalView = z.infer<typeof ModalView>

export interface FakeView {
  id: string
  user: string
  view: ModalView
  hash: string
  /** What was typed, by block and element. */
  values: Record<string, Record<string, { value?: string; selected_option?: { value: string } }>>
  errors: Record<string, string>
  isOpen: boolean
}

export const ours = 'T0SITE'
export const botUser = 'U0JACKDAW'

export interface Workspace {
  users: Map<string, FakeUser>
  channels: Map<string, FakeChannel>
  messages: FakeMessage[]
  views: Map<string, FakeView>
  homes: Map<string, ModalView>
  triggers: Map<string, { at: number; used: boolean; user: string }>
  /** Addresses for answers, by their secret. */
  responses: Map<
    string,
    { channel: string; user: string; at: number; uses: number; message: FakeMessage | undefined }
  >
  uploads: Map<string, { length: number; alt: string; bytes: number }>
  scopes: Set<string>
  now(): number
  next(prefix: string): string
  stamp(): string
}

export function openWorkspace(now: () => number, scopes: readonly string[]): Workspace {
  let count = 0
  return {
    users: new Map(),
    channels: new Map(),
    messages: [],
    views: new Map(),
    homes: new Map(),
    triggers: new Map(),
    responses: new Map(),
    uploads: new Map(),
    scopes: new Set(scopes),
    now,
    next(prefix) {
      count += 1
      return `${prefix}${String(count).padStart(6, '0')}`
    },
    stamp() {
      count += 1
      return `${Math.floor(now() / 1000)}.${String(count).padStart(6, '0')}`
    },
  }
}

export function addUser(space: Workspace, id: string, differences: Partial<FakeUser> = {}): FakeUser {
  const name = differences.name ?? id.toLowerCase()
  const user: FakeUser = {
    ...{ id, name, team_id: ours, deleted: false, is_bot: false, is_restricted: false },
    ...{ is_ultra_restricted: false, is_email_confirmed: true, tz: 'Europe/Zurich' },
    profile: { real_name: name, email: `${name}@example.org` },
    ...differences,
  }
  space.users.set(id, user)
  return user
}

export function addChannel(space: Workspace, id: string, name: string, members: readonly string[]): void {
  space.channels.set(id, { id, name, user: undefined, members: new Set(members) })
}

/** The direct conversation of the bot with somebody, which both find under the same id. */
export function directOf(space: Workspace, user: string): string {
  const id = `D${user.slice(1)}`
  if (!space.channels.has(id)) {
    space.channels.set(id, { id, name: '', user, members: new Set([user, botUser]) })
  }
  return id
}

/** What a click or a command is given, to open one window within three seconds. */
export function newTrigger(space: Workspace, user: string): string {
  const id = `${space.next('1')}.2.abc`
  space.triggers.set(id, { at: space.now(), used: false, user })
  return id
}

/** An answer of `ok: false`. */
export class SlackSays extends Error {
  readonly code: string
  readonly extras: Readonly<Record<string, unknown>>

  constructor(code: string, extras: Readonly<Record<string, unknown>> = {}) {
    super(code)
    this.code = code
    this.extras = extras
  }
}
