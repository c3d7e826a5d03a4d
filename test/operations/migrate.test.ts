import { afterEach, beforeEach, expect, test } from 'vitest'
import { controlMachine } from '../../src/operations/control-machine.ts'
import { migrateMachine } from '../../src/operations/migrate-machine.ts'
import { type Core, openCore } from './core.ts'
import { ordered, shown } from './ordered.ts'

let core: Core
beforeEach(async () => {
  core = await openCore()
  await ordered(core)
})
afterEach(() => core.close())

async function moved(input: { host?: string }, user = 'olga') {
  const answer = await core.operations.perform(migrateMachine, await core.as(user), {
    name: 'webafs20',
    ...input,
  })
  await core.settle()
  return answer
}

async function otherThan(host: string | null): Promise<string> {
  const hosts = await core.store.read((tx) => tx.hosts.all())
  return hosts.find(({ id, group }) => id !== host && group === 'central')?.id ?? ''
}

test.each([
  ['running', []],
  ['stopped', ['shutdown']],
  ['saved', ['save']],
] as const)('a machine that is %s is so on its new host', async (state, verbs) => {
  for (const verb of verbs) {
    await core.operations.perform(controlMachine[verb], await core.as('alice'), { name: 'webafs20' })
    await core.settle()
  }
  const before = await shown(core)
  const to = await otherThan(before.host)

  const answer = await moved({ host: to })

  expect(answer).toMatchObject({ from: before.host, to })
  expect(await shown(core)).toMatchObject({ state, host: to })
})

test('a host is found where none is said, and it is another one', async () => {
  const before = await shown(core)

  const { to } = await moved({})

  expect(to).not.toBe(before.host)
  expect((await shown(core)).host).toBe(to)
})

test('what cannot be moved stays where it was, as it was, and whoever asked is told why', async () => {
  const before = await shown(core)
  const to = await otherThan(before.host)
  core.hypervisor.setHost(to, { reachable: false })

  await moved({ host: to })

  expect(await shown(core)).toMatchObject({ state: 'running', host: before.host })
  const last = core.told.notices.at(-1)
  expect(last).toMatchObject({ user: 'olga', notice: { kind: 'machine-failed' } })
  expect(last?.notice.text).toContain('does not respond')
})

test('a host that it is on already is refused, and so is one of another name', async () => {
  const { host } = await shown(core)

  await expect(moved({ host: host ?? '' })).rejects.toMatchObject({ code: 'wrong_state' })
  await expect(moved({ host: 'no-such-host' })).rejects.toMatchObject({ code: 'no_capacity' })
})

test('owners do not move their machines', async () => {
  await expect(moved({}, 'alice')).rejects.toMatchObject({ code: 'forbidden' })
})
