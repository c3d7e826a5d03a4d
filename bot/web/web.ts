import express, { type Request, type Response, Router } from 'express'
import type { VNode } from 'preact'
import { renderToString } from 'preact-render-to-string'
import { z } from 'zod'
import { millis } from '../../src/base/clock.ts'
import { packagePath } from '../../src/base/package-root.ts'
import type { Caller } from '../../src/identity/person.ts'
import { listMessages } from '../../src/operations/messages.ts'
import { cardAsText } from '../cards/text.ts'
import type { Chat, OpenedChat } from '../chat.ts'
import type { Conversation } from '../conversation.ts'
import { buttonOf, type Line, lineOf } from './messages.ts'
import { AskPage, ChatPage, Lines } from './page.tsx'
import { openPosts, type Posts, type PostServices } from './posts.ts'
import { openStreams } from './streams.ts'

/** What the built-in chat stands behind: who comes in, and the frame around its page. */
export interface WebDoor {
  /** Who sends a request; nothing when they have not signed in. */
  callerOf(request: Request): Promise<Caller | undefined>
  /** @throws Refusal `csrf_failed` for a change that another site's page caused. */
  checkOrigin(request: Request): void
  layout(page: {
    title: string
    person: Caller | null
    current: string
    body: VNode
    scripts?: string[]
    styles?: string[]
  }): string
  /** Calls the listener with the user whose conversation changed, until the returned function is called. */
  onMessages(listener: (user: string) => void): () => void
}

export interface WebChatServices extends PostServices, WebDoor {
  conversation: Conversation
}

/** The built-in chat: conversations in the site's own store, on a page that works without scripts too. */
export function webChat(services: WebChatServices): OpenedChat {
  const posts = openPosts(services)
  const streams = openStreams()
  const stopListening = services.onMessages((user) => streams.changed(user))
  const chat: Chat = {
    platform: 'web',
    // Whoever can sign in finds it in their conversation.
    reaches: async () => true,
    post: (user, card, key) => posts.card(user, card, `notice-${key}`),
    update: (ref, card) => posts.replace(ref.message, card),
    // Its lines are read where they stand: nothing is announced that people are not told themselves.
    announce: async () => null,
    zoneOf: async () => null,
    status: () => ({ state: 'up', detail: 'on our own pages' }),
    check: async () => [],
    async close() {
      stopListening()
      streams.close()
    },
  }
  const router = routerOf(services, posts, (user, response) => streams.open(user, response))
  return { chat, faces: [{ path: '/chat', router }] }
}

type Serve = (caller: Caller, request: Request, response: Response) => Promise<void>

function routerOf(
  services: WebChatServices,
  posts: Posts,
  listen: (user: string, response: Response) => void,
): Router {
  const router = Router()
  const assets = express.static(packagePath('bot', 'web', 'assets'), { index: false })
  router.use('/assets', assets)
  router.use(express.urlencoded({ extended: false, limit: '32kb' }))
  const signedIn = (serve: Serve) => async (request: Request, response: Response) => {
    services.checkOrigin(request)
    const caller = await services.callerOf(request)
    if (caller === undefined) {
      response.redirect(303, '/?next=/chat')
      return
    }
    response.setHeader('Cache-Control', 'no-store')
    await serve({ ...caller, via: 'web' }, request, response)
  }
  router.get('/', signedIn(pageOf(services)))
  router.get(
    '/messages',
    signedIn(async (caller, request, response) => {
      if (request.accepts(['html', 'text']) === 'text') await sendText(services, caller, response)
      else await sendLines(services, caller, response)
    }),
  )
  router.get(
    '/events',
    signedIn(async (caller, _request, response) => listen(caller.user, response)),
  )
  router.get('/ask', signedIn(askPageOf(services, posts)))
  router.post('/say', signedIn(say(services, posts)))
  router.post('/press', signedIn(press(services, posts)))
  router.post('/submit', signedIn(submit(services, posts)))
  return router
}

async function linesOf({ operations }: WebChatServices, caller: Caller): Promise<Line[]> {
  const { items } = await operations.perform(listMessages, caller, { limit: 100 })
  return items.map((message) => lineOf({ ...message, body: message.body }))
}

async function sendLines(services: WebChatServices, caller: Caller, response: Response): Promise<void> {
  const lines = await linesOf(services, caller)
  response.type('html').send(renderToString(Lines({ lines, ...frameOf(services) })))
}

/** The conversation as plain text, for readers that show nothing else. */
async function sendText(services: WebChatServices, caller: Caller, response: Response): Promise<void> {
  const lines = await linesOf(services, caller)
  const said = lines.map((line) =>
    line.said.by === 'person' ? `> ${line.said.text}` : cardAsText(line.said.card),
  )
  response.type('text').send(`${said.join('\n\n')}\n`)
}

function frameOf({ clock, site }: WebChatServices): { now: string; zone: string } {
  return { now: clock.now(), zone: site.timezone }
}

function pageOf(services: WebChatServices): Serve {
  return async (caller, _request, response) => {
    const frame = frameOf(services)
    const lines = await linesOf(services, caller)
    const body = ChatPage({ lines, ...frame, stamp: millis(frame.now).toString(36) })
    response
      .type('html')
      .send(services.layout({ title: 'Chat', person: caller, current: '/chat', body, ...extras }))
  }
}

const extras = { scripts: ['/chat/assets/chat.js'], styles: ['/chat/assets/chat.css'] }

/** Answers with the conversation where a script asked, else with the page, so that a reload does not send again. */
async function done(
  services: WebChatServices,
  caller: Caller,
  request: Request,
  response: Response,
): Promise<void> {
  if (request.query.lines === undefined) response.redirect(303, '/chat#end')
  else await sendLines(services, caller, response)
}

/** What a page made of a key: bounded, since it becomes part of an id. */
const Key = z
  .string()
  .regex(/^[\w:.-]{1,80}$/)
  .catch('none')
const Said = z.object({ line: z.string().max(4000).catch(''), key: Key })
const Pressed = z.object({
  message: z.string().max(300),
  key: Key,
  action: z.string().max(40),
  value: z.string().max(200).default(''),
  answer: z.string().max(500).optional(),
})

function say(services: WebChatServices, posts: Posts): Serve {
  return async (caller, request, response) => {
    const { line, key } = Said.parse(request.body ?? {})
    if (line.trim() !== '') {
      await posts.line(caller, line.trim().slice(0, 2000), `say-${key}.00`)
      const cards = await services.conversation.say(caller, line, { verb: 'mention', key })
      await posts.answers(caller, cards, { key: `say-${key}` })
    }
    await done(services, caller, request, response)
  }
}

function press(services: WebChatServices, posts: Posts): Serve {
  return async (caller, request, response) => {
    const pressed = Pressed.safeParse(request.body)
    const line = pressed.success ? await posts.find(caller, pressed.data.message) : undefined
    if (pressed.success && line !== undefined) {
      const { action, value, answer, key, message } = pressed.data
      const once = `${message}:${key}`
      const rest = answer === undefined ? {} : { answer }
      const cards = await services.conversation.press(caller, { action, value, key: once, ...rest })
      const about = line.said.by === 'jackdaw' ? line.said.card.about : undefined
      const instead = about !== undefined && cards[0]?.about === about ? line : undefined
      await posts.answers(caller, cards, { key: keyFor('press', key, action, value), instead })
    }
    await done(services, caller, request, response)
  }
}

function submit(services: WebChatServices, posts: Posts): Serve {
  return async (caller, request, response) => {
    const sent = Pressed.safeParse(request.body)
    const line = sent.success ? await posts.find(caller, sent.data.message) : undefined
    if (sent.success && line !== undefined) {
      const { action, value, key, message } = sent.data
      const once = `${message}:${key}`
      const cards = await services.conversation.submit(caller, {
        action,
        value,
        fields: fieldsOf(request.body),
        key: once,
      })
      const isForm = line.said.by === 'jackdaw' && line.said.card.parts.some(({ kind }) => kind === 'form')
      await posts.answers(caller, cards, {
        key: keyFor('submit', key, action, value),
        instead: isForm ? line : undefined,
      })
    }
    await done(services, caller, request, response)
  }
}

/** What an answer to a press is known by, so that a second press adds no second answer. */
function keyFor(kind: string, key: string, action: string, value: string): string {
  return `${kind}-${key}-${action}-${value}`
}

/** The fields of a form, which the page prefixes so that none is taken for what the page itself sends. */
function fieldsOf(body: unknown): Record<string, string> {
  const parsed = z.record(z.string(), z.unknown()).safeParse(body)
  if (!parsed.success) return {}
  return Object.fromEntries(
    Object.entries(parsed.data).flatMap(([name, value]): [string, string][] =>
      name.startsWith('field.') && typeof value === 'string' ? [[name.slice(6), value]] : [],
    ),
  )
}

/** Without scripts, what a button asks first is asked on a page of its own. */
function askPageOf(services: WebChatServices, posts: Posts): Serve {
  return async (caller, request, response) => {
    const wanted = Pressed.safeParse(request.query)
    const line = wanted.success ? await posts.find(caller, wanted.data.message) : undefined
    const button =
      wanted.success && line?.said.by === 'jackdaw' ? buttonOf(line.said.card, wanted.data) : undefined
    if (!wanted.success || button === undefined) {
      response.redirect(303, '/chat#end')
      return
    }
    const body = AskPage({ button, message: wanted.data.message, version: wanted.data.key })
    response
      .type('html')
      .send(services.layout({ title: button.label, person: caller, current: '/chat', body, ...extras }))
  }
}
