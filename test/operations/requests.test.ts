import { messageOf } from '../../src/base/errors.ts'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { approveRequest } from '../../src/operations/approve-request.ts'
import { denyRequest } from '../../src/operations/deny-request.ts'
import { requestMachine } from '../../src/operations/request-machine.ts'
import { showBudget } from '../../src/operations/show-budget.ts'
import { showMachine } from '../../src/operations/show-machine.ts'
import { showRequest } from '../../src/operations/show-request.ts'
import { type Core, day, hour, openCore } from './core.ts'

let core: Core
beforeEach(async () => {
  core = await openCore()
})
afterEach(() => core.close())

async function ask(input: object = {}, user = 'alice') {
  return core.operations.perform(requestMachine, await core.as(user), {
    template: 'slc5',
    days: 60,
    budget: 'T-1042',
    purpose: 'AFS web server',
    ...input,
  })
}

async function approve(id: string, user = 'bob') {
  return core.operations.perform(approveRequest, await core.as(user), { id })
}

describe('from a request to a machine that runs', () => {
  test('an approved request makes the machine, holds the money and tells the requester', async () => {
    const request = await ask({ name: 'webafs20', cpus: 2, memoryGb: 4 })

    await approve(request.id)
    await core.settle()

    const machine = await core.operations.perform(showMachine, await core.as('alice'), { name: 'webafs20' })
    const budget = await core.operations.perform(showBudget, await core.as('bob'), { code: 'T-1042' })
    expect(request).toMatchObject({
      state: 'pending',
      quote: { total: '107.30' },
      approvers: [{ user: 'bob', why: 'holder of T-1042' }],
    })
    expect(machine).toMatchObject({ state: 'running', owner: 'alice', budget: 'T-1042' })
    expect(budget).toMatchObject({ held: '107.30', spent: '0.00', left: '1892.70' })
    expect(core.told.notices.map(({ user, notice }) => [user, notice.kind])).toEqual([
      ['bob', 'approval-wanted'],
      ['alice', 'request-decided'],
      ['alice', 'machine-ready'],
    ])
  })

  test('two approvals at once give one machine', async () => {
    const request = await ask({ name: 'webafs20' })

    const outcomes = await Promise.allSettled([approve(request.id), approve(request.id)])
    await core.settle()

    const reasons = outcomes.flatMap((outcome) =>
      outcome.status === 'rejected' ? [messageOf(outcome.reason)] : [],
    )
    expect(reasons).toEqual([expect.stringContaining('was approved by bob')])
    expect(await core.store.read((tx) => tx.machines.count('owner', 'alice'))).toBe(1)
  })

  test('nobody approves their own request, and a stranger is told whose it is', async () => {
    const request = await ask()

    await expect(approve(request.id, 'alice')).rejects.toMatchObject({ code: 'own_request' })
    await expect(approve(request.id, 'carol')).rejects.toMatchObject({ code: 'not_an_approver' })
  })

  test('a holder who asks is not an approver, and where no other is left the fallback decides', async () => {
    const shared = await ask({ budget: 'T-2000', days: 200, cpus: 2 }, 'carol')
    const alone = await ask({ budget: 'T-1042', days: 40 }, 'bob')

    expect(shared.approvers).toEqual([{ user: 'bob', why: 'holder of T-2000' }])
    expect(alone.approvers).toEqual([
      { user: 'olga', why: 'fallback, as T-1042 has no other holder than the requester' },
    ])
  })

  test('what costs less than the budget asks about is approved at once', async () => {
    const request = await ask({ budget: 'T-2000', days: 14, name: 'quick' })
    await core.settle()

    const later = await core.operations.perform(showRequest, await core.as('alice'), { id: request.id })
    expect(request).toMatchObject({ state: 'approved', decisions: [{ by: 'policy', verdict: 'approved' }] })
    expect(later.state).toBe('fulfilled')
  })

  test('twenty machines come all together or not at all', async () => {
    const request = await ask({ count: 20, days: 30 })
    await approve(request.id)
    await core.settle()

    await expect(ask({ count: 50, days: 30 })).rejects.toMatchObject({ code: 'no_capacity' })
    expect(await core.store.read((tx) => tx.machines.count('owner', 'alice'))).toBe(20)
  })

  test('a refusal for want of room names each host with its reason', async () => {
    const error: unknown = await ask({ cpus: 4, memoryGb: 32, count: 50, days: 30 }).catch((e: unknown) => e)

    expect(error).toMatchObject({ code: 'no_capacity' })
    expect(error).toHaveProperty('extras.hosts')
    expect(String(error)).toContain('cernwod01: ')
  })

  test('a stage that fails for a while is tried again, and the machine comes', async () => {
    core.hypervisor.fault({
      on: 'provision',
      times: 2,
      outage: { code: 'host_unreachable', transient: true },
    })
    const request = await ask({ name: 'webafs20' })

    await approve(request.id)
    await core.settle()
    await core.pass(5 * 60_000)

    const machine = await core.operations.perform(showMachine, await core.as('alice'), { name: 'webafs20' })
    expect(machine.state).toBe('running')
  })

  test('a stage that fails for good fails the request: money and room come back, and the requester is told why', async () => {
    core.hypervisor.fault({
      on: 'provision',
      times: 1,
      outage: { code: 'hypervisor_refused', transient: false },
    })
    const request = await ask({ name: 'webafs20' })

    await approve(request.id)
    await core.settle()

    const later = await core.operations.perform(showRequest, await core.as('alice'), { id: request.id })
    const budget = await core.operations.perform(showBudget, await core.as('bob'), { code: 'T-1042' })
    const onHosts = await core.store.read(async (tx) =>
      Promise.all((await tx.hosts.all()).map((host) => tx.machines.count('host', host.id))),
    )
    expect(later.state).toBe('failed')
    expect(budget).toMatchObject({ held: '0.00', left: '2000.00' })
    expect(onHosts).toEqual([0, 0, 0, 3])
    expect(core.told.notices.at(-1)).toMatchObject({ user: 'alice', notice: { kind: 'request-failed' } })
  })

  test('a denial needs a reason, which the requester is told', async () => {
    const request = await ask()
    const bob = await core.as('bob')

    await expect(core.operations.perform(denyRequest, bob, { id: request.id })).rejects.toMatchObject({
      code: 'reason_required',
    })
    const denied = await core.operations.perform(denyRequest, bob, {
      id: request.id,
      reason: 'use the old one',
    })

    expect(denied).toMatchObject({ state: 'denied', decisions: [{ by: 'bob', reason: 'use the old one' }] })
  })

  test('a request that nobody decides reminds its approver, expires, and its requester is told', async () => {
    const request = await ask()

    await core.pass(4 * day)

    const later = await core.operations.perform(showRequest, await core.as('alice'), { id: request.id })
    const kinds = core.told.notices.map(({ user, notice }) => `${user} ${notice.kind}`)
    expect(later.state).toBe('expired')
    expect(kinds.filter((kind) => kind === 'bob approval-reminder').length).toBeGreaterThan(2)
    expect(kinds.at(-1)).toBe('alice request-decided')
  })

  test('a request that nobody answers is put to the fallback too, who can decide on it and is told why', async () => {
    const request = await ask()
    await core.pass(35 * hour)
    const before = core.told.notices.filter(({ user }) => user === 'olga')

    await core.pass(2 * hour)
    const told = core.told.notices.filter(({ user }) => user === 'olga').map(({ notice }) => notice.kind)
    const olga = await core.as('olga')
    const approved = await core.operations.perform(approveRequest, olga, { id: request.id })

    expect(before).toEqual([])
    expect(told).toEqual(['approval-wanted'])
    expect(approved.approvers).toContainEqual({
      user: 'olga',
      why: 'fallback, as nobody of T-1042 has answered',
    })
    expect(approved.decisions.map(({ by }) => by)).toEqual(['olga'])
  })

  test('approvers are reminded in working hours', async () => {
    await ask()
    await core.pass(2 * day)

    const reminders = core.told.notices.filter(({ notice }) => notice.kind === 'approval-reminder')
    const jobs = await core.store.read((tx) => tx.jobs.all())
    const sent = jobs
      .filter(({ subject }) => subject.startsWith('approval:'))
      .map(({ endedAt }) => endedAt ?? '')
    expect(reminders.length).toBe(sent.length)
    expect(sent.length).toBeGreaterThan(3)
    // From 07:00 to 17:00 UTC it is 8 to 18 o'clock in Zurich.
    expect(sent.map((at) => at.slice(11, 13)).filter((at) => at < '07' || at >= '17')).toEqual([])
  })

  test('an approval that finds the money gone is refused, and nothing is kept of it', async () => {
    const first = await ask({ count: 12, days: 100, cpus: 2, memoryGb: 1 })
    const second = await ask({ count: 12, days: 100, cpus: 2, memoryGb: 1 })
    await approve(first.id)

    await expect(approve(second.id)).rejects.toMatchObject({ code: 'budget_exhausted' })

    const later = await core.operations.perform(showRequest, await core.as('bob'), { id: second.id })
    expect(later).toMatchObject({ state: 'pending', machines: [] })
  })
})
