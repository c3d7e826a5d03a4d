import { webApi } from '@slack/bolt'
import { z } from 'zod'
import { messageOf, Outage } from '../../src/base/errors.ts'
import type { Log } from '../../src/base/log.ts'
import { boltLog } from './bolt-log.ts'

/** How long a call to Slack may take. */
const deadlineMillis = 10_000

export interface ApiOptions {
  botToken: string
  /** Another endpoint than Slack's own, ending in a slash. */
  apiUrl: string | undefined
  log: Log
}

/** Calls of Slack's Web API, with answers that were read and errors that say whether trying again can help. */
export interface Api {
  /**
   * @throws SlackRefusal when Slack said no; SlackBusy when it wants us to wait.
   * @throws Outage `chat_unreachable` when it did not answer, or does not know our token.
   */
  call<T>(method: string, args: Readonly<Record<string, unknown>>, answer: z.ZodType<T>): Promise<T>
  /** Sends the bytes of a file to where Slack told us to. @throws Outage. */
  upload(url: string, bytes: Uint8Array): Promise<void>
  /** Answers where a click or a command came from, for half an hour after it. @throws Outage, SlackBusy. */
  respond(url: string, body: Readonly<Record<string, unknown>>): Promise<void>
  /** What the last call met: nothing when it went well. */
  trouble(): string | undefined
}

/** Slack said no, in one of its words. Whether that can change is up to whoever asked. */
export class SlackRefusal extends Error {
  override readonly name = 'SlackRefusal'
  readonly code: string
  readonly needed: string | undefined

  constructor(method: string, code: string, needed?: string) {
    super(
      `Slack answers ${method} with ${code}${needed === undefined ? '' : `: it lacks the scope ${needed}`}`,
    )
    this.code = code
    this.needed = needed
  }
}

/** Slack wants us to wait (429, Retry-After). */
export class SlackBusy extends Error {
  override readonly name = 'SlackBusy'
  readonly retryAfterSeconds: number

  constructor(method: string, retryAfterSeconds: number) {
    super(`Slack wants ${method} to wait ${retryAfterSeconds} s`)
    this.retryAfterSeconds = retryAfterSeconds
  }
}

/** Words that are about our token and not about what was asked: until it is mended, nothing else would go through. */
const tokenWords = [
  'invalid_auth',
  'not_authed',
  'token_revoked',
  'token_expired',
  'account_inactive',
  'org_login_required',
]
/** Words for Slack's own trouble. */
const troubleWords = [
  'internal_error',
  'fatal_error',
  'service_unavailable',
  'request_timeout',
  'team_added_to_org',
]

export function openApi({ botToken, apiUrl, log }: ApiOptions): Api {
  const client = new webApi.WebClient(botToken, {
    logger: boltLog(log),
    timeout: deadlineMillis,
    // We pace and retry ourselves: a wait in one channel must not hold up the others.
    rejectRateLimitedCalls: true,
    retryConfig: { retries: 0 },
    ...(apiUrl === undefined ? {} : { slackApiUrl: apiUrl }),
  })
  let trouble: string | undefined
  async function tried<T>(what: string, work: () => Promise<T>): Promise<T> {
    try {
      const done = await work()
      trouble = undefined
      return done
    } catch (error) {
      const failure = failureOf(what, error)
      if (failure instanceof Outage) trouble = failure.message
      throw failure
    }
  }
  return {
    trouble: () => trouble,
    call: (method, args, answer) =>
      tried(method, async () => {
        const parsed = answer.safeParse(await client.apiCall(method, args))
        if (parsed.success) return parsed.data
        throw unreachable(`${method} was answered with something else than Slack says`, parsed.error)
      }),
    upload: (url, bytes) => tried('the upload of a file', () => send(url, bytes, 'application/octet-stream')),
    respond: (url, body) =>
      tried('response_url', () => {
        if (!isSlackAddress(url, apiUrl)) throw new SlackRefusal('response_url', 'not_slack')
        return send(url, JSON.stringify(body), 'application/json')
      }),
  }
}

/** Whether an address that came in with a message is Slack's: nothing is ever sent to another. */
export function isSlackAddress(url: string, apiUrl: string | undefined): boolean {
  if (!URL.canParse(url)) return false
  const { protocol, hostname, host } = new URL(url)
  if (apiUrl !== undefined && host === new URL(apiUrl).host) return true
  return protocol === 'https:' && /(^|\.)slack(-gov)?\.com$/.test(hostname)
}

async function send(url: string, body: string | Uint8Array, type: string): Promise<void> {
  const answer = await fetch(url, {
    method: 'POST',
    body: typeof body === 'string' ? body : new Blob([new Uint8Array(body)]),
    headers: { 'Content-Type': type },
    signal: AbortSignal.timeout(deadlineMillis),
    redirect: 'error',
  })
  await answer.arrayBuffer()
  if (answer.ok) return
  if (answer.status === 429) throw new SlackBusy('an answer', Number(answer.headers.get('retry-after')) || 1)
  if (answer.status < 500) throw new SlackRefusal('an answer', `http_${answer.status}`)
  throw unreachable(`it answered with ${answer.status}`)
}

/** Of `missing_scope`: which one it is. */
const Lacking = z.object({ needed: z.string().max(200) })

function unreachable(detail: string, cause?: unknown): Outage {
  return new Outage('chat_unreachable', `Slack: ${detail}`, { transient: true, cause })
}

function failureOf(what: string, error: unknown): Error {
  if (error instanceof Outage || error instanceof SlackRefusal || error instanceof SlackBusy) return error
  if (error instanceof webApi.WebAPIRateLimitedError) return new SlackBusy(what, error.retryAfter)
  if (error instanceof webApi.WebAPIPlatformError) {
    const { error: code } = error.data
    if (tokenWords.includes(code)) return unreachable(`it does not take our token (${code})`)
    if (troubleWords.includes(code)) return unreachable(`${what} failed there (${code})`)
    return new SlackRefusal(what, code, Lacking.safeParse(error.data).data?.needed)
  }
  if (error instanceof webApi.WebAPIHTTPError && error.statusCode < 500) {
    return new SlackRefusal(what, `http_${error.statusCode}`)
  }
  // The address of an answer is a secret of its own: what is said of a failure never holds it.
  const cause = error instanceof webApi.WebAPIRequestError ? error.original : error
  return unreachable(`${what} got no answer: ${messageOf(cause)}`)
}
