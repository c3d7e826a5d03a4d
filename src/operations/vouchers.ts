import { z } from 'zod'
import { plusMillis } from '../base/clock.ts'
import { fingerprint } from '../base/seal.ts'
import type { Voucher } from '../identity/voucher.ts'
import type { ReadTransaction } from '../store/store.ts'
import type { Context } from './operation.ts'
import { change } from './operation.ts'
import { operators } from './rules.ts'
import { InstantShape } from './shapes/fields.ts'

const Purpose = z.string().regex(/^[a-z-]{1,40}$/)
const Seconds = z.number().int().min(1).max(86_400)

export function voucherId(purpose: string, token: string): string {
  return `${purpose}|${fingerprint(token)}`
}

/** Keeps facts for whoever brings the token within the time. What is given back is the only copy of the token. */
export async function issue(
  { tx, now, ids }: Pick<Context, 'tx' | 'now' | 'ids'>,
  { purpose, facts, seconds }: { purpose: string; facts: unknown; seconds: number },
): Promise<{ token: string; expiresAt: string }> {
  const token = ids.secret(24)
  const expiresAt = plusMillis(now, seconds * 1000)
  await tx.vouchers.put({ id: voucherId(purpose, token), facts, expiresAt })
  return { token, expiresAt }
}

/** The voucher of a token, unless it was used or its time is over. */
export async function standing(
  { tx, now }: { tx: ReadTransaction; now: string },
  purpose: string,
  token: string,
): Promise<Voucher | undefined> {
  const voucher = await tx.vouchers.get(voucherId(purpose, token))
  return voucher === undefined || voucher.expiresAt <= now ? undefined : voucher
}

/** For the faces: what a chat platform gives back later, such as a form, without being able to change it. */
export const issueVoucher = change({
  name: 'issue-voucher',
  summary: 'Keep facts under a token that counts once.',
  http: null,
  unaudited: true,
  input: z.object({ purpose: Purpose, facts: z.json(), seconds: Seconds }),
  output: z.object({ token: z.string(), expiresAt: InstantShape }),
  allow: operators,
  run: (context, input) => issue(context, input),
})

export const redeemVoucher = change({
  name: 'redeem-voucher',
  summary: 'Give back the facts that were kept under a token, once.',
  http: null,
  unaudited: true,
  input: z.object({ purpose: Purpose, token: z.string().max(200) }),
  output: z.object({ facts: z.unknown() }),
  allow: operators,
  async run(context, { purpose, token }) {
    const voucher = await standing(context, purpose, token)
    if (voucher !== undefined) await context.tx.vouchers.remove(voucher.id)
    return { facts: voucher?.facts ?? null }
  },
})

/** Tells the first time that something is seen from the others, as long as it is remembered. */
export const noteOnce = change({
  name: 'note-once',
  summary: 'Note that something was seen, and say whether it is new.',
  http: null,
  unaudited: true,
  input: z.object({ purpose: Purpose, key: z.string().min(1).max(500), seconds: Seconds }),
  output: z.object({ isNew: z.boolean() }),
  allow: operators,
  async run({ tx, now }, { purpose, key, seconds }) {
    const id = voucherId(purpose, key)
    const known = await tx.vouchers.get(id)
    if (known !== undefined && known.expiresAt > now) return { isNew: false }
    await tx.vouchers.put({ id, facts: null, expiresAt: plusMillis(now, seconds * 1000) })
    return { isNew: true }
  },
})

/** A key of the site's own, made when it is first asked for. It never leaves the service. */
export const siteKey = change({
  name: 'site-key',
  summary: "Give a key of the site's own to the part that seals with it.",
  http: null,
  unaudited: true,
  repeatable: true,
  input: z.object({ name: Purpose }),
  output: z.object({ key: z.string() }),
  allow: operators,
  async run({ tx, ids }, { name }) {
    const id = `key:${name}`
    const known = await tx.secrets.get(id)
    if (known !== undefined) return { key: known.value }
    const value = ids.secret(32)
    await tx.secrets.put({ id, value })
    return { key: value }
  },
})
