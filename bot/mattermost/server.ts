import type { MattermostRule } from '../rules.ts'
import type { Api } from './api.ts'
import type { ClientConfig, User } from './schema.ts'

/** What has to be known of the server before anything can be said or believed. */
export interface Known {
  /** Ourselves there. */
  me: User
  /** What the server signs trigger ids with: SPKI, DER, base64. */
  publicKey: string
  /** The id of the site's team; empty when the server has none of that name, or we are not in it. */
  team: string
  /** Whether it shows Mattermost Blocks (11.10 and later, and not switched off). */
  blocks: boolean
  /** Whether a dialog can ask again while it is filled in (11.1 and later). */
  refreshes: boolean
}

export interface Server {
  /** Asked once and remembered; again when it could not be told. @throws Outage. */
  known(): Promise<Known>
  /** Asks anew, at most once a minute: the key is another one after the server's database was made anew. */
  again(): Promise<Known>
}

export function openServer(api: Api, rule: MattermostRule, nowMillis: () => number): Server {
  let known: Promise<Known> | undefined
  let askedAt = -Infinity

  function ask(): Promise<Known> {
    askedAt = nowMillis()
    const asked = look(api, rule)
    known = asked
    asked.catch(() => {
      if (known === asked) known = undefined
    })
    return asked
  }

  return {
    known: () => known ?? ask(),
    again: () => (known === undefined || nowMillis() - askedAt > 60_000 ? ask() : known),
  }
}

async function look(api: Api, rule: MattermostRule): Promise<Known> {
  const [me, config, team] = await Promise.all([api.me(), api.config(), api.team(rule.team)])
  return { me, publicKey: config.AsymmetricSigningPublicKey, team: team?.id ?? '', ...abilitiesOf(config) }
}

export function abilitiesOf({
  Version,
  FeatureFlagMmBlocksEnabled,
}: ClientConfig): Pick<Known, 'blocks' | 'refreshes'> {
  return {
    blocks: isAtLeast(Version, [11, 10]) && FeatureFlagMmBlocksEnabled !== 'false',
    refreshes: isAtLeast(Version, [11, 1]),
  }
}

function isAtLeast(version: string, [major, minor]: readonly [number, number]): boolean {
  const [, first, second] = /^(\d+)\.(\d+)/.exec(version) ?? []
  const [a, b] = [Number(first ?? 0), Number(second ?? 0)]
  return a > major || (a === major && b >= minor)
}

/** The site's channel, by its id or its name in the team. */
export async function channelId(
  api: Api,
  { team, channel = '' }: MattermostRule,
): Promise<string | undefined> {
  if (/^[a-z0-9]{26}$/.test(channel)) return channel
  return (await api.channelOf(team, channel))?.id
}
