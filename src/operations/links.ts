import { z } from 'zod'
import { notFound, refuse } from '../base/errors.ts'
import { type ChatAccount, chatPlatforms, type Link, linkId } from '../identity/chat-account.ts'
import { hasRole } from '../identity/person.ts'
import type { Transaction } from '../store/store.ts'
import { change, query } from './operation.ts'
import { anybody, operators } from './rules.ts'
import { InstantShape, text } from './shapes/fields.ts'
import { issue, standing, voucherId } from './vouchers.ts'

/** How long the link to the page on which an account is confirmed counts. */
const linkSeconds = 15 * 60
const purpose = 'link'

const Platform = z.enum(chatPlatforms)
const AccountId = z.string().min(1).max(200)

/** An account as its platform describes it. */
export const AccountShape = z.object({
  platform: Platform,
  id: AccountId,
  name: z.string().max(200),
  email: z.string().max(300).nullable(),
  directoryName: z.string().max(300).nullable(),
})

const LinkShape = z.object({
  platform: Platform,
  account: z.string(),
  name: z.string(),
  user: z.string(),
  how: z.enum(['confirmed', 'directory', 'email']),
  at: InstantShape,
})

/** The page that it leads to asks for a password first, and then shows whose account would be linked to whom. */
export const startLink = change({
  name: 'start-link',
  summary: 'Make a link on which somebody confirms that a chat account is theirs.',
  http: null,
  input: AccountShape,
  output: z.object({ token: z.string(), expiresAt: InstantShape }),
  repeatable: true,
  subject: (account) => `account:${linkId(account)}`,
  allow: operators,
  run: (context, account) => issue(context, { purpose, facts: account, seconds: linkSeconds }),
})

export const showLinkOffer = query({
  name: 'show-link-offer',
  summary: 'Show which chat account a link is about.',
  http: null,
  input: z.object({ token: z.string().max(200) }),
  output: z.object({ account: AccountShape, expiresAt: InstantShape, linkedTo: z.string().nullable() }),
  allow: anybody,
  async run({ tx, now }, { token }) {
    const voucher = await standing({ tx, now }, purpose, token)
    if (voucher === undefined) return refuseOld()
    const account = AccountShape.parse(voucher.facts)
    const link = await tx.links.get(linkId(account))
    const linkedTo = link?.how === 'confirmed' ? link.user : null
    return { account, expiresAt: voucher.expiresAt, linkedTo }
  },
})

/** Who holds the account asked for the link in chat, and who confirms has signed in: both have to want it. */
export const confirmLink = change({
  name: 'confirm-link',
  summary: 'Confirm that a chat account is yours.',
  http: null,
  input: z.object({ token: z.string().max(200) }),
  output: LinkShape,
  subject: (_input, answer) => (answer === undefined ? null : `account:${answer.platform}|${answer.account}`),
  allow: anybody,
  async run({ tx, caller, now }, { token }) {
    const voucher = await standing({ tx, now }, purpose, token)
    if (voucher === undefined) return refuseOld()
    const account = AccountShape.parse(voucher.facts)
    await tx.vouchers.remove(voucherId(purpose, token))
    // Somebody is reached in one place on each platform.
    for (const other of await tx.links.find('user', `${account.platform}|${caller.user}`)) {
      await tx.links.remove(other.id)
    }
    return viewOf(await saveLink(tx, account, { user: caller.user, how: 'confirmed', at: now }))
  },
})

function refuseOld(): never {
  return refuse(
    'not_found',
    'This link was used before or is older than 15 minutes. Ask for a new one in chat.',
  )
}

export const unlinkAccount = change({
  name: 'unlink-account',
  summary: 'Unlink a chat account: what comes from it counts as nobody any more.',
  http: { method: 'DELETE', path: '/links/{platform}/{account}' },
  input: z.object({ platform: Platform, account: AccountId }),
  output: z.object({}),
  subject: ({ platform, account }) => `account:${linkId({ platform, id: account })}`,
  allow: anybody,
  async run({ tx, caller }, { platform, account }) {
    const id = linkId({ platform, id: account })
    const link = await tx.links.get(id)
    if (link === undefined || (link.user !== caller.user && !hasRole(caller, 'operator'))) {
      throw notFound('linked account', account)
    }
    await tx.links.remove(id)
    return {}
  },
})

export const listLinks = query({
  name: 'list-links',
  summary: 'List the chat accounts that are yours.',
  http: { method: 'GET', path: '/links' },
  input: z.object({ user: text(200).optional() }),
  output: z.object({ items: z.array(LinkShape) }),
  allow: ({ caller }, { user }) =>
    user === undefined || user === caller.user ? undefined : operators({ caller }),
  async run({ tx, caller }, { user = caller.user }) {
    const found = await Promise.all(
      chatPlatforms.map((platform) => tx.links.find('user', `${platform}|${user}`)),
    )
    return { items: found.flat().map(viewOf) }
  },
})

export async function saveLink(
  tx: Transaction,
  { platform, id, name }: Pick<ChatAccount, 'platform' | 'id' | 'name'>,
  facts: Pick<Link, 'user' | 'how' | 'at'>,
): Promise<Link> {
  const link: Link = { id: linkId({ platform, id }), platform, account: id, name, ...facts }
  await tx.links.put(link)
  return link
}

function viewOf({ platform, account, name, user, how, at }: Link): z.infer<typeof LinkShape> {
  return { platform, account, name, user, how, at }
}
