import { readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { packagePath } from '../../../src/base/package-root.ts'
import { mattermostSetup } from '../../../src/cli/mattermost-setup.ts'
import { makeUser } from '../../fakes/mattermost/people.ts'
import { type FakeMattermost, openFakeMattermost } from '../../fakes/mattermost/server.ts'
import { newId } from '../../fakes/mattermost/world.ts'

let fake: FakeMattermost
let file: string
const [admin, bot] = [newId(), newId()]
beforeEach(async () => {
  fake = await openFakeMattermost()
  makeUser(fake, 'root', { roles: 'system_user system_admin', token: admin })
  makeUser(fake, 'jackdaw', { is_bot: true, token: bot })
  file = join(tmpdir(), `jackdaw-${newId()}.yaml`)
  const yaml = await readFile(packagePath('src', 'demo.yaml'), 'utf8')
  await writeFile(
    file,
    yaml.replace(/^chat:\n/m, `chat:\n  mattermost: { url: "${fake.url}", team: servers }\n`),
  )
})
afterEach(async () => {
  await fake.close()
  await rm(file)
})

const setup = (apply: boolean, token = admin) =>
  mattermostSetup(file, { MATTERMOST_ADMIN_TOKEN: token }, apply)
const tokens = () =>
  [...fake.world.commands.values()].map(({ trigger, token }) => `${trigger}:${token}`).join(' ')

test('at first it is only said what would be done', async () => {
  const said = await setup(false)

  expect(said).toMatch(/\/vm: is registered with http.*\/mattermost\/command\n\/desktop: is registered/)
  expect(said).toContain('Nothing was changed yet')
  expect(fake.world.commands.size).toBe(0)
})

test('both commands are registered, and their tokens are said once', async () => {
  const said = await setup(true)

  expect(said).toContain(`MATTERMOST_COMMAND_TOKEN="${tokens()}"`)
  expect([...fake.world.commands.values()].map(({ trigger, method }) => [trigger, method])).toEqual([
    ['vm', 'P'],
    ['desktop', 'P'],
  ])
  expect(fake.faults).toEqual([])
})

test('done again it changes nothing, and says the same tokens', async () => {
  const first = await setup(true)

  const again = await setup(true)

  expect(again).toContain('/vm: stays as it is')
  expect(again.split('\n').at(-2)).toBe(first.split('\n').at(-2))
  expect(fake.world.commands.size).toBe(2)
})

test('a site that has moved takes its commands along', async () => {
  await setup(true)
  const yaml = await readFile(file, 'utf8')
  await writeFile(file, yaml.replace(/publicUrl: \S+/, 'publicUrl: https://servers.example.org'))

  const said = await setup(true)

  expect(said).toContain('moved from')
  expect([...fake.world.commands.values()].map(({ url }) => url)).toEqual([
    'https://servers.example.org/mattermost/command',
    'https://servers.example.org/mattermost/command',
  ])
})

test('a command of another integration is left to it', async () => {
  const theirs = {
    team_id: fake.world.team.id,
    trigger: 'vm',
    method: 'P',
    url: 'https://other.example.org/vm',
  }
  fake.world.commands.set('theirs', { ...theirs, id: newId(), token: newId() })

  const said = await setup(true)

  expect(said).toMatch(/\/vm: belongs to another integration[\s\S]*Nothing was changed\./)
  expect(fake.world.commands.size).toBe(1)
})

test.each([
  ['without a token of somebody', '', /MATTERMOST_ADMIN_TOKEN/],
  ['with a token that is not good', newId(), undefined],
  ['with the token of the bot, who may not', bot, undefined],
])('%s nothing is done', async (_name, token, says) => {
  const said = await setup(true, token).catch((error: unknown) => error)

  if (says === undefined) expect(said).toMatchObject({ name: 'Outage' })
  else expect(said).toMatch(says)
  expect(fake.world.commands.size).toBe(0)
})
