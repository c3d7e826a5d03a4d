import { createPublicKey, verify } from 'node:crypto'
import { z } from 'zod'
import { seal, sameSecret } from '../../src/base/seal.ts'
import { Deed } from './deed.ts'
import type { Context } from './render.ts'

/**
 * Mattermost signs no callback. What proves one is put together here: the trigger id, which the server signs for whoever
 * acted (model/integration_action.go); what a button carries, which we sealed and bound to its post; the state of a
 * dialog, which we sealed and bound to whoever opened it; and the token of a command.
 */

/** Who acted, as the server signed it. */
export interface Trigger {
  /** Of this one act: it is good once. */
  id: string
  user: string
}

/** How far the clocks of the two servers may be apart, and how long an act may be on its way. In milliseconds. */
export const triggerMillis = 60_000

export type Fault = 'malformed' | 'bad_signature' | 'too_old' | 'wrong_place' | 'wrong_person' | 'replayed'

/** Either what was proven or why not. */
export type Proof<T> = { ok: true; value: T } | { ok: false; fault: Fault }

const no = (fault: Fault): { ok: false; fault: Fault } => ({ ok: false, fault })

/**
 * Reads a trigger id: base64 of `id:user:epoch milliseconds:signature`, signed with ECDSA over P-256 and SHA-256 (DER).
 * @param publicKey `AsymmetricSigningPublicKey` of the client configuration: SPKI, DER, base64
 */
export function readTrigger(text: string, publicKey: string, nowMillis: number): Proof<Trigger> {
  const decoded = /^[A-Za-z0-9+/]{40,600}={0,2}$/.test(text)
    ? Buffer.from(text, 'base64').toString('utf8')
    : ''
  const found = /^([a-z0-9]{26}):([a-z0-9]{26}):(\d{13}):([A-Za-z0-9+/]+=*)$/.exec(decoded)
  const [, id, user, at, signature] = found ?? []
  if (id === undefined || user === undefined || at === undefined || signature === undefined)
    return no('malformed')
  if (!isSigned(`${id}:${user}:${at}:`, signature, publicKey)) return no('bad_signature')
  if (Math.abs(nowMillis - Number(at)) > triggerMillis) return no('too_old')
  return { ok: true, value: { id, user } }
}

function isSigned(data: string, signature: string, publicKey: string): boolean {
  try {
    const key = createPublicKey({ key: Buffer.from(publicKey, 'base64'), format: 'der', type: 'spki' })
    return verify('sha256', Buffer.from(data), { key, dsaEncoding: 'der' }, Buffer.from(signature, 'base64'))
  } catch {
    // A key or a signature that cannot be read proves nothing.
    return false
  }
}

/** Where a button is: in a post, whose rendering it names, or in a message that only one person sees. */
export interface Place {
  channel: string
  /** Told anew each time the post is written: what an older version of the post carried counts no more. */
  rendering: string
  /** For a message that only this person sees; empty for a post. */
  user: string
}

/** What a button carried, proven to be ours and for this place. */
export interface Carried extends Place {
  deed: Deed
  /** What its card is about; empty for nothing. */
  about: string
}

/** A button is good for half a year. */
const buttonMillis = 183 * 24 * 3600 * 1000

const Sealed = z.object({
  v: z.literal('1'),
  deed: z.string().max(100_000),
  about: z.string().max(200),
  channel: z.string().max(40),
  rendering: z.string().max(60),
  user: z.string().max(40),
  at: z.string().regex(/^\d{13}$/),
  mac: z.string().max(100),
})

/** Seals what a button does. Everything is text, since the server may write numbers and keys in its own way. */
export function sealButton(key: string, carried: Carried, nowMillis: number): Context {
  const { about, channel, rendering, user } = carried
  const facts = {
    v: '1',
    deed: JSON.stringify(carried.deed),
    about,
    channel,
    rendering,
    user,
    at: `${nowMillis}`,
  }
  return { ...facts, mac: macOf(key, facts) }
}

/** Opens what a button carried. It is bound to its channel here; whoever calls compares its post. */
export function openButton(
  key: string,
  context: unknown,
  pressed: { channel: string; user: string },
  nowMillis: number,
): Proof<Carried> {
  const parsed = Sealed.safeParse(context)
  if (!parsed.success) return no('malformed')
  const { mac, ...facts } = parsed.data
  if (!sameSecret(mac, macOf(key, facts))) return no('bad_signature')
  if (nowMillis - Number(facts.at) > buttonMillis) return no('too_old')
  if (facts.channel !== pressed.channel) return no('wrong_place')
  if (facts.user !== '' && facts.user !== pressed.user) return no('wrong_person')
  const deed = Deed.safeParse(jsonOf(facts.deed))
  if (!deed.success) return no('malformed')
  const { about, channel, rendering, user } = facts
  return { ok: true, value: { deed: deed.data, about, channel, rendering, user } }
}

function macOf(key: string, facts: Omit<z.infer<typeof Sealed>, 'mac' | 'v'> & { v: string }): string {
  const { v, deed, about, channel, rendering, user, at } = facts
  return seal(key, `mattermost-button\n${JSON.stringify([v, deed, about, channel, rendering, user, at])}`)
}

/** A dialog is good for half an hour. */
const dialogMillis = 30 * 60 * 1000

/** What a dialog is about: kept in its state, which its user could read and whose change is noticed. */
export const DialogState = z.strictObject({
  nonce: z.string().min(16).max(60),
  /** Who opened it, as the server signed it. Nobody else may send it. */
  user: z.string(),
  kind: z.enum(['form', 'press']),
  action: z.string(),
  value: z.string(),
  /** How often it was asked for a price. */
  round: z.number().int(),
  /** Where it was opened from: the channel, the thread, and the post whose place the answer takes. */
  channel: z.string(),
  root: z.string(),
  post: z.string(),
  about: z.string(),
  /** Whether that post is the form itself: then the answer takes its place, whatever it is about. */
  isForm: z.boolean(),
  at: z.number(),
})
export type DialogState = z.infer<typeof DialogState>

export function sealState(key: string, state: DialogState): string {
  const body = Buffer.from(JSON.stringify(state)).toString('base64url')
  return `${body}.${seal(key, `mattermost-dialog\n${body}`)}`
}

/** Opens the state of a dialog for whoever sent it. */
export function openState(key: string, text: string, user: string, nowMillis: number): Proof<DialogState> {
  const [body = '', mac = '', rest] = text.split('.')
  if (body === '' || rest !== undefined) return no('malformed')
  if (!sameSecret(mac, seal(key, `mattermost-dialog\n${body}`))) return no('bad_signature')
  const state = DialogState.safeParse(jsonOf(Buffer.from(body, 'base64url').toString('utf8')))
  if (!state.success) return no('malformed')
  if (nowMillis - state.data.at > dialogMillis) return no('too_old')
  if (state.data.user !== user) return no('wrong_person')
  return { ok: true, value: state.data }
}

function jsonOf(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return value
  } catch {
    return undefined
  }
}

/** The token of a command, as `vm:TOKEN`; or a token alone, for whichever command. */
export interface CommandToken {
  trigger: string | undefined
  token: string
}

/** Reads `MATTERMOST_COMMAND_TOKEN`: one token, or several as `vm:TOKEN desktop:TOKEN`. */
export function commandTokens(text: string): CommandToken[] {
  return text
    .split(/[\s,]+/)
    .filter((one) => one !== '')
    .map((one) => {
      const [first = '', second] = one.split(':')
      return second === undefined ? { trigger: undefined, token: first } : { trigger: first, token: second }
    })
}

/** Whether a command came with its token. All are compared, so that the time tells nothing. */
export function isOurCommand(tokens: readonly CommandToken[], trigger: string, token: string): boolean {
  const fits = tokens.map((one) => sameSecret(one.token, token) && (one.trigger ?? trigger) === trigger)
  return token !== '' && fits.includes(true)
}
