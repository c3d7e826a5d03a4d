import { createHmac, randomUUID } from 'node:crypto'
import { z } from 'zod'
import { scopesFor } from '../../../bot/slack/manifest.ts'
import { buttonOf, isTold, typeInto, viewPayload } from './reading.ts'
import { type FakeServer, openServer } from './server.ts'
import {
  addChannel,
  addUser,
  botUser,
  directOf,
  type FakeMessage,
  type FakeView,
  ModalView,
  newTrigger,
  openWorkspace,
  ours,
  type Workspace,
} from './workspace.ts'

export const botToken = 'xoxb-fake-1'
export const appToken = 'xapp-fake-1'
export const signingSecret = '8f742231b10e8888abcd99yyyzzz85a5'

/** What a program answered to a message of Slack's. */
export interface Acknowledged {
  status: number
  body: unknown
}

export interface Click {
  message: FakeMessage
  /** The label of the button, or the beginning of it. */
  label: string
}

/**
 * A fake of Slack on a real port: the Web API, the addresses for answers, uploads and Socket Mode; it sends commands,
 * clicks, forms and events as Slack does, signed. Strict where Slack is: scopes, membership, blocks, windows that come too
 * late, and how much it takes at once. Time is its own, and moves when somebody waits.
 */
export interface FakeSlack extends FakeServer {
  space: Workspace
  apiUrl: string
  env: Record<string, string>
  sleep(millis: number): Promise<void>
  /** Sends everything here from now on; without an address, over the socket. */
  sendTo(url: string | undefined): void
  command(
    user: string,
    text: string,
    options?: { channel?: string; command?: string; trigger?: string },
  ): Promise<Acknowledged>
  event(
    event: Readonly<Record<string, unknown>>,
    options?: { id?: string; retry?: number; team?: string },
  ): Promise<Acknowledged>
  click(user: string, click: Click): Promise<Acknowledged>
  /** Types into a field of an open window that asks to be told. */
  fill(view: FakeView, values: Readonly<Record<string, string>>): Promise<Acknowledged>
  submit(view: FakeView, values: Readonly<Record<string, string>>): Promise<Acknowledged>
  /** Sends bytes as Slack does, with its signature unless another is given. */
  post(body: string, options?: Posting): Promise<Acknowledged>
  disconnectAll(): void
}

export interface FakeOptions {
  scopes?: readonly string[]
  burst?: number
}

export async function fakeSlack(options: FakeOptions = {}): Promise<FakeSlack> {
  let moved = 0
  const now = () => Date.now() + moved
  const scopes = [...(options.scopes ?? scopesFor({ channel: 'servers' })), 'connections:write']
  const space = openWorkspace(now, scopes)
  addUser(space, botUser, { name: 'jackdaw', is_bot: true })
  addChannel(space, 'C0SERVERS', 'servers', [botUser])
  const server = await openServer({ space, botToken, appToken, burst: options.burst ?? 3 })
  const sending = sender(server)

  /** Where the answer to something may be sent. */
  function responseUrl(user: string, channel: string, message?: FakeMessage): string {
    const secret = randomUUID()
    space.responses.set(secret, { channel, user, at: now(), uses: 0, message })
    return `${server.base}/response/${secret}`
  }
  const interact = (payload: object) => sending.send('interactive', payload)
  const from = (user: string) => ({
    user: { id: user, team_id: space.users.get(user)?.team_id },
    team: { id: ours },
  })

  return {
    ...server,
    space,
    apiUrl: `${server.base}/api/`,
    env: {
      ...{ SLACK_BOT_TOKEN: botToken, SLACK_APP_TOKEN: appToken, SLACK_SIGNING_SECRET: signingSecret },
      SLACK_API_URL: `${server.base}/api/`,
    },
    async sleep(millis) {
      moved += millis
    },
    sendTo: sending.to,
    command: (
      user,
      text,
      { channel = directOf(space, user), command = '/vm', trigger = newTrigger(space, user) } = {},
    ) =>
      sending.send('slash_commands', {
        ...{
          token: 'old',
          command,
          text,
          user_id: user,
          user_name: 'somebody',
          team_id: ours,
          channel_id: channel,
        },
        ...{ trigger_id: trigger, response_url: responseUrl(user, channel), api_app_id: 'A0JACKDAW' },
      }),
    event: (event, { id = space.next('Ev'), retry, team = ours } = {}) =>
      sending.send('events_api', { type: 'event_callback', event_id: id, team_id: team, event }, retry),
    click(user, { message, label }) {
      const { element, block } = buttonOf(message, label)
      return interact({
        ...from(user),
        type: 'block_actions',
        trigger_id: newTrigger(space, user),
        response_url: responseUrl(user, message.channel, message),
        container: {
          ...{ type: 'message', channel_id: message.channel, message_ts: message.ts },
          is_ephemeral: message.only !== undefined,
        },
        actions: [{ ...element, block_id: block, action_ts: space.stamp() }],
      })
    },
    fill(view, values) {
      const untold = Object.keys(values).filter((name) => !isTold(view, name))
      if (untold.length > 0) throw new Error(`a change of ${untold.join()} is told to nobody`)
      typeInto(view, values)
      const [block_id = ''] = Object.keys(values).map((name) => `field.${name}`)
      return interact({
        ...from(view.user),
        ...{
          type: 'block_actions',
          trigger_id: newTrigger(space, view.user),
          container: { type: 'view', view_id: view.id },
        },
        view: viewPayload(view),
        actions: [{ type: 'plain_text_input', action_id: 'value', block_id }],
      })
    },
    async submit(view, values) {
      typeInto(view, values)
      const answer = await interact({ ...from(view.user), type: 'view_submission', view: viewPayload(view) })
      settle(view, answer.body)
      return answer
    },
    post: sending.post,
    disconnectAll() {
      for (const socket of server.sockets) socket.close(1000)
    },
  }
}

interface Posting {
  type?: string
  /** Seconds from now at which it says that it was sent. */
  after?: number
  headers?: Record<string, string>
}

/** Posts bytes as Slack does, with its signature unless another is given. */
export async function signedPost(
  url: string,
  body: string,
  { type = 'application/x-www-form-urlencoded', headers = {}, after = 0 }: Posting = {},
): Promise<Acknowledged> {
  const at = String(Math.floor(Date.now() / 1000) + after)
  const hash = createHmac('sha256', signingSecret).update(`v0:${at}:${body}`).digest('hex')
  const signed = { 'X-Slack-Request-Timestamp': at, 'X-Slack-Signature': `v0=${hash}` }
  const response = await fetch(url, {
    method: 'POST',
    body,
    headers: { 'Content-Type': type, ...signed, ...headers },
  })
  const text = await response.text()
  return { status: response.status, body: text.startsWith('{') ? JSON.parse(text) : text }
}

/** Sends as Slack does: signed over HTTP, or in an envelope over the socket. */
function sender(server: FakeServer) {
  let target: string | undefined
  const post = (body: string, options: Posting = {}): Promise<Acknowledged> =>
    signedPost(target ?? '', body, options)
  async function envelope(type: string, payload: object, retry: number | undefined): Promise<Acknowledged> {
    const [socket] = server.sockets
    if (socket === undefined) throw new Error('nobody is connected to the fake')
    const id = randomUUID()
    const tries = retry === undefined ? {} : { retry_attempt: retry, retry_reason: 'timeout' }
    socket.send(JSON.stringify({ type, envelope_id: id, accepts_response_payload: true, payload, ...tries }))
    // Slack waits three seconds.
    const until = Date.now() + 3_000
    while (!server.acknowledged.has(id) && Date.now() < until)
      await new Promise((resolve) => setTimeout(resolve, 2))
    return { status: server.acknowledged.has(id) ? 200 : 504, body: server.acknowledged.get(id) ?? '' }
  }
  return {
    to: (url: string | undefined) => {
      target = url
    },
    post,
    send(type: string, payload: object, retry?: number): Promise<Acknowledged> {
      if (target === undefined) return envelope(type, payload, retry)
      const headers: Record<string, string> =
        retry === undefined
          ? {}
          : { 'X-Slack-Retry-Num': String(retry), 'X-Slack-Retry-Reason': 'http_timeout' }
      if (type === 'events_api') return post(JSON.stringify(payload), { type: 'application/json', headers })
      if (type === 'interactive')
        return post(new URLSearchParams({ payload: JSON.stringify(payload) }).toString(), { headers })
      return post(new URLSearchParams(Object.entries(payload)).toString(), { headers })
    },
  }
}

/** What becomes of a window after its form was sent. */
function settle(view: FakeView, body: unknown): void {
  const answer = Settled.safeParse(body).data
  if (answer === undefined || answer.response_action === 'clear') view.isOpen = false
  else if (answer.response_action === 'errors') view.errors = answer.errors
  else view.view = answer.view
}

const Settled = z.discriminatedUnion('response_action', [
  z.object({ response_action: z.literal('errors'), errors: z.record(z.string(), z.string()) }),
  z.object({ response_action: z.literal('update'), view: ModalView }),
  z.object({ response_action: z.literal('clear') }),
])
