import { afterEach, beforeEach, expect, test } from 'vitest'
import { changeKeys, listKeys } from '../../src/operations/ssh-keys.ts'
import { type Core, demoConfig, openCore } from './core.ts'
import { ordered } from './ordered.ts'

const blob = (last: string) => `AAAAC3NzaC1lZDI1NTE5AAAAIAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8${last}`
const keyOf = (last: string) => `ssh-ed25519 ${blob(last)}`
const [hers, given, carols] = [keyOf('g'), keyOf('A'), keyOf('Q')]

let core: Core
beforeEach(async () => {
  const config = await demoConfig((yaml) =>
    yaml
      .replace('- user: carol', `- sshKeys: ["${carols}"]\n      user: carol`)
      .replace('- user: alice', `- sshKeys: ["${given}"]\n      user: alice`),
  )
  core = await openCore({ config })
})
afterEach(() => core.close())

async function setKeys(user: string, keys: string[]) {
  return core.operations.perform(changeKeys, await core.as(user), { keys })
}

test('a server is made with the keys of its owner and of its administrators, from the directory and their own', async () => {
  await setKeys('alice', [hers])

  await ordered(core, { administrators: ['carol'] })

  const { machines } = await core.hypervisor.inventory(new AbortController().signal)
  const keys = machines.flatMap(({ ref }) => core.hypervisor.machine(ref)?.keys ?? [])
  expect(new Set(keys)).toEqual(new Set([given, hers, carols]))
})

test('somebody sees their own keys and those of the directory, and which are which', async () => {
  await setKeys('alice', [`${hers} alice@laptop`])

  const { items } = await core.operations.perform(listKeys, await core.as('alice'), {})

  expect(items.map(({ comment, fromDirectory }) => [comment, fromDirectory])).toEqual([
    ['', true],
    ['alice@laptop', false],
  ])
})

test('a key that stands there twice is refused, and the keys stay as they were', async () => {
  await setKeys('alice', [hers])

  const again = setKeys('alice', [hers, `${hers} another comment`])

  await expect(again).rejects.toMatchObject({ code: 'invalid_input' })
  const { items } = await core.operations.perform(listKeys, await core.as('alice'), {})
  expect(items).toHaveLength(2)
})
