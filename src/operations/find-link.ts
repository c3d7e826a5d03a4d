import { z } from 'zod'
import { isTrusted } from '../identity/account-rule.ts'
import { type ChatAccount, chatPlatforms, type LinkKind, linkId } from '../identity/chat-account.ts'
import type { Person } from '../identity/person.ts'
import { AccountShape, saveLink } from './links.ts'
import { change, type Outside, query } from './operation.ts'
import { operators } from './rules.ts'

interface Match {
  user: string
  how: Exclude<LinkKind, 'confirmed'>
}

const How = z.enum(['confirmed', 'directory', 'email'])

/**
 * Whose an account is, asked anew each time. A confirmed link comes first, then what our directory says of the account,
 * then, where the site allows them, the name and the verified e-mail address that the platform gives. Where one of these
 * names several people, it is nobody's.
 */
export const findLink = query({
  name: 'find-link',
  summary: 'Find whose a chat account is.',
  http: null,
  input: AccountShape,
  output: z.object({ user: z.string().nullable(), how: How.nullable(), isKept: z.boolean() }),
  allow: operators,
  ask: (outside, account) => matchOf(outside, account),
  async run({ tx }, account, match) {
    const link = await tx.links.get(linkId(account))
    if (link?.how === 'confirmed') return { user: link.user, how: link.how, isKept: true }
    const { user, how } = match ?? { user: null, how: null }
    return { user, how, isKept: link !== undefined && link.user === user && link.how === how }
  },
})

async function matchOf({ directory, site }: Outside, account: ChatAccount): Promise<Match | undefined> {
  const { platform, id, directoryName, email } = account
  const known = await directory.withAccount(platform, id)
  if (known.length > 0) return only(known, 'directory')
  if (site.accounts.directory && directoryName !== null) {
    const person = await directory.find(directoryName)
    if (person !== undefined) return { user: person.user, how: 'directory' }
  }
  if (email === null || !isTrusted(email, site.accounts)) return undefined
  return only(await directory.withEmail(email), 'email')
}

function only(people: readonly Person[], how: Match['how']): Match | undefined {
  const [person, second] = people
  return person === undefined || second !== undefined ? undefined : { user: person.user, how }
}

/** Keeps what was found out, so that it is known where somebody can be reached. It is not believed by itself. */
export const noteAccount = change({
  name: 'note-account',
  summary: 'Note whose a chat account was found to be.',
  http: null,
  input: z.object({ account: AccountShape, user: z.string(), how: z.enum(['directory', 'email']) }),
  output: z.object({}),
  subject: ({ account }) => `account:${linkId(account)}`,
  allow: operators,
  async run({ tx, now }, { account, user, how }) {
    const link = await tx.links.get(linkId(account))
    if (link?.how !== 'confirmed') await saveLink(tx, account, { user, how, at: now })
    return {}
  },
})

/** Where somebody is reached: a confirmed link, else what the directory says, else where they were last seen. */
export const findAccount = query({
  name: 'find-account',
  summary: 'Find where somebody is reached on a chat platform.',
  http: null,
  input: z.object({ platform: z.enum(chatPlatforms), user: z.string() }),
  output: z.object({ account: z.string().nullable(), email: z.string().nullable() }),
  allow: operators,
  async ask({ directory, site }, { user, platform }) {
    const [accounts, person] = await Promise.all([directory.accountsOf(user), directory.find(user)])
    const email = person?.email ?? null
    const trusted = email !== null && isTrusted(email, site.accounts) ? email : null
    return { account: accounts[platform] ?? null, email: trusted }
  },
  async run({ tx }, { platform, user }, { account, email }) {
    const links = await tx.links.find('user', `${platform}|${user}`)
    const confirmed = links.find(({ how }) => how === 'confirmed')
    const seen = links.toSorted((a, b) => (a.at < b.at ? 1 : -1))[0]
    return { account: confirmed?.account ?? account ?? seen?.account ?? null, email }
  },
})
