import { z } from 'zod'
import { createPost, direct, type ShownDialog, type Whisper } from './api.ts'
import { postFaults } from './limits.ts'
import type { FakeMattermost } from './server.ts'
import { type FakeChannel, type FakePost, type FakeUser, newId } from './world.ts'

/** What an integration answered, as the server read it. */
export interface Called {
  status: number
  body: Record<string, unknown>
}

/** Somebody at a client: what they do goes to the server, which calls the integration as a server does. */
export interface Person {
  user: FakeUser
  /** Their direct channel with the bot. */
  home(): FakeChannel
  say(channel: FakeChannel, message: string, root?: string): FakePost
  command(channel: FakeChannel, line: string, root?: string): Promise<Called>
  /** Presses what bears this label; `choice` is the text of a menu's option. */
  press(on: FakePost | Whisper, label: string, choice?: string): Promise<Called>
  /** The dialog that was opened for them last. It closes. */
  dialog(): ShownDialog
  /** Sends a dialog with what it was filled in with; fields that are left alone keep what stood in them. */
  send(dialog: ShownDialog, fields?: Record<string, string>): Promise<Called>
  /** Changes a menu that asks again, with what is filled in so far. */
  refresh(dialog: ShownDialog, fields: Record<string, string>, selected: string): Promise<Called>
  /** What only they were shown, oldest first. */
  whispers(): Whisper[]
}

export function makeUser(fake: FakeMattermost, username: string, extras: Partial<FakeUser> = {}): FakeUser {
  const user: FakeUser = {
    ...{ id: newId(), username, email: `${username}@example.org`, roles: 'system_user', is_bot: false },
    ...{ delete_at: 0, auth_service: '', timezone: zoneIn('Europe/Zurich'), token: '' },
    ...extras,
  }
  fake.world.users.set(user.id, user)
  return user
}

export function zoneIn(zone: string): Record<string, string> {
  return { useAutomaticTimezone: 'true', automaticTimezone: zone, manualTimezone: '' }
}

export function makeChannel(fake: FakeMattermost, name: string, members: readonly FakeUser[]): FakeChannel {
  const { world } = fake
  const channel: FakeChannel = {
    ...{ id: world.id(), type: 'O', name, team_id: world.team.id, last_post_at: 0 },
    members: new Set(members.map(({ id }) => id)),
  }
  world.channels.set(channel.id, channel)
  return channel
}

/** How long the server waits for an integration: OutgoingIntegrationRequestsTimeout. */
const patienceMillis = 30_000

const Answer = z.record(z.string(), z.unknown())

/** Calls an integration. What is not JSON, or not 200, is an error that the person sees. */
async function callOut(url: string, type: string, body: string, headers = {}): Promise<Called> {
  const signal = AbortSignal.timeout(patienceMillis)
  const response = await fetch(url, {
    ...{ method: 'POST', body, redirect: 'error', signal },
    headers: { 'Content-Type': type, Accept: 'application/json', ...headers },
  })
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.split(';')[0]?.trim() === 'application/json'
  if (response.status === 200 && !isJson) throw new Error('an integration answers application/json')
  return { status: response.status, body: isJson && text !== '' ? Answer.parse(JSON.parse(text)) : {} }
}

const Action = z.looseObject({
  id: z.string(),
  name: z.string(),
  type: z.string(),
  options: z.array(z.object({ text: z.string(), value: z.string() })).optional(),
  integration: z.object({ url: z.string(), context: z.record(z.string(), z.unknown()) }).optional(),
  cookie: z.string().optional(),
})
type Action = z.infer<typeof Action>
const Attachments = z.array(z.looseObject({ actions: z.array(Action).optional() })).default([])

export function personAt(fake: FakeMattermost, user: FakeUser, bot: FakeUser): Person {
  const { world, shown } = fake
  const trigger = (): string => world.sign({ id: newId(), user: user.id, at: world.now() })

  function whisper(said: { channel: string; root: string; text: string; attachments: unknown[] }): void {
    const faults = postFaults({ message: said.text, props: { attachments: said.attachments } })
    fake.faults.push(...faults)
    const id = newId()
    const attachments = said.attachments.map((one) => withCookies(one, id, said.channel))
    shown.whispers.push({ id, user: user.id, ...said, attachments })
  }

  /** What a button carries is sealed and given to the client: the server keeps nothing of such a post. */
  function withCookies(attachment: unknown, post: string, channel: string): unknown {
    const parsed = z.looseObject({ actions: z.array(Action).optional() }).parse(attachment)
    const actions = parsed.actions?.map(({ integration, ...action }) => {
      const cookie = integration && world.sealCookie({ post, channel, action: action.id, integration })
      return { ...action, cookie }
    })
    return actions === undefined ? parsed : { ...parsed, actions }
  }

  async function command(channel: FakeChannel, line: string, root = ''): Promise<Called> {
    const [name = '', ...rest] = line.slice(1).split(' ')
    const known = [...world.commands.values()].find((one) => one.trigger === name)
    if (known === undefined) throw new Error(`no command /${name}`)
    const hook = newId()
    world.hooks.set(hook, { user: user.id, channel: channel.id, root, uses: 0 })
    const form = new URLSearchParams({
      ...{ token: known.token, team_id: world.team.id, team_domain: world.team.name, channel_id: channel.id },
      ...{ channel_name: channel.name, user_id: user.id, user_name: user.username, command: `/${name}` },
      ...{ text: rest.join(' '), trigger_id: trigger(), root_id: root },
      response_url: `${fake.url}/hooks/commands/${hook}`,
    })
    const type = 'application/x-www-form-urlencoded'
    const called = await callOut(known.url, type, form.toString(), { Authorization: `Token ${known.token}` })
    for (const said of called.status === 200 ? responsesIn(called.body) : []) {
      if (said.text !== '' || said.attachments.length > 0) whisper({ channel: channel.id, root, ...said })
    }
    return called
  }

  async function press(on: FakePost | Whisper, label: string, choice?: string): Promise<Called> {
    const channelId = 'channel_id' in on ? on.channel_id : on.channel
    const seen = actionOn(fake, on, label)
    // The server does what the post says now, by the id that the client saw.
    const current = 'text' in on ? seen : actionWith(fake.world.posts.get(on.id), seen.action.id)
    if (current === undefined) return { status: 404, body: { id: 'api.post.do_action.action_id.app_error' } }
    const { action, integration } = current
    const selected = action.options?.find(({ text }) => bare(text) === choice)?.value
    const context =
      selected === undefined ? integration.context : { ...integration.context, selected_option: selected }
    const channel = world.channels.get(channelId)
    const body = {
      ...{
        user_id: user.id,
        user_name: user.username,
        channel_id: channelId,
        channel_name: channel?.name ?? '',
      },
      ...{
        team_id: channel?.team_id ?? '',
        team_domain: world.team.name,
        post_id: on.id,
        trigger_id: trigger(),
      },
      ...{ type: action.type, data_source: '', context },
    }
    const called = await callOut(integration.url, 'application/json', JSON.stringify(body))
    afterPress(on, called, channelId)
    return called
  }

  function afterPress(on: FakePost | Whisper, { status, body }: Called, channel: string): void {
    if (status !== 200) return
    // The server looks the post up to change it: one that only one person sees is not there (app/integration_action.go).
    if (body.update !== undefined && 'text' in on)
      throw new Error('a post that only one person sees cannot be updated')
    const { ephemeral_text: text } = body
    const root = 'root_id' in on ? on.root_id || on.id : on.root
    if (typeof text === 'string' && text !== '') whisper({ channel, root, text, attachments: [] })
  }

  async function submit(
    dialog: ShownDialog,
    type: string,
    submission: Record<string, string>,
  ): Promise<Called> {
    const { callback_id, state } = z
      .object({ callback_id: z.string(), state: z.string() })
      .parse(dialog.dialog)
    const to =
      type === 'refresh' ? z.object({ source_url: z.string() }).parse(dialog.dialog).source_url : dialog.url
    const body = {
      ...{ type, callback_id, state, user_id: user.id, channel_id: world.channels.keys().next().value ?? '' },
      ...{ team_id: world.team.id, submission, cancelled: false },
    }
    return callOut(to, 'application/json', JSON.stringify(body))
  }

  return {
    user,
    home: () => direct(world, [user.id, bot.id]),
    say: (channel, message, root = '') =>
      createPost(world, fake.hub(), user, {
        ...{ channel_id: channel.id, message, root_id: root, props: {}, file_ids: [], pending_post_id: '' },
      }),
    command,
    press,
    dialog() {
      const at = shown.dialogs.findLastIndex((one) => one.user === user.id)
      const [found] = at < 0 ? [] : shown.dialogs.splice(at, 1)
      if (found === undefined) throw new Error(`no dialog is open for ${user.username}`)
      return found
    },
    send: (dialog, fields = {}) => submit(dialog, 'dialog_submission', { ...presets(dialog), ...fields }),
    refresh: (dialog, fields, selected) =>
      submit(dialog, 'refresh', { ...presets(dialog), ...fields, selected_field: selected }),
    whispers: () => shown.whispers.filter((one) => one.user === user.id),
  }
}

const Elements = z.array(z.object({ name: z.string(), default: z.string().default('') }))

function presets({ dialog }: ShownDialog): Record<string, string> {
  return Object.fromEntries(Elements.parse(dialog.elements).map((element) => [element.name, element.default]))
}

const Response = z.looseObject({
  response_type: z.literal('ephemeral').optional(),
  text: z.string().default(''),
  attachments: z.array(z.unknown()).default([]),
})

function responsesIn(body: Record<string, unknown>): z.infer<typeof Response>[] {
  const extras = z.array(z.unknown()).default([]).parse(body.extra_responses)
  return [body, ...extras].map((one) => Response.parse(one))
}

/** Without the joiners that keep text from being read as something else. */
export function bare(text: string): string {
  return text.replaceAll('\u2060', '')
}

type Integration = NonNullable<Action['integration']>

interface Control {
  action: Action
  integration: Integration
}

function actionOn(fake: FakeMattermost, on: FakePost | Whisper, label: string): Control {
  const attachments = Attachments.parse('text' in on ? on.attachments : on.props.attachments)
  const actions = attachments.flatMap((one) => one.actions ?? [])
  const action = actions.find(({ name }) => bare(name).startsWith(label))
  const cookie = action?.cookie === undefined ? undefined : fake.world.openCookie(action.cookie)
  const integration = action?.integration ?? (cookie?.post === on.id ? cookie.integration : undefined)
  if (action !== undefined && integration !== undefined) return { action, integration }
  const block =
    'props' in on ? controlsIn(on).find((one) => bare(one.action.name).startsWith(label)) : undefined
  if (block !== undefined) return block
  throw new Error(`nothing says ${label}; there is ${actions.map(({ name }) => name).join(', ')}`)
}

function actionWith(post: FakePost | undefined, id: string): Control | undefined {
  if (post === undefined) return undefined
  const legacy = Attachments.parse(post.props.attachments)
    .flatMap((one) => one.actions ?? [])
    .flatMap((action) =>
      action.integration === undefined ? [] : [{ action, integration: action.integration }],
    )
  return [...legacy, ...controlsIn(post)].find(({ action }) => action.id === id)
}

const Block = z.looseObject({
  type: z.string(),
  text: z.string().default(''),
  placeholder: z.string().default(''),
  action_id: z.string().optional(),
  content: z.array(z.unknown()).default([]),
  options: z.array(z.object({ text: z.string(), value: z.string() })).optional(),
})
const Registry = z.record(
  z.string(),
  z.object({ url: z.string(), context: z.record(z.string(), z.unknown()) }),
)

/** The buttons and menus of a post's blocks, with what the registry says of them. */
function controlsIn({ props }: FakePost): Control[] {
  const registry = Registry.default({}).parse(props.mm_blocks_actions)
  return flatten(z.array(z.unknown()).default([]).parse(props.mm_blocks)).flatMap((block) => {
    const { action_id: id = '', text, placeholder, options } = block
    const integration = registry[id]
    if (integration === undefined) return []
    const type = block.type === 'static_select' ? 'select' : 'button'
    return [{ action: { id, name: text || placeholder, type, options }, integration }]
  })
}

function flatten(blocks: readonly unknown[]): z.infer<typeof Block>[] {
  return blocks.flatMap((one) => {
    const block = Block.parse(one)
    return [block, ...flatten(block.content)]
  })
}
