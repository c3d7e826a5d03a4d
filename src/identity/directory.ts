import type { ChatPlatform } from './chat-account.ts'
import type { Person } from './person.ts'

/**
 * The directory of people (port). Answers about people only; what they may do is decided elsewhere.
 * Names are compared without regard to case and given back in lower case.
 */
export interface Directory {
  /**
   * The person, when the password is theirs; nothing when it is not or when there is no such person (callers must not
   * be able to tell which). Slow on purpose; runs off the event loop.
   * @throws Refusal `account_unusable` with what is the matter, where the directory says so (expired, locked, switched off).
   * @throws Outage when the directory cannot be asked.
   */
  authenticate(user: string, password: string, signal: AbortSignal): Promise<Person | undefined>
  /** The person as the directory knows them now; nothing when they are gone or disabled. */
  find(user: string): Promise<Person | undefined>
  /** Everybody in a group, or the one person of that account name; empty when there is neither. */
  members(name: string): Promise<Person[]>
  /** Everybody with this e-mail address, compared without regard to case. */
  withEmail(email: string): Promise<Person[]>
  /** Everybody whom the directory gives this account of a chat platform. */
  withAccount(platform: ChatPlatform, account: string): Promise<Person[]>
  /** The accounts that the directory gives a person, by platform. */
  accountsOf(user: string): Promise<Partial<Record<ChatPlatform, string>>>
  /** The OpenSSH public keys that the directory gives a person, a line each; none for somebody unknown. */
  keysOf(user: string): Promise<readonly string[]>
  close(): Promise<void>
}
