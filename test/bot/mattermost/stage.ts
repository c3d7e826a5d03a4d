import { z } from 'zod'
import type { Timings } from '../../../bot/mattermost/mattermost.ts'
import type { Log } from '../../../src/base/log.ts'
import { millis, plusMillis } from '../../../src/base/clock.ts'
import type { ShownDialog, Whisper } from '../../fakes/mattermost/api.ts'
import { bare, makeChannel, makeUser, type Person, personAt } from '../../fakes/mattermost/people.ts'
import { type FakeMattermost, openFakeMattermost } from '../../fakes/mattermost/server.ts'
import { type FakeChannel, type FakePost, type FakeUser, newId } from '../../fakes/mattermost/world.ts'
import type { ChatStage, SeenCard } from '../../contracts/chat-scenarios.ts'
import { openStorySite, type StorySite } from '../../stories/site.ts'
import { shownOf } from './as-text.ts'

export const people = ['alice', 'bob', 'carol', 'olga'] as const

/** No waiting, but for what is waited for. */
export const inAHurry: Timings = {
  ...{ patienceMillis: 60_000, answerMillis: 10_000, editsApartMillis: 0, retryMillis: 20 },
  callsPerSecond: 10_000,
  socket: { retryMillis: 20, jitterMillis: 0, pingMillis: 5000 },
}

/** The whole service, and a fake Mattermost on which everybody of the demo has a linked account. */
export interface MattermostSite {
  site: StorySite
  fake: FakeMattermost
  bot: FakeUser
  /** A channel in which everybody is, the bot too. */
  town: FakeChannel
  as: (user: string) => Person
  close: () => Promise<void>
}

export interface SiteOptions {
  version?: string
  timings?: Partial<Timings>
  log?: Log
  /** Whether the server is not there yet when the site starts. */
  isAway?: boolean
  /** The server's own clock; else it is the site's. */
  now?: () => number
  /** Lines of `chat.mattermost` besides its address and team. */
  rule?: string
}

export async function openMattermostSite(options: SiteOptions = {}): Promise<MattermostSite> {
  let now = (): number => Date.parse('2026-11-23T08:00:00.000Z')
  const { version = '11.9.0' } = options
  const fake = await openFakeMattermost({ version, now: () => now() })
  const [botToken, commandToken] = [newId(), newId()]
  const bot = makeUser(fake, 'jackdaw', { is_bot: true, token: botToken })
  const users = people.map((name) => makeUser(fake, name))
  if (options.isAway === true) await fake.stop()
  const site = await openStorySite({
    edit: (yaml) => users.reduce(linked, withMattermost(yaml, fake.url, options.rule ?? '')),
    env: {
      MATTERMOST_TOKEN: botToken,
      MATTERMOST_COMMAND_TOKEN: `vm:${commandToken} desktop:${commandToken}`,
    },
    world: {
      mattermostTimings: { ...inAHurry, ...options.timings },
      ...(options.log === undefined ? {} : { log: options.log }),
    },
  })
  now = options.now ?? (() => millis(site.clock.now()))
  for (const trigger of ['vm', 'desktop']) {
    const command = { token: commandToken, team_id: fake.world.team.id, trigger, method: 'P' }
    fake.world.commands.set(trigger, { ...command, id: newId(), url: `${site.url}/mattermost/command` })
  }
  return {
    ...{ site, fake, bot, town: makeChannel(fake, 'town', [bot, ...users]) },
    as(name) {
      const user = [...fake.world.users.values()].find(({ username }) => username === name)
      if (user === undefined) throw new Error(`nobody is called ${name}`)
      return personAt(fake, user, bot)
    },
    async close() {
      await site.close()
      await fake.close()
    },
  }
}

function withMattermost(yaml: string, url: string, rule: string): string {
  return yaml.replace(/^chat:\n/m, `chat:\n  mattermost: { url: "${url}", team: servers${rule} }\n`)
}

/** The site's directory says whose the account is. */
function linked(yaml: string, { username, id }: FakeUser): string {
  return yaml.replace(`- user: ${username}\n`, `- user: ${username}\n      accounts: { mattermost: ${id} }\n`)
}

/** Mattermost as its clients use it: commands in the direct channel with the bot, buttons, menus and dialogs. */
export async function openMattermostStage(version: string): Promise<ChatStage> {
  const { site, fake, bot, as, close } = await openMattermostSite({ version })
  const open = new Map<
    string,
    { dialog: ShownDialog; typed: Record<string, string>; errors: Record<string, string> }
  >()

  /** What the server opened for somebody stays open until it is sent. */
  function opened(user: string): void {
    const person = as(user)
    while (fake.shown.dialogs.some((one) => one.user === person.user.id)) {
      open.set(user, { dialog: person.dialog(), typed: {}, errors: {} })
    }
  }

  async function press(user: string, card: SeenCard, label: string, answer?: string): Promise<void> {
    const person = as(user)
    const on = drawn.get(card)
    if (on === undefined) throw new Error(`nothing can be pressed on: ${card.text}`)
    await person.press(on, label)
    opened(user)
    const asks = open.get(user)
    if (asks?.dialog.dialog.callback_id !== 'ask') return
    open.delete(user)
    await person.send(asks.dialog, answer === undefined ? {} : { answer })
  }

  async function submit(user: string, card: SeenCard, fields: Record<string, string>): Promise<void> {
    if (!card.id.startsWith('dialog:')) await press(user, card, 'Open the form')
    const form = open.get(user)
    if (form === undefined) throw new Error(`no form is open for ${user}`)
    const typed = { ...form.typed, ...fields }
    const { body } = await as(user).send(form.dialog, typed)
    const { errors = {}, error = '' } = Faults.parse(body)
    if (Object.keys(errors).length === 0 && error === '') open.delete(user)
    else open.set(user, { ...form, typed, errors })
  }

  return {
    platform: 'mattermost',
    site,
    async say(user, line) {
      // Messages of one instant stand in no order that a reader could rely on.
      site.clock.set(plusMillis(site.clock.now(), 1))
      open.delete(user)
      const person = as(user)
      await person.command(person.home(), line.startsWith('desktop') ? `/${line}` : `/vm ${line}`)
      opened(user)
    },
    press,
    submit,
    async cards(user) {
      const person = as(user)
      const posts = [...fake.world.posts.values()]
        // Lines in the thread of a card say how it came about; they are no cards.
        .filter(
          (post) => post.channel_id === person.home().id && post.user_id === bot.id && post.root_id === '',
        )
        .toSorted((a, b) => a.create_at - b.create_at)
      const form = open.get(user)
      return [
        ...posts.map((post) => cardOf(post)),
        ...person.whispers().map(cardOf),
        ...(form === undefined ? [] : [formCard(user, form)]),
      ]
    },
    async close() {
      await close()
      if (fake.faults.length > 0) throw new Error(`the fake was asked wrongly: ${fake.faults.join('; ')}`)
    },
  }
}

const Faults = z.object({ errors: z.record(z.string(), z.string()).optional(), error: z.string().optional() })

const Option = z.object({ text: z.string() })
const Attachment = z.object({
  title: z.string().default(''),
  text: z.string().default(''),
  fields: z.array(z.object({ title: z.string(), value: z.string() })).default([]),
  actions: z
    .array(z.object({ name: z.string(), type: z.string(), options: z.array(Option).optional() }))
    .default([]),
})
const Attachments = z.array(Attachment).default([])
const Block: z.ZodType<Blocked> = z.lazy(() =>
  z.object({
    type: z.string(),
    text: z.string().default(''),
    options: z.array(Option).default([]),
    content: z.array(Block).default([]),
  }),
)
interface Blocked {
  type: string
  text: string
  options: { text: string }[]
  content: Blocked[]
}

function labelsOn(on: FakePost | Whisper): string[] {
  const attachments = Attachments.parse('text' in on ? on.attachments : on.props.attachments)
  const actions = attachments.flatMap((one) => one.actions)
  const legacy = actions.flatMap(({ name, options }) =>
    options === undefined ? [name] : options.map(({ text }) => text),
  )
  return [...legacy, ...blocksOn(on).flatMap(labelsIn)].map(bare)
}

function labelsIn({ type, text, options }: Blocked): string[] {
  return type === 'button' ? [text] : options.map((option) => option.text)
}

function blocksOn(on: FakePost | Whisper): Blocked[] {
  return 'props' in on ? flat(z.array(Block).default([]).parse(on.props.mm_blocks)) : []
}

function flat(blocks: readonly Blocked[]): Blocked[] {
  return blocks.flatMap((block) => [block, ...flat(block.content)])
}

/** What each card was read from, as it was then. */
const drawn = new WeakMap<SeenCard, FakePost | Whisper>()

function cardOf(on: FakePost | Whisper): SeenCard {
  const attachments = Attachments.parse('text' in on ? on.attachments : on.props.attachments)
  const said = [
    'text' in on ? on.text : on.message,
    ...attachments.flatMap(({ title, text, fields }) => [
      ...[title, text],
      ...fields.map((field) => `${field.title}: ${field.value}`),
    ]),
    ...blocksOn(on).flatMap(({ type, text }) => (type === 'text' ? [text] : [])),
  ]
  const text = said.map(shownOf).join('\n')
  const hasPicture = 'file_ids' in on && on.file_ids.length > 0
  const card = { id: on.id, text, buttons: labelsOn(on), fields: [], chart: hasPicture ? text : null }
  drawn.set(card, on)
  return card
}

const Dialog = z.object({
  title: z.string(),
  introduction_text: z.string(),
  elements: z.array(
    z.object({ name: z.string(), default: z.string().default(''), help_text: z.string().default('') }),
  ),
})

function formCard(
  user: string,
  {
    dialog,
    typed,
    errors,
  }: { dialog: ShownDialog; typed: Record<string, string>; errors: Record<string, string> },
): SeenCard {
  const { title, introduction_text: intro, elements } = Dialog.parse(dialog.dialog)
  const fields = elements
    .filter(({ name }) => !/^price\d+$/.test(name))
    .map(({ name, default: preset }) => {
      const error = errors[name]
      return { name, value: typed[name] ?? preset, ...(error === undefined ? {} : { error }) }
    })
  const says = elements.map(({ help_text: help }) => help)
  return {
    id: `dialog:${user}`,
    text: [title, shownOf(intro), ...says].join('\n'),
    buttons: [],
    fields,
    chart: null,
  }
}
