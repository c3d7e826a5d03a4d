import { App, ExpressReceiver, SocketModeReceiver } from '@slack/bolt'
import express, { type Request, type Response, Router } from 'express'
import type { Log } from '../../src/base/log.ts'
import { messageOf } from '../../src/base/errors.ts'
import type { SlackSecrets } from '../secrets.ts'
import { boltLog } from './bolt-log.ts'
import type { Handler } from './handler.ts'
import { type Inbound, parseInbound } from './inbound.ts'
import type { Timing } from './pace.ts'
import { openWork, type Work } from './work.ts'

/** How long a message may be that Slack sends us. */
const longestBody = '512kb'
/** How far Slack's clock may be ahead of ours (docs.slack.dev, "Verifying requests from Slack": five minutes). */
const aheadSeconds = 300

export interface ReceiverServices {
  handler: Handler
  log: Log
  secrets: SlackSecrets
  timing: Timing
}

/** What comes in is acknowledged at once and carried out after that. */
export interface Receiver {
  router: Router | undefined
  /** Whether what Slack sends can reach us, as far as we can tell. */
  isConnected(): boolean
  detail(): string
  close(): Promise<void>
}

/** Slack calls us, at `/slack/events`. Bolt proves each call by its signature before anything reads it. */
export function httpReceiver(services: ReceiverServices): Receiver {
  const { log, secrets } = services
  const router = Router()
  router.use(refuseFuture)
  const receiver = new ExpressReceiver({
    signingSecret: secrets.signingSecret,
    app: express(),
    router,
    endpoints: '/events',
    logger: boltLog(log),
    bodyLimit: longestBody,
  })
  const work = listening(receiver, services)
  return {
    router,
    isConnected: () => true,
    detail: () => 'listens at /slack/events',
    close: () => work.finished(),
  }
}

/** Bolt refuses what is old; what claims to come from the future could be sent again later. */
function refuseFuture(request: Request, response: Response, next: () => void): void {
  const sent = Number(request.get('x-slack-request-timestamp') ?? 0)
  if (sent <= Date.now() / 1000 + aheadSeconds) next()
  else response.status(401).end()
}

const pauses = { firstMillis: 1_000, maxMillis: 30_000 }

/** We call Slack and keep a WebSocket open (Socket Mode): nothing of ours has to be reachable. */
export function socketReceiver(services: ReceiverServices): Receiver {
  const { log, secrets, timing } = services
  const receiver = new SocketModeReceiver({
    appToken: secrets.appToken,
    logger: boltLog(log),
    // The library's own reconnecting ends in an unhandled rejection when Slack cannot be reached: we do it.
    autoReconnectEnabled: false,
    installerOptions: {
      clientOptions: {
        retryConfig: { retries: 0 },
        ...(secrets.apiUrl === undefined ? {} : { slackApiUrl: secrets.apiUrl }),
      },
    },
  })
  const work = listening(receiver, services)
  const state = { connected: false, detail: 'not connected yet' }
  const closing = new AbortController()
  const turn = openTurn()

  async function connect(): Promise<void> {
    let pause = pauses.firstMillis
    while (!closing.signal.aborted) {
      try {
        const ended = turn.next()
        await receiver.start()
        Object.assign(state, { connected: true, detail: 'connected' })
        pause = pauses.firstMillis
        await ended
        Object.assign(state, { connected: false, detail: 'the connection ended, it is made anew' })
      } catch (error) {
        const says = error === undefined ? 'the connection was not taken' : messageOf(error)
        state.detail = `cannot connect: ${says}`
        log.warn({ error: says }, 'slack socket not open')
      }
      await timing.sleep(pause)
      pause = Math.min(pauses.maxMillis, pause * 2)
    }
  }

  receiver.client.on('disconnected', () => turn.end())
  void connect()
  return {
    router: undefined,
    isConnected: () => state.connected,
    detail: () => state.detail,
    async close() {
      closing.abort()
      turn.end()
      await receiver.stop().catch(() => undefined)
      await work.finished()
    },
  }
}

/** Waits for the end of a connection, which may come before anybody waits. */
function openTurn(): { next(): Promise<void>; end(): void } {
  let ends = (): void => undefined
  return {
    next: () =>
      new Promise((resolve) => {
        ends = resolve
      }),
    end: () => ends(),
  }
}

/** Hands what comes in to the handler, after it was acknowledged. */
function listening(
  receiver: ExpressReceiver | SocketModeReceiver,
  { handler, log, timing }: ReceiverServices,
): Work {
  const work = openWork(timing)
  const start = (inbound: Inbound | undefined): void => {
    if (inbound === undefined || inbound.kind === 'submit') return
    if (!work.start(() => handler.handle(inbound)))
      log.warn({ kind: inbound.kind }, 'too much from slack at once')
  }
  const app = new App({
    receiver,
    logger: boltLog(log),
    // Who we are is asked by ourselves, when Slack can be reached.
    authorize: async () => ({}),
    ignoreSelf: false,
    convoStore: false,
  })
  app.command(/.*/, async ({ ack, body }) => {
    await ack()
    start(parseInbound(body))
  })
  app.action(/.*/, async ({ ack, body }) => {
    await ack()
    start(parseInbound(body))
  })
  app.view(/.*/, async ({ ack, body }) => {
    const inbound = parseInbound(body)
    if (inbound?.kind !== 'submit') return ack()
    const { response_action: action, errors = {}, view } = await handler.submit(inbound)
    if (action === 'errors') return ack({ response_action: action, errors })
    if (action === 'update' && view !== undefined) return ack({ response_action: action, view })
    return ack()
  })
  app.event(/.*/, async ({ body }) => start(parseInbound(body)))
  app.error(async (error) => log.warn({ error: error.message }, 'slack message not understood'))
  return work
}
