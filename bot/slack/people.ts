import { z } from 'zod'
import type { Caller } from '../../src/identity/person.ts'
import type { Accounts, ChatAccount } from '../accounts.ts'
import { type Api, SlackRefusal } from './api.ts'
import type { Pace } from './pace.ts'

/** Who we are on Slack. */
export interface Self {
  user: string
  team: string
  /** The name of the workspace, for whoever operates the site. */
  teamName: string
}

const AuthTest = z.object({ user_id: z.string(), team_id: z.string(), team: z.string().default('') })
const SlackUser = z.object({
  id: z.string(),
  team_id: z.string().optional(),
  name: z.string().default(''),
  deleted: z.boolean().default(false),
  is_bot: z.boolean().default(false),
  is_restricted: z.boolean().default(false),
  is_ultra_restricted: z.boolean().default(false),
  is_stranger: z.boolean().default(false),
  is_email_confirmed: z.boolean().optional(),
  tz: z.string().nullish(),
  profile: z.object({ email: z.string().nullish(), real_name: z.string().nullish() }).default({}),
  enterprise_user: z.object({ teams: z.array(z.string()).default([]) }).optional(),
})
type SlackUser = z.infer<typeof SlackUser>
const UserAnswer = z.object({ user: SlackUser })

/** What is known of an account is asked again after this long; at each decision it is asked at once. */
const keptMillis = 5 * 60_000

/** Who is who on Slack. Guests, strangers of shared channels, programs and those who have left are nobody. */
export interface People {
  /** Who we are there. Asked once. @throws Outage. */
  self(): Promise<Self>
  /**
   * The account of somebody active of our own workspace.
   * @param fresh ask Slack now, whatever is remembered
   */
  account(user: string, fresh?: boolean): Promise<ChatAccount | undefined>
  /** The person behind an account, as they are now. */
  personOf(account: ChatAccount): Promise<Caller | undefined>
  /** The account at which somebody of the directory is reached, if that still is theirs. */
  accountOf(user: string): Promise<ChatAccount | undefined>
  /** The time zone of an account. */
  zoneOf(id: string): Promise<string | undefined>
  forget(user: string): void
}

export interface PeopleServices {
  api: Api
  pace: Pace
  accounts: Accounts
  now: () => number
}

export function openPeople({ api, pace, accounts, now }: PeopleServices): People {
  const known = new Map<string, { at: number; user: Promise<SlackUser | undefined> }>()
  let self: Promise<Self> | undefined

  async function ask(
    method: string,
    args: Readonly<Record<string, unknown>>,
  ): Promise<SlackUser | undefined> {
    try {
      return (await pace.call(() => api.call(method, args, UserAnswer))).user
    } catch (error) {
      if (error instanceof SlackRefusal && /^users?_not_(found|visible)$/.test(error.code)) return undefined
      throw error
    }
  }

  function userOf(id: string, fresh: boolean): Promise<SlackUser | undefined> {
    const kept = known.get(id)
    if (kept !== undefined && !fresh && now() - kept.at < keptMillis) return kept.user
    const user = ask('users.info', { user: id })
    if (known.size > 5_000) known.clear()
    known.set(id, { at: now(), user })
    // What failed is not remembered.
    user.catch(() => known.delete(id))
    return user
  }

  const people: People = {
    self() {
      self ??= pace
        .call(() => api.call('auth.test', {}, AuthTest))
        .then((answer) => ({ user: answer.user_id, team: answer.team_id, teamName: answer.team }))
      self.catch(() => {
        self = undefined
      })
      return self
    },
    async account(id, fresh = false) {
      const [{ team }, user] = await Promise.all([people.self(), userOf(id, fresh)])
      return user !== undefined && isColleague(user, team) ? accountFrom(user) : undefined
    },
    async personOf(account) {
      return (await accounts.personOf(account)) ?? undefined
    },
    async accountOf(user) {
      const id = await accounts.accountOf('slack', user)
      const found = id === null ? await byEmail(user) : await people.account(id)
      const person = found === undefined ? undefined : await people.personOf(found)
      return person?.user === user ? found : undefined
    },
    async zoneOf(id) {
      return (await userOf(id, false))?.tz ?? undefined
    },
    forget: (id) => void known.delete(id),
  }

  async function byEmail(user: string): Promise<ChatAccount | undefined> {
    const email = await accounts.emailOf('slack', user)
    if (email === null) return undefined
    const found = await ask('users.lookupByEmail', { email })
    return found === undefined ? undefined : people.account(found.id)
  }
  return people
}

function isColleague(user: SlackUser, team: string): boolean {
  if (user.deleted || user.is_bot || user.id === 'USLACKBOT') return false
  if (user.is_restricted || user.is_ultra_restricted || user.is_stranger) return false
  return (
    user.team_id === undefined || user.team_id === team || (user.enterprise_user?.teams ?? []).includes(team)
  )
}

function accountFrom({ id, name, profile, is_email_confirmed: confirmed }: SlackUser): ChatAccount {
  const email = confirmed === false ? null : (profile.email ?? null)
  return { platform: 'slack', id, name: profile.real_name || name || id, email, directoryName: null }
}
