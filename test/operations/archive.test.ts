import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { archiveMachine } from '../../src/operations/archive-machine.ts'
import { controlMachine } from '../../src/operations/control-machine.ts'
import { deleteMachine } from '../../src/operations/delete-machine.ts'
import { listHosts } from '../../src/operations/list-hosts.ts'
import { restoreMachine } from '../../src/operations/restore-machine.ts'
import { type Core, day, openCore } from './core.ts'
import { ordered, shown } from './ordered.ts'

let core: Core
beforeEach(async () => {
  core = await openCore()
  await ordered(core, { days: 120 })
})
afterEach(() => core.close())

async function archived(input: object = {}) {
  await core.operations.perform(archiveMachine, await core.as('alice'), { name: 'webafs20', ...input })
  await core.settle()
}

async function restored() {
  await core.operations.perform(restoreMachine, await core.as('alice'), { name: 'webafs20' })
  await core.settle()
}

const document = () => core.store.read((tx) => tx.machines.get('webafs20'))
const inFarm = async () => core.hypervisor.machine((await document())?.ref ?? '')

describe('a machine that is put away', () => {
  test('is in the library, on no host, and keeps its end', async () => {
    const before = await shown(core)

    await archived()

    expect(await shown(core)).toMatchObject({ state: 'archived', host: null, expiresAt: before.expiresAt })
    expect(await inFarm()).toBeUndefined()
    const { items } = await core.operations.perform(listHosts, await core.as('olga'), {})
    expect(items.find(({ name }) => name === before.host)?.machines).toBe(0)
  })

  test('comes back on demand as it was, and the library is empty again', async () => {
    await archived()

    await restored()

    expect(await shown(core)).toMatchObject({ state: 'running', archive: null })
    const farm = await inFarm()
    expect(farm?.disk).toBe(`slc5 > ${farm?.ref ?? ''} > ${farm?.ref ?? ''}`)
    expect(await core.hypervisor.images(new AbortController().signal)).toEqual([])
  })

  test('comes back by itself when its time is over, and its owner is told', async () => {
    await archived({ days: 60 })

    await core.pass(59 * day)
    const before = (await shown(core)).state
    await core.pass(2 * day)

    expect(before).toBe('archived')
    expect((await shown(core)).state).toBe('running')
    expect(core.told.notices.at(-1)).toMatchObject({ user: 'alice', notice: { kind: 'machine-ready' } })
  })

  test('is tried again a day later when there was no room, and its people are told why', async () => {
    await archived({ days: 10 })
    const hosts = await core.store.read((tx) => tx.hosts.all())
    for (const { id } of hosts) core.hypervisor.setHost(id, { reachable: false })
    await core.pass(10 * day + 3_600_000)
    const waiting = await shown(core)
    for (const { id } of hosts) core.hypervisor.setHost(id, { reachable: true })
    const told = core.told.notices.filter(({ notice }) => notice.kind === 'machine-failed')

    await core.pass(2 * day)

    expect(waiting.state).toBe('archived')
    expect(told.map(({ user }) => user)).toContain('alice')
    expect((await shown(core)).state).toBe('running')
  })

  test('may have been saved before: what was in memory is shut down, not lost with the power', async () => {
    await core.operations.perform(controlMachine.save, await core.as('alice'), { name: 'webafs20' })
    await core.settle()

    await archived()

    expect((await shown(core)).state).toBe('archived')
  })

  test('is reminded of its end and deleted with its image, no earlier than others', async () => {
    await archived()

    await core.pass(119 * day)
    const reminded = core.told.notices.filter(({ notice }) => notice.kind === 'machine-expiring').length
    const kept = (await shown(core)).state
    await core.pass(10 * day)

    expect(reminded).toBeGreaterThan(0)
    expect(kept).toBe('archived')
    expect((await document())?.state).toBe('deleted')
    expect(await core.hypervisor.images(new AbortController().signal)).toEqual([])
  })

  test('can be deleted, with its image', async () => {
    await archived()

    await core.operations.perform(deleteMachine, await core.as('alice'), { name: 'webafs20' })
    await core.settle()

    expect((await document())?.state).toBe('deleted')
    expect(await core.hypervisor.images(new AbortController().signal)).toEqual([])
  })
})

describe('putting away', () => {
  test('until after its end is refused with the end', async () => {
    const archiving = archived({ days: 200 })

    await expect(archiving).rejects.toMatchObject({ code: 'bad_term' })
    await expect(archiving).rejects.toThrow('2027-03-23')
    expect((await shown(core)).state).toBe('running')
  })

  test('does nothing to a machine whose guest does not shut down', async () => {
    core.hypervisor.fault({ on: 'shutdown', times: 3, outage: { code: 'guest_ignored', transient: true } })

    await archived()
    await core.pass(300_000)

    expect(await shown(core)).toMatchObject({ state: 'running', archive: null })
    expect(core.told.notices.at(-1)?.notice.text).toContain('webafs20 was not put away')
  })

  test('what is not in the library is not brought back', async () => {
    await expect(restored()).rejects.toMatchObject({ code: 'wrong_state' })
  })
})
