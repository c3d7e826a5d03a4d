import { readFile } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { approveRequest } from '../../src/operations/approve-request.ts'
import { claimMachine } from '../../src/operations/claim-machine.ts'
import { controlMachine } from '../../src/operations/control-machine.ts'
import { deleteMachine } from '../../src/operations/delete-machine.ts'
import { extendMachine } from '../../src/operations/extend-machine.ts'
import { importMachines } from '../../src/operations/import-machines.ts'
import { letGoMachine } from '../../src/operations/let-go-machine.ts'
import { listMachines } from '../../src/operations/list-machines.ts'
import { requestMachine } from '../../src/operations/request-machine.ts'
import { resizeMachine } from '../../src/operations/resize-machine.ts'
import { showBudget } from '../../src/operations/show-budget.ts'
import { showMachine } from '../../src/operations/show-machine.ts'
import { type Core, day, openCore } from './core.ts'

let core: Core
beforeEach(async () => {
  core = await openCore()
})
afterEach(() => core.close())

/** Alice's webafs20, running. */
async function aRunningMachine(input: object = {}): Promise<void> {
  const order = {
    template: 'slc5',
    days: 30,
    budget: 'T-1042',
    purpose: 'AFS web server',
    name: 'webafs20',
    ...input,
  }
  const request = await core.operations.perform(requestMachine, await core.as('alice'), order)
  await core.operations.perform(approveRequest, await core.as('bob'), { id: request.id })
  await core.settle()
}

async function show(name = 'webafs20', user = 'alice') {
  return core.operations.perform(showMachine, await core.as(user), { name })
}

async function budget(code = 'T-1042') {
  return core.operations.perform(showBudget, await core.as('bob'), { code })
}

describe('steering a machine', () => {
  test.each([
    [['save'], 'saved'],
    [['save', 'resume'], 'running'],
    [['shutdown'], 'stopped'],
    [['shutdown', 'start'], 'running'],
    [['power-off'], 'stopped'],
    [['reset'], 'running'],
  ] as const)('%j leaves it %s', async (verbs, state) => {
    await aRunningMachine()
    const alice = await core.as('alice')

    for (const verb of verbs) {
      await core.operations.perform(controlMachine[verb], alice, { name: 'webafs20' })
      await core.settle()
    }

    expect((await show()).state).toBe(state)
  })

  test('a stranger learns no more than that there is none for them', async () => {
    await aRunningMachine()
    const carol = await core.as('carol')

    await expect(show('webafs20', 'carol')).rejects.toMatchObject({ code: 'not_found' })
    await expect(core.operations.perform(deleteMachine, carol, { name: 'webafs20' })).rejects.toMatchObject({
      code: 'not_found',
    })
  })

  test('the holder of its budget sees it and may not steer it', async () => {
    await aRunningMachine()

    expect((await show('webafs20', 'bob')).verbs).toEqual([])
    await expect(
      core.operations.perform(controlMachine.save, await core.as('bob'), { name: 'webafs20' }),
    ).rejects.toMatchObject({ code: 'forbidden' })
  })

  test('members of its administrators group may steer it', async () => {
    await aRunningMachine({ administrators: ['office'] })

    await core.operations.perform(controlMachine.save, await core.as('carol'), { name: 'webafs20' })
    await core.settle()

    expect((await show('webafs20', 'carol')).state).toBe('saved')
  })

  test('a verb that goes wrong for good leaves the machine as it was and tells who pressed', async () => {
    await aRunningMachine()
    core.hypervisor.fault({ on: 'save', times: 1, outage: { code: 'hypervisor_refused', transient: false } })

    await core.operations.perform(controlMachine.save, await core.as('alice'), { name: 'webafs20' })
    await core.settle()

    expect((await show()).state).toBe('running')
    expect(core.told.notices.at(-1)).toMatchObject({ user: 'alice', notice: { kind: 'machine-failed' } })
  })

  test('a deleted machine gives its money back but for the days that it was there', async () => {
    await aRunningMachine({ days: 60, cpus: 2, memoryGb: 4 })
    await core.pass(40 * day)

    await core.operations.perform(deleteMachine, await core.as('alice'), { name: 'webafs20' })
    await core.settle()

    expect((await show()).state).toBe('deleted')
    expect(await budget()).toMatchObject({ held: '0.00', spent: '37.00', left: '1963.00' })
  })
})

describe('another size', () => {
  test('what costs nothing more is done at once', async () => {
    await aRunningMachine()

    const answer = await core.operations.perform(resizeMachine, await core.as('alice'), {
      name: 'webafs20',
      cpus: 2,
    })
    await core.settle()

    expect(answer).toHaveProperty('job')
    expect((await show()).cpus).toBe(2)
  })

  test('what costs more becomes a request, and its approval resizes the machine and holds the difference', async () => {
    await aRunningMachine({ days: 60 })
    const before = await budget()

    const answer = await core.operations.perform(resizeMachine, await core.as('alice'), {
      name: 'webafs20',
      cpus: 2,
      memoryGb: 4,
    })
    if (!('request' in answer)) throw new Error('no request was made')
    await core.operations.perform(approveRequest, await core.as('bob'), { id: answer.request })
    await core.settle()

    expect(before.held).toBe('27.84')
    expect(await budget()).toMatchObject({ held: '107.30' })
    expect(await show()).toMatchObject({ cpus: 2, memoryGb: 4, state: 'running' })
  })

  test('a resize that goes wrong gives size and money back', async () => {
    await aRunningMachine({ days: 60 })
    core.hypervisor.fault({
      on: 'resize',
      times: 1,
      outage: { code: 'hypervisor_refused', transient: false },
    })

    const answer = await core.operations.perform(resizeMachine, await core.as('alice'), {
      name: 'webafs20',
      cpus: 2,
    })
    if (!('request' in answer)) throw new Error('no request was made')
    await core.operations.perform(approveRequest, await core.as('bob'), { id: answer.request })
    await core.settle()

    expect((await show()).cpus).toBe(1)
    expect(await budget()).toMatchObject({ held: '27.84' })
  })
})

describe('the end of a machine', () => {
  test('its owner is reminded in good time, it is saved at its end and deleted after its grace', async () => {
    await aRunningMachine()

    await core.pass(31 * day)
    const saved = await show()
    await core.pass(7 * day)

    const kinds = core.told.notices.filter(({ user }) => user === 'alice').map(({ notice }) => notice.kind)
    expect(saved.state).toBe('expired')
    expect((await show()).state).toBe('deleted')
    expect(kinds).toEqual([
      'request-decided',
      'machine-ready',
      'machine-expiring',
      'machine-expiring',
      'machine-expiring',
      'machine-expiring',
      'machine-expired',
      'machine-deleted',
    ])
  })

  test('its owner is told once, however often it has to be tried to put it to rest', async () => {
    await aRunningMachine()
    const refusal = { code: 'hypervisor_refused', transient: false } as const
    core.hypervisor.fault({ on: 'save', times: 10, outage: refusal })

    await core.pass(31 * day)

    const told = core.told.notices.filter(({ notice }) => notice.kind === 'machine-expired')
    expect(told.map(({ user }) => user)).toEqual(['alice'])
    expect((await show()).state).toBe('expired')
  })

  test('a machine whose owner could not be told is kept', async () => {
    await aRunningMachine()
    core.told.unreachable.add('alice')

    await core.pass(60 * day)

    expect((await show()).state).toBe('expired')
  })

  test('extensions are priced from the old end, and the third needs an approval', async () => {
    await aRunningMachine()
    const alice = await core.as('alice')

    const first = await core.operations.perform(extendMachine, alice, { name: 'webafs20', days: 2 })
    const second = await core.operations.perform(extendMachine, alice, { name: 'webafs20', days: 2 })
    const third = await core.operations.perform(extendMachine, alice, { name: 'webafs20', days: 2 })

    expect([first.quote.total, second.quote.total]).toEqual(['0.96', '1.92'])
    expect(third).toHaveProperty('request')
    expect(await budget()).toMatchObject({ held: '2.88' })
  })

  test('an expired machine comes back when it is extended', async () => {
    await aRunningMachine()
    await core.pass(32 * day)
    const alice = await core.as('alice')

    await core.operations.perform(extendMachine, alice, { name: 'webafs20', days: 30 })
    await core.operations.perform(controlMachine.resume, alice, { name: 'webafs20' })
    await core.settle()
    await core.pass(10 * day)

    expect((await show()).state).toBe('running')
  })

  test('let it go: no more reminders, yet it is told before it is deleted', async () => {
    await aRunningMachine()
    await core.pass(17 * day)

    await core.operations.perform(letGoMachine, await core.as('alice'), { name: 'webafs20' })
    await core.pass(40 * day)

    const kinds = core.told.notices.filter(({ user }) => user === 'alice').map(({ notice }) => notice.kind)
    expect(kinds.filter((kind) => kind === 'machine-expiring')).toHaveLength(1)
    expect((await show()).state).toBe('deleted')
  })
})

describe('taking over what exists', () => {
  const csv = () => readFile(new URL('../fixtures/cvi-machines.csv', import.meta.url), 'utf8')

  test('the list of the old portal goes in once, with its totals', async () => {
    const olga = await core.as('olga')

    const dry = await core.operations.perform(importMachines, olga, { csv: await csv(), dryRun: 'true' })
    const first = await core.operations.perform(importMachines, olga, { csv: await csv() })
    const second = await core.operations.perform(importMachines, olga, { csv: await csv() })

    const totals = {
      orphans: 2,
      neverEnding: 4,
      unreachable: 2,
      cpus: 20,
      memoryGb: 23,
      perDay: '23.715',
      refused: [],
    }
    expect(dry).toMatchObject({ imported: 14, dryRun: true, ...totals })
    expect(first).toMatchObject({ imported: 14, unchanged: 0, ...totals })
    expect(second).toMatchObject({ imported: 0, unchanged: 14, ...totals })
  })

  test('only operators take machines over', async () => {
    await expect(
      core.operations.perform(importMachines, await core.as('alice'), { csv: await csv() }),
    ).rejects.toMatchObject({ code: 'forbidden' })
  })

  test('a machine whose end has passed is kept; whoever is there to be told is told, and the grace runs from then', async () => {
    await core.operations.perform(importMachines, await core.as('olga'), { csv: await csv() })

    await core.pass(6 * day)
    const kept = await core.operations.perform(listMachines, await core.as('olga'), { limit: 50 })
    await core.pass(2 * day)
    const later = await core.operations.perform(listMachines, await core.as('olga'), { limit: 50 })

    const told = core.told.notices.filter(({ notice }) => notice.kind === 'machine-expiring')
    expect(kept.items).toHaveLength(14)
    expect(new Set(told.map(({ user }) => user))).toEqual(new Set(['olga']))
    expect(told.map(({ notice }) => notice.about.id)).toContain('bltest')
    expect(later.items.map(({ name }) => name)).toEqual([
      'ablinuxintroscope',
      'adkvl01',
      'adkvl02',
      'becodev01',
    ])
  })

  test('an orphan is claimed by an operator for somebody, and leaves the queue', async () => {
    const olga = await core.as('olga')
    await core.operations.perform(importMachines, olga, { csv: await csv() })
    const queue = await core.operations.perform(listMachines, olga, { orphan: 'true' })

    const alice = await core.as('alice')
    await expect(
      core.operations.perform(claimMachine, alice, { name: 'becodev01', budget: 'T-1042' }),
    ).rejects.toMatchObject({ code: 'not_found' })
    const claimed = await core.operations.perform(claimMachine, olga, {
      name: 'becodev01',
      owner: 'alice',
      budget: 'T-1042',
    })
    const left = await core.operations.perform(listMachines, olga, { orphan: 'true' })

    expect(queue.items.map(({ name }) => name)).toEqual(['ablinuxintroscope', 'becodev01'])
    expect(claimed).toMatchObject({ owner: 'alice', budget: 'T-1042' })
    expect(left.items.map(({ name }) => name)).toEqual(['ablinuxintroscope'])
  })
})
