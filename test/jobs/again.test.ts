import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { FaultInput } from '../../src/hypervisors/simulator-rule.ts'
import type { JobKind } from '../../src/jobs/job.ts'
import { approveRequest } from '../../src/operations/approve-request.ts'
import { deleteMachine } from '../../src/operations/delete-machine.ts'
import { openDesktop } from '../../src/operations/open-desktop.ts'
import { requestMachine } from '../../src/operations/request-machine.ts'
import { resizeMachine } from '../../src/operations/resize-machine.ts'
import { type Core, day, hour, minute, openCore } from '../operations/core.ts'

let core: Core
beforeEach(async () => {
  core = await openCore()
})
afterEach(() => core.close())

const never = { code: 'hypervisor_refused', transient: false } as const
const later = { code: 'hypervisor_unreachable', transient: true } as const

async function request(name = 'webafs20'): Promise<string> {
  const order = { template: 'slc5', days: 30, budget: 'T-1042', purpose: 'a test', name }
  const { id } = await core.operations.perform(requestMachine, await core.as('alice'), order)
  await core.operations.perform(approveRequest, await core.as('bob'), { id })
  return id
}

async function remove(name: string, user = 'alice') {
  return core.operations.perform(deleteMachine, await core.as(user), { name })
}

function machine(name = 'webafs20') {
  return core.store.read((tx) => tx.machines.get(name))
}

function desktops(pool: string) {
  return core.store.read((tx) => tx.desktops.find('pool', pool))
}

async function inFarm(): Promise<string[]> {
  const { machines } = await core.hypervisor.inventory(new AbortController().signal)
  return machines.map(({ ref }) => ref)
}

function unfinished() {
  return core.store.read(async (tx) =>
    (await tx.jobs.all()).filter(({ state }) => state === 'queued' || state === 'running'),
  )
}

/** The last job of a kind comes again, as when it was killed between its last deed and saying so. */
async function comesAgain(kind: JobKind, subject: string, fault: Omit<FaultInput, 'outage'>): Promise<void> {
  core.hypervisor.fault({ ...fault, outage: never })
  await core.store.transact(async (tx) => {
    const job = (await tx.jobs.all()).findLast((each) => each.kind === kind && each.subject === subject)
    if (job === undefined) throw new Error(`no ${kind} about ${subject}`)
    await tx.jobs.put({ ...job, state: 'queued', dueAt: core.clock.now(), endedAt: null })
  })
  await core.settle()
}

describe('a job that has done its part and could not say so', () => {
  test('does not undo a desktop that waits for somebody', async () => {
    const [spare] = await desktops('public')

    await comesAgain('make-desktop', `machine:${spare?.id ?? ''}`, { on: 'status' })

    expect((await desktops('public')).map(({ state }) => state)).toEqual(['spare', 'spare'])
    expect(await machine(spare?.id)).toMatchObject({ state: 'running' })
    expect(await unfinished()).toEqual([])
  })

  test('does not take a desktop from somebody who has it by now', async () => {
    const carol = await core.as('carol')
    const { lease, desktop } = await core.operations.perform(openDesktop, carol, { pool: 'public' })
    await core.pass(hour)
    await core.operations.perform(openDesktop, carol, { pool: 'public' })
    await core.operations.perform(openDesktop, await core.as('bob'), { pool: 'public' })
    await core.operations.perform(openDesktop, await core.as('olga'), { pool: 'public' })

    await comesAgain('reset-desktop', `machine:${desktop ?? ''}`, { on: 'status' })

    const known = (await desktops('public')).find(({ id }) => id === desktop)
    expect(known).toMatchObject({ state: 'leased' })
    expect(known?.lease).not.toBe(lease)
    expect((await core.store.read((tx) => tx.leases.get(known?.lease ?? '')))?.state).toBe('offered')
  })

  test('does not take a size back that the machine has', async () => {
    await request()
    await core.settle()
    const bigger = { name: 'webafs20', cpus: 2 }
    await core.operations.perform(resizeMachine, await core.as('alice'), bigger)
    await core.settle()

    await comesAgain('resize-machine', 'machine:webafs20', { on: 'status' })

    const known = await machine()
    expect(known?.cpus).toBe(2)
    expect(core.hypervisor.machine(known?.ref ?? '')?.cpus).toBe(2)
  })
})

describe('a machine that is deleted while it is made', () => {
  test('is not made again once it is gone, and its request is over', async () => {
    const id = await request()
    core.hypervisor.fault({ on: 'provision', stage: 'copying the disk', outage: later, times: 3 })
    await core.settle()
    await remove('webafs20')

    await core.pass(hour)

    const known = await machine()
    expect(known).toMatchObject({ state: 'deleted' })
    expect(await inFarm()).not.toContain(known?.ref)
    expect(await unfinished()).toEqual([])
    expect(await core.store.read((tx) => tx.requests.get(id))).toMatchObject({ state: 'fulfilled' })
    expect(core.told.notices.map(({ notice }) => notice.kind)).not.toContain('machine-ready')
  })
})

describe('a deletion that comes to nothing', () => {
  test('leaves a machine that still ends when it should', async () => {
    await request()
    await core.settle()
    core.hypervisor.fault({ on: 'remove', outage: never })
    await remove('webafs20')
    await core.settle()

    await core.pass(day)
    expect(await machine()).toMatchObject({ state: 'running' })
    await core.pass(60 * day)

    expect(await machine()).toMatchObject({ state: 'deleted' })
  })

  test('is put into the books all the same once its host has the machine no more', async () => {
    await request()
    await core.settle()
    core.hypervisor.fault({ on: 'remove', outage: later, late: true, times: 8 })
    await remove('webafs20')
    await core.pass(30 * minute)
    expect(await machine()).toMatchObject({ state: 'unreachable' })

    await core.pass(2 * day)

    expect(await machine()).toMatchObject({ state: 'deleted' })
  })

  test('keeps the name of a machine until what is left of it is gone', async () => {
    core.hypervisor.fault({ on: 'provision', stage: 'booting', outage: never })
    core.hypervisor.fault({ on: 'remove', outage: later, times: 3 })
    await request()
    await core.settle()
    expect(await machine()).toMatchObject({ state: 'failed' })

    await expect(request()).rejects.toMatchObject({ code: 'name_taken' })
    await core.pass(hour)
    await request()
    await core.settle()

    const known = await machine()
    expect(known).toMatchObject({ state: 'running' })
    expect(await inFarm()).toContain(known?.ref)
  })

  test('leaves what a pool has given up to operators', async () => {
    core.hypervisor.fault({ on: 'provision', stage: 'booting', outage: never })
    core.hypervisor.fault({ on: 'remove', outage: never })
    await core.operations.perform(openDesktop, await core.as('carol'), { pool: 'public' })
    await core.settle()
    const failed = await core.store.read((tx) => tx.machines.find('state', 'failed'))
    const names = failed.map(({ id }) => id)

    for (const name of names) await remove(name, 'olga')
    await core.settle()

    expect(names).toHaveLength(1)
    expect(await inFarm()).not.toContain(failed[0]?.ref)
  })
})
