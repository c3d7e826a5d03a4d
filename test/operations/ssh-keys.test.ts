import { afterEach, beforeEach, expect, test } from 'vitest'
import { changeKeys, listKeys } from '../../src/operations/ssh-keys.ts'
import { type Core, demoConfig, openCore } from './core.ts'
import { requestMachine } from '../../src/operations/request-machine.ts'
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

async function asked(site: Core, user: string, template: string): Promise<readonly string[]> {
  const order = { template, days: 30, budget: 'T-2000', purpose: 'AFS web server' }
  return (await site.operations.perform(requestMachine, await site.as(user), order)).warnings
}

test('who has no key is told so when they ask for a server that would let nobody else in', async () => {
  const config = await demoConfig()
  const hypervisors = config.site.hypervisors.map((one) => ({ ...one, real: true }))
  const real = await openCore({ config: { ...config, site: { ...config.site, hypervisors } } })

  const [linux, windows] = [await asked(real, 'alice', 'slc5'), await asked(real, 'alice', 'w2008')]
  await real.operations.perform(changeKeys, await real.as('alice'), { keys: [hers] })
  const after = await asked(real, 'alice', 'slc5')

  expect(linux).toEqual([expect.stringContaining('no SSH key')])
  expect(windows).toEqual([])
  expect(after).toEqual([])
  await real.close()
})

test('where everything is simulated nobody is asked for a key', async () => {
  expect(await asked(core, 'bob', 'slc5')).toEqual([])
})
