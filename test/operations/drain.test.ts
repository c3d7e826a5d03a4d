import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { drainHost } from '../../src/operations/drain-host.ts'
import { listHosts } from '../../src/operations/list-hosts.ts'
import { returnHost } from '../../src/operations/return-host.ts'
import { type Core, minute, openCore } from './core.ts'
import { ordered, shown } from './ordered.ts'

let core: Core
let host: string
beforeEach(async () => {
  core = await openCore()
  await ordered(core)
  host = (await shown(core)).host ?? ''
})
afterEach(() => core.close())

async function drained(name = host) {
  const answer = await core.operations.perform(drainHost, await core.as('olga'), { name })
  await core.pass(10 * minute)
  return answer
}

async function returned(input: { bringBack?: boolean } = {}) {
  const answer = await core.operations.perform(returnHost, await core.as('olga'), { name: host, ...input })
  await core.settle()
  return answer
}

async function listed(name = host) {
  const { items } = await core.operations.perform(listHosts, await core.as('olga'), {})
  return items.find((item) => item.name === name)
}

async function fillOthers(): Promise<void> {
  const hosts = await core.store.read((tx) => tx.hosts.all())
  for (const { id } of hosts) if (id !== host) core.hypervisor.setHost(id, { reachable: false })
  await core.pass(25 * 60 * minute)
}

describe('a host that is emptied', () => {
  test('sends its machines elsewhere while they run, and owner and operator are told', async () => {
    const { machines } = await drained()

    expect(machines).toEqual(['webafs20'])
    const moved = await shown(core)
    expect(moved.state).toBe('running')
    expect(moved.host).not.toBe(host)
    expect(await listed()).toMatchObject({ state: 'draining', machines: 0 })
    const told = core.told.notices.map(({ user, notice }) => `${user}: ${notice.text ?? ''}`)
    expect(told).toContainEqual(expect.stringMatching(/^alice: webafs20 is moved off/))
    expect(told.at(-1)).toBe(`olga: ${host} can be maintained now. 1 machine moved to other hosts.`)
  })

  test('takes nothing new until it is returned', async () => {
    await drained()
    await ordered(core, { name: 'webafs21' })
    const during = (await shown(core, 'webafs21')).host

    await returned()

    expect(during).not.toBe(host)
    expect((await listed())?.state).toBe('up')
  })

  test('stays so although it is seen again and again', async () => {
    await drained()

    await core.pass(3 * 24 * 60 * minute)

    expect((await listed())?.state).toBe('draining')
  })

  test('has saved what could not be moved, says why, and lets it go on afterwards', async () => {
    await fillOthers()

    await drained()
    const during = await shown(core)
    const answer = await returned()

    expect(during).toMatchObject({ state: 'saved', host })
    const last = core.told.notices.findLast(({ notice }) => notice.kind === 'host-drained')
    expect(last?.notice.text).toContain('At rest on it: webafs20.')
    expect(last?.notice.text).toContain('is down')
    expect(answer.coming).toEqual(['webafs20'])
    expect((await shown(core)).state).toBe('running')
  })

  test('is not free while a machine neither leaves nor can be saved, and that is said', async () => {
    await fillOthers()
    core.hypervisor.fault({ on: 'save', times: 9, outage: { code: 'hypervisor_refused', transient: false } })

    await drained()

    const last = core.told.notices.findLast(({ notice }) => notice.kind === 'host-drained')
    expect(last?.notice.text).toContain(`${host} is not free: webafs20 still there.`)
    expect((await shown(core)).state).toBe('running')
  })

  test('gets back what was moved where that is asked', async () => {
    await drained()

    const { coming } = await returned({ bringBack: true })

    expect(coming).toEqual(['webafs20'])
    expect(await shown(core)).toMatchObject({ state: 'running', host })
  })

  test('does not get back what it has no room for any more', async () => {
    await drained()
    await core.store.transact(async (tx) => {
      const known = await tx.hosts.get(host)
      if (known !== undefined) await tx.hosts.put({ ...known, slots: 0 })
    })

    const { coming, staying } = await returned({ bringBack: true })

    expect(coming).toEqual([])
    expect(staying).toEqual([{ machine: 'webafs20', why: `${host} cannot take it: no free guest slot.` }])
  })

  test('is emptied by operators only, once, and returned only then', async () => {
    const alice = await core.as('alice')
    await expect(core.operations.perform(drainHost, alice, { name: host })).rejects.toMatchObject({
      code: 'forbidden',
    })
    await expect(returned()).rejects.toMatchObject({ code: 'wrong_state' })

    await drained()

    await expect(drained()).rejects.toMatchObject({ code: 'wrong_state' })
    await expect(drained('no-such-host')).rejects.toMatchObject({ code: 'not_found' })
  })
})
