import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { claimMachine } from '../../src/operations/claim-machine.ts'
import { drainHost } from '../../src/operations/drain-host.ts'
import { listHosts } from '../../src/operations/list-hosts.ts'
import { listMachines } from '../../src/operations/list-machines.ts'
import { removeLeftover } from '../../src/operations/remove-leftover.ts'
import { type Core, leisurely, minute, openCore } from './core.ts'
import { ordered, shown } from './ordered.ts'

let core: Core
beforeEach(async () => {
  core = await openCore({ pace: { ...leisurely, observeMillis: 15_000 } })
  await ordered(core)
})
afterEach(() => core.close())

const kept = (name = 'webafs20') => core.store.read((tx) => tx.machines.get(name))

async function refOf(name = 'webafs20'): Promise<string> {
  return (await kept(name))?.ref ?? ''
}

async function orphans() {
  const { items } = await core.operations.perform(listMachines, await core.as('olga'), { orphan: 'true' })
  return items
}

function toldTo(user: string): string[] {
  return core.told.notices.filter((one) => one.user === user).map(({ notice }) => notice.text ?? '')
}

describe('a host that does not answer', () => {
  test('shows its machines as unreachable, and as they were once it answers again', async () => {
    const { host } = await shown(core)
    core.hypervisor.setHost(host ?? '', { reachable: false })
    await core.pass(minute)
    const during = await shown(core)

    core.hypervisor.setHost(host ?? '', { reachable: true })
    await core.pass(minute)

    expect(during).toMatchObject({ state: 'unreachable', host })
    expect((await kept())?.history.at(-2)).toMatchObject({ reason: 'its host does not answer' })
    expect(await shown(core)).toMatchObject({ state: 'running', host })
    expect(toldTo('olga')).toEqual([
      expect.stringContaining(`${host ?? ''} does not answer.`),
      `${host ?? ''} answers again.`,
    ])
  })

  test('is no alarm while it is kept free for maintenance', async () => {
    await core.operations.perform(drainHost, await core.as('olga'), { name: 'cernwod02' })
    core.hypervisor.setHost('cernwod02', { reachable: false })

    await core.pass(minute)

    const host = await core.store.read((tx) => tx.hosts.get('cernwod02'))
    expect(host?.state).toBe('down')
    expect(toldTo('olga')).toEqual(['cernwod02 can be maintained now.'])
  })

  test('may have lost what ran on it, and its owner is told when it comes back', async () => {
    const { host } = await shown(core)
    core.hypervisor.setHost(host ?? '', { reachable: false })
    await core.pass(minute)
    await core.hypervisor.stopBehindOurBack(await refOf())

    core.hypervisor.setHost(host ?? '', { reachable: true })
    await core.pass(minute)

    expect((await shown(core)).state).toBe('stopped')
    expect(toldTo('alice').at(-1)).toContain('webafs20 was running and is stopped.')
  })
})

describe('a hypervisor that does not answer', () => {
  const silence = { on: 'inventory', outage: { code: 'hypervisor_unreachable', transient: true } } as const

  test('for a moment takes nothing new, and its machines stay as they are', async () => {
    core.hypervisor.fault({ ...silence, times: 2 })

    await core.pass(20_000)
    const during = await core.store.read((tx) => tx.hosts.all())
    await core.pass(minute)

    expect(during.map(({ state }) => state)).toEqual(['down', 'down', 'down', 'down'])
    expect((await kept())?.history.map(({ state }) => state)).toEqual(['provisioning', 'running'])
    expect(toldTo('olga')).toEqual([
      expect.stringContaining('cernwod01, cernwod02, cernwod03 and cernwod04 do not answer.'),
      'cernwod01, cernwod02, cernwod03 and cernwod04 answer again.',
    ])
  })

  test('for minutes leaves nothing known of its machines, which are never taken for deleted', async () => {
    core.hypervisor.fault({ ...silence, times: 40 })

    await core.pass(5 * minute)
    const during = await shown(core)
    await core.pass(10 * minute)

    expect(during.state).toBe('unreachable')
    expect((await kept())?.history.at(-2)?.reason).toBe('wod does not answer')
    expect((await shown(core)).state).toBe('running')
  })
})

describe('a host that is no longer in the file', () => {
  const other = { id: 'cernold01', hypervisor: 'wod', version: '', cpus: 8, memoryGb: 64, slots: 40 }
  const facts = { group: 'central', overcommit: { cpus: 4, memory: 1 }, seenAt: '2026-11-23T08:00:00.000Z' }
  const old = { ...other, ...facts, state: 'up' as const }

  test('is forgotten, so that nothing is placed there', async () => {
    await core.store.transact((tx) => tx.hosts.put(old))

    await core.pass(minute)

    expect(await core.store.read((tx) => tx.hosts.get('cernold01'))).toBeUndefined()
  })

  test('is shown as down for as long as there is a machine on it', async () => {
    const machine = await kept()
    await core.store.transact(async (tx) => {
      await tx.hosts.put(old)
      if (machine !== undefined) {
        await tx.machines.put({ ...machine, id: 'left', ref: 'vm-left', host: 'cernold01' })
      }
    })

    await core.pass(minute)

    expect(await core.store.read((tx) => tx.hosts.get('cernold01'))).toMatchObject({ state: 'down' })
    expect((await kept('left'))?.state).toBe('unreachable')
  })
})

describe('a machine that was changed behind our back', () => {
  test('is shown as it is, its owner is told once, and nothing is undone', async () => {
    await core.hypervisor.stopBehindOurBack(await refOf())

    await core.pass(5 * minute)

    expect((await shown(core)).state).toBe('stopped')
    expect(core.hypervisor.machine(await refOf())?.power).toBe('stopped')
    const told = toldTo('alice').filter((text) => text.includes('Nobody asked Jackdaw'))
    expect(told).toEqual([
      'webafs20 was running and is stopped. Nobody asked Jackdaw for that, and it is left as it is.',
    ])
  })

  test('is found on the host that it was moved to', async () => {
    const from = (await shown(core)).host ?? ''
    const to = from === 'cernwod01' ? 'cernwod02' : 'cernwod01'
    await core.hypervisor.changeBehindOurBack(await refOf(), { host: to })

    await core.pass(minute)

    expect(await shown(core)).toMatchObject({ state: 'running', host: to })
    expect((await kept())?.history.at(-1)?.reason).toBe(`moved from ${from} to ${to}, seen there`)
    expect(toldTo('alice').at(-1)).toContain(`was moved from ${from} to ${to}.`)
  })

  test('keeps the size that was agreed on, and the other is told', async () => {
    await core.hypervisor.changeBehindOurBack(await refOf(), { cpus: 4, memoryGb: 2 })

    await core.pass(5 * minute)

    expect(await shown(core)).toMatchObject({ cpus: 1, memoryGb: 1 })
    expect(await kept()).toMatchObject({ sizeSeen: { cpus: 4, memoryGb: 2 } })
    expect((await kept())?.history.map(({ reason }) => reason)).toEqual([
      undefined,
      undefined,
      'has 4 CPUs and 2 GB at its host',
    ])
    expect(toldTo('alice').filter((text) => text.includes('was resized to 4 CPUs and 2 GB'))).toHaveLength(1)
  })

  test('is kept in the books when it is gone, and owner and operators are told', async () => {
    await core.hypervisor.vanish(await refOf())

    await core.pass(5 * minute)

    expect((await shown(core)).state).toBe('unreachable')
    for (const user of ['alice', 'olga']) {
      expect(toldTo(user).filter((text) => text.includes('nobody here has deleted it'))).toHaveLength(1)
    }
  })
})

describe('a machine that nobody made from here', () => {
  test('waits to be claimed, with its host and the state in the words of its provider', async () => {
    await core.hypervisor.appear({ ref: 'uuid-1', name: 'Legacy Print.cern.ch', host: 'cernwod03' })

    await core.pass(minute)

    expect(await orphans()).toMatchObject([
      {
        ...{ name: 'legacy-print-cern-ch', owner: null, budget: null, expiresAt: null, state: 'running' },
        ...{ host: 'cernwod03', providerState: 'Running' },
        description: 'Found on cernwod03, where it is called Legacy Print.cern.ch',
      },
    ])
  })

  test.each([
    ['webafs20', 'webafs20-2'],
    ['***', 'found'],
    ['x'.repeat(80), 'x'.repeat(58)],
    ['naïve\u0007', 'na-ve'],
  ])('and is called %j gets a name that is legal and free: %s', async (called, name) => {
    await core.hypervisor.appear({ ref: 'uuid-1', name: called, host: 'cernwod03' })

    await core.pass(minute)

    expect((await orphans()).map((machine) => machine.name)).toEqual([name])
  })

  test('takes up room, is taken up once, and can be claimed', async () => {
    await core.hypervisor.appear({ ref: 'uuid-1', name: 'legacy', host: 'cernwod03' })
    await core.pass(5 * minute)

    const found = await orphans()
    await core.operations.perform(claimMachine, await core.as('olga'), {
      ...{ name: 'legacy', owner: 'alice', budget: 'T-1042' },
    })

    expect(found).toHaveLength(1)
    expect(await orphans()).toEqual([])
    expect(await shown(core, 'legacy')).toMatchObject({ owner: 'alice', budget: 'T-1042', state: 'running' })
  })

  test('is forgotten when it is gone again and nobody claimed it', async () => {
    await core.hypervisor.appear({ ref: 'uuid-1', name: 'legacy', host: 'cernwod03' })
    await core.pass(minute)

    await core.hypervisor.vanish('uuid-1')
    await core.pass(minute)

    expect(await orphans()).toEqual([])
    expect(await kept('legacy')).toMatchObject({ state: 'deleted', host: null })
  })
})

describe('what a hypervisor still has of a machine that was deleted here', () => {
  const leftovers = async (user: string) => {
    const { items } = await core.operations.perform(listHosts, await core.as(user), {})
    return items.flatMap((host) => host.leftovers)
  }

  test('is shown to operators, can be removed by them, and is no orphan', async () => {
    const machine = await kept()
    if (machine === undefined) throw new Error('it was ordered')
    const host = machine.host ?? ''
    const gone = { ...machine, state: 'deleted' as const, host: null, attentionAt: null }
    await core.store.transact((tx) => tx.machines.put(gone))

    await core.pass(minute)
    const before = [await leftovers('olga'), await leftovers('alice')]
    await core.operations.perform(removeLeftover, await core.as('olga'), { name: host, ref: machine.ref })
    await core.pass(minute)

    expect(before).toEqual([[{ ref: machine.ref, name: 'webafs20', providerState: 'Running' }], []])
    expect(await orphans()).toEqual([])
    expect(core.hypervisor.machine(machine.ref)).toBeUndefined()
    expect(await leftovers('olga')).toEqual([])
    const alice = await core.as('alice')
    await expect(
      core.operations.perform(removeLeftover, alice, { name: host, ref: machine.ref }),
    ).rejects.toMatchObject({ code: 'forbidden' })
  })
})
