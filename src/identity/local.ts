import { availableParallelism } from 'node:os'
import { hash, verify } from '@node-rs/argon2'
import { z } from 'zod'
import { sameSecret } from '../base/seal.ts'
import type { Directory } from './directory.ts'
import type { Person } from './person.ts'
import { PublicKey } from './ssh-key.ts'
import { turns } from './turns.ts'

const lowerCase = (text: string) => text.toLowerCase()

/** Somebody of the site's file. Which of `password` and `passwordHash` may stand there depends on who can reach the site. */
export const LocalUser = z.strictObject({
  user: z
    .string()
    .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/i, 'an account name: letters, digits, dots, dashes and underscores')
    .transform(lowerCase),
  name: z.string().min(1).max(100),
  email: z.email('an e-mail address').nullable().default(null),
  password: z.string().min(1).max(1000).optional(),
  passwordHash: z
    .string()
    .regex(
      /^\$argon2id\$v=19\$m=\d{1,7},t=\d{1,3},p=\d{1,3}\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{22,86}$/,
      'an argon2id hash, as made by: npm run jackdaw -- hash',
    )
    .optional(),
  groups: z
    .array(
      z
        .string()
        .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/i, 'a group: letters, digits, dots, dashes and underscores')
        .transform(lowerCase),
    )
    .default([]),
  /** OpenSSH public keys for the Linux servers that they are administrators of. */
  sshKeys: z.array(PublicKey).max(20).default([]),
  /** Their accounts on chat platforms, by the platform's own id. */
  accounts: z
    .strictObject({
      slack: z.string().min(1).max(100).optional(),
      mattermost: z.string().min(1).max(100).optional(),
    })
    .optional(),
})
export type LocalUser = z.infer<typeof LocalUser>

/** What OWASP recommends as the least for argon2id: 19 MiB, two passes, one lane. Some 20 ms. */
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

/** Longer ones are not passwords. */
const longestPassword = 1000

/**
 * Hashing runs on the four threads that file work needs too, so two are left for that; and one processor, so that those
 * who are in already do not wait for those who come in.
 */
const hashing = { atOnce: Math.max(1, Math.min(2, availableParallelism() - 1)), waiting: 200 }

/** What a site's file keeps of a password. */
export async function hashPassword(password: string): Promise<string> {
  return hash(composed(password), cost)
}

/** People who are named in the site's file. */
export function local(users: readonly LocalUser[]): Directory {
  const byUser = new Map(users.map((user) => [user.user.toLowerCase(), user]))
  const inTurn = turns(hashing)
  // Compared where there is nothing to compare, so that time does not tell who has an account.
  const decoy = users.find(({ passwordHash }) => passwordHash !== undefined)?.passwordHash

  async function isTheirs(
    known: LocalUser | undefined,
    password: string,
    signal: AbortSignal,
  ): Promise<boolean> {
    const kept = known?.passwordHash ?? decoy
    const matches = kept !== undefined && (await inTurn(signal, () => verify(kept, password)))
    if (known?.passwordHash !== undefined) return matches
    return sameSecret(composed(known?.password ?? ''), password) && known?.password !== undefined
  }

  return {
    async authenticate(user, password, signal) {
      signal.throwIfAborted()
      const known = byUser.get(user.toLowerCase())
      const isRight = await isTheirs(known, composed(password.slice(0, longestPassword + 1)), signal)
      return known !== undefined && isRight && password.length <= longestPassword
        ? personOf(known)
        : undefined
    },
    async find(user) {
      const known = byUser.get(user.toLowerCase())
      return known === undefined ? undefined : personOf(known)
    },
    async members(name) {
      const wanted = name.toLowerCase()
      return [...byUser.values()]
        .filter(({ user, groups }) => user.toLowerCase() === wanted || groups.includes(wanted))
        .map(personOf)
    },
    async withEmail(email) {
      const wanted = email.toLowerCase()
      return users.filter((user) => user.email?.toLowerCase() === wanted).map(personOf)
    },
    async withAccount(platform, account) {
      return users.filter(({ accounts }) => accounts?.[platform] === account).map(personOf)
    },
    async accountsOf(user) {
      const { slack, mattermost } = byUser.get(user.toLowerCase())?.accounts ?? {}
      return {
        ...(slack === undefined ? {} : { slack }),
        ...(mattermost === undefined ? {} : { mattermost }),
      }
    },
    keysOf: async (user) => byUser.get(user.toLowerCase())?.sshKeys ?? [],
    async close() {
      // Nothing is held.
    },
  }
}

/** One form for a password, however a keyboard composes its accents (RFC 8265 §4.2). */
function composed(password: string): string {
  return password.normalize('NFC')
}

function personOf({ user, name, email, groups }: LocalUser): Person {
  return { user: user.toLowerCase(), name, email, groups: groups.map(lowerCase) }
}
