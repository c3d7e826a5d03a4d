import { createHmac } from 'node:crypto'
import { isIP } from 'node:net'
import { z } from 'zod'
import { type Clock, millis } from '../base/clock.ts'
import { messageOf } from '../base/errors.ts'
import { SecretRule } from '../base/secret.ts'
import { hasControl } from '../base/text.ts'
import { type Entry, type Registrar, registrationRefused, registrationUnreachable } from './registrar.ts'

/** Somebody else's registration of machines, told by HTTP. */
export const WebhookRule = z.strictObject({
  kind: z.literal('webhook'),
  url: z.url({ protocol: /^https?$/ }),
  /** At least 24 characters. */
  secret: SecretRule,
})
export type WebhookRule = z.infer<typeof WebhookRule>

type Event = 'machine.register' | 'machine.locate' | 'machine.deregister' | 'ping'

/** What it may answer with, beside nothing at all. */
const Reply = z.object({
  /** An address that it has given the machine. */
  address: z
    .string()
    .refine((text) => isIP(text) !== 0)
    .nullish(),
  /** Why it will not. */
  refused: z.string().nullish(),
})

const longestReply = 64 * 1024

/**
 * Tells a service of ours that a machine comes, has an address, or is gone: `POST` with JSON, signed as Standard Webhooks
 * has it (`webhook-id`, `webhook-timestamp`, `webhook-signature: v1,` and HMAC-SHA256 over `id.timestamp.body`). The id
 * is the same each time the same is told. An answer of 200 to 299 is yes, one of 400 to 499 is no and may say why.
 */
export function webhookRegistrar({ url }: WebhookRule, secret: string, clock: Clock): Registrar {
  const { host } = new URL(url)
  if (secret.length < 24) throw registrationRefused(`The secret for ${host} is shorter than 24 characters.`)

  async function send(event: Event, entry: Entry | null, signal: AbortSignal) {
    const id = entry === null ? 'ping' : `${event}:${entry.ref}:${entry.address ?? ''}`
    const timestamp = String(Math.floor(millis(clock.now()) / 1000))
    const body = JSON.stringify({
      type: event,
      timestamp: clock.now(),
      ...(entry === null ? {} : { data: entry }),
    })
    const signature = createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64')
    const headers = {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': `v1,${signature}`,
    }
    const response = await fetch(url, { method: 'POST', headers, body, signal, redirect: 'error' }).catch(
      (cause: unknown) => {
        signal.throwIfAborted()
        throw registrationUnreachable(`${host} gives no answer: ${messageOf(cause)}.`, cause)
      },
    )
    return replyOf(host, response)
  }

  const tell = async (event: Event, entry: Entry | null, signal: AbortSignal): Promise<void> => {
    await send(event, entry, signal)
  }
  return {
    name: `the registration at ${host}`,
    register: async (entry, signal) => ({
      address: (await send('machine.register', entry, signal)).address ?? null,
    }),
    locate: (entry, signal) => tell('machine.locate', entry, signal),
    deregister: (entry, signal) => tell('machine.deregister', entry, signal),
    check: (signal) => tell('ping', null, signal),
  }
}

async function replyOf(host: string, response: Response): Promise<z.output<typeof Reply>> {
  const text = (await response.text()).slice(0, longestReply)
  const { status } = response
  if (status >= 500 || status === 429 || status === 408) {
    throw registrationUnreachable(`${host} answers ${status}.`)
  }
  const reply = Reply.safeParse(parsed(text)).data ?? {}
  if (status < 300 && typeof reply.refused !== 'string') return reply
  throw registrationRefused(`${host} refuses it: ${inWords(reply.refused) ?? `it answers ${status}`}.`)
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return {}
  }
}

/** Somebody else's words, for people: one plain line, without its full stop. */
function inWords(text: string | null | undefined): string | undefined {
  if (text === null || text === undefined || text === '' || hasControl(text)) return undefined
  return text.slice(0, 300).replace(/\.$/, '')
}
