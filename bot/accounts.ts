import type { ChatAccount, ChatPlatform } from '../src/identity/chat-account.ts'
import { type Caller, system, type Via } from '../src/identity/person.ts'
import { findAccount, findLink, noteAccount } from '../src/operations/find-link.ts'
import { startLink } from '../src/operations/links.ts'
import type { Operations } from '../src/operations/perform.ts'
import type { Site } from '../src/operations/site.ts'
import { pageAt } from './facts.ts'

export type { ChatAccount, ChatPlatform } from '../src/identity/chat-account.ts'

/** Which person is behind an account of a chat platform, and where a person is reached. */
export interface Accounts {
  /**
   * The person behind an account as the directory knows them now, with groups and roles; nothing when it is nobody's or
   * they are gone. Asked at each line, press and form, and before anything is sent: never kept for more than that.
   * Adapters ask only about active accounts of the site's own people: not bots, guests or strangers.
   * @throws Outage when the directory or the store does not answer.
   */
  personOf(account: ChatAccount): Promise<Caller | null>
  /** The id of the account at which somebody is reached. Whoever sends to it asks `personOf` first whether it still is theirs. */
  accountOf(platform: ChatPlatform, user: string): Promise<string | null>
  /**
   * The e-mail address by which somebody may be looked for on a platform, where the site allows that. What is found is
   * theirs when `personOf` says so.
   */
  emailOf(platform: ChatPlatform, user: string): Promise<string | null>
  /** A page, good once and for 15 minutes, on which somebody confirms after signing in that the account is theirs. */
  linkUrl(account: ChatAccount): Promise<string>
}

export interface AccountServices {
  operations: Operations
  site: Site
  /** Somebody as the directory knows them now, with the roles that the site gives them. */
  personNamed: (user: string, via: Via) => Promise<Caller | undefined>
}

export function openAccounts({ operations, site, personNamed }: AccountServices): Accounts {
  return {
    async personOf(account) {
      const { user, how, isKept } = await operations.perform(findLink, system(), account)
      if (user === null || how === null) return null
      if (!isKept && how !== 'confirmed')
        await operations.perform(noteAccount, system(), { account, user, how })
      return (await personNamed(user, account.platform)) ?? null
    },
    async accountOf(platform, user) {
      const { account } = await operations.perform(findAccount, system(), { platform, user })
      return account
    },
    async emailOf(platform, user) {
      const { email } = await operations.perform(findAccount, system(), { platform, user })
      return email
    },
    async linkUrl(account) {
      const { token } = await operations.perform(startLink, system(), account)
      return pageAt(site, `/accounts/link/${token}`)
    },
  }
}
