import { afterAll, beforeAll, expect, test } from 'vitest'
import { openApi } from '../../../bot/mattermost/api.ts'
import { checkMattermost } from '../../../bot/mattermost/check.ts'
import { openPace } from '../../../bot/mattermost/pacing.ts'
import type { Finding } from '../../../src/base/finding.ts'
import { silentLog } from '../../../src/base/log.ts'
import { type MattermostSite, openMattermostSite } from './stage.ts'

let there: MattermostSite
beforeAll(async () => {
  there = await openMattermostSite({ now: Date.now })
})
afterAll(() => there.close())

interface Wrong {
  token?: string
  team?: string
  channel?: string
  publicUrl?: string
  nowMillis?: () => number
}

async function look(wrong: Wrong = {}): Promise<Finding[]> {
  const { token = there.bot.token, team = 'servers', channel = 'town', publicUrl = there.site.url } = wrong
  const pace = openPace({ perSecond: 1000, burst: 100, nowMillis: Date.now, wait: async () => undefined })
  return checkMattermost({
    api: openApi({ url: there.fake.url, token, log: silentLog, pace }),
    rule: { url: there.fake.url, team, channel },
    site: { publicUrl },
    secrets: { token, commandToken: 'x' },
    nowMillis: wrong.nowMillis ?? Date.now,
  })
}

const faults = (findings: readonly Finding[]) => findings.filter(({ state }) => state === 'fault')

test('a site that is set up as it should be has no fault', async () => {
  const findings = await look()

  expect(faults(findings)).toEqual([])
  expect(findings.map(({ fact }) => fact)).toContain("it is the bot @jackdaw's")
  expect(findings.map(({ fact }) => fact)).toContain('the bot is in ~town')
})

test.each<[string, Wrong, RegExp]>([
  ['a token that is not good', { token: 'none' }, /MATTERMOST_TOKEN/],
  ['a team that is not there', { team: 'nobodys' }, /chat\.mattermost\.team/],
  ['a channel that is not there', { channel: 'nowhere' }, /chat\.mattermost\.channel/],
  ['an address at which somebody else answers', { publicUrl: 'http://127.0.0.1:1' }, /site\.publicUrl/],
  ['a clock that is wrong', { nowMillis: () => Date.now() + 90_000 }, /NTP/],
])('%s is a fault, with what mends it', async (_what, wrong, remedy) => {
  const found = faults(await look(wrong))

  expect(found.map((finding) => finding.remedy)).toContainEqual(expect.stringMatching(remedy))
})

test('what cannot be tried is a finding, and nothing is thrown', async () => {
  there.fake.fail('page', 3)

  const findings = await look()
  there.fake.fail(undefined)

  expect(findings.some(({ state }) => state !== 'fine')).toBe(true)
})
