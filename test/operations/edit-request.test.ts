import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Refusal } from '../../src/base/errors.ts'
import { approveRequest } from '../../src/operations/approve-request.ts'
import { cancelRequest } from '../../src/operations/cancel-request.ts'
import { editRequest } from '../../src/operations/edit-request.ts'
import { extendMachine } from '../../src/operations/extend-machine.ts'
import { requestMachine } from '../../src/operations/request-machine.ts'
import { showMachine } from '../../src/operations/show-machine.ts'
import { type Core, day, openCore } from './core.ts'

let core: Core
beforeEach(async () => {
  core = await openCore()
})
afterEach(() => core.close())

async function ask(input: object = {}, user = 'alice') {
  return core.operations.perform(requestMachine, await core.as(user), {
    ...{ template: 'slc5', days: 60, budget: 'T-1042', purpose: 'AFS web server', name: 'webafs20' },
    ...input,
  })
}

async function edit(id: string, input: object, user = 'alice') {
  return core.operations.perform(editRequest, await core.as(user), { id, ...input })
}

async function approve(id: string, user = 'bob', shown: { quote?: string } = {}) {
  return core.operations.perform(approveRequest, await core.as(user), { id, ...shown })
}

function toldOf(user: string): string[] {
  return core.told.notices.filter((told) => told.user === user).map(({ notice }) => notice.kind)
}

describe('a request that is changed while nobody has decided', () => {
  test('is priced anew, keeps what is not changed, and says what is different', async () => {
    const request = await ask()

    const edited = await edit(request.id, { cpus: 2, memoryGb: 4, purpose: 'AFS web server, the large one' })

    expect(request.quote.total).toBe('27.84')
    expect(edited).toMatchObject({
      ...{ id: request.id, state: 'pending', cpus: 2, memoryGb: 4, days: 60, template: 'slc5' },
      ...{ purpose: 'AFS web server, the large one', createdAt: request.createdAt, decisions: [] },
      quote: { total: '107.30' },
    })
    expect(edited.quote.id).not.toBe(request.quote.id)
    expect(edited.history.map(({ reason }) => reason)).toEqual([
      null,
      'changed: CPUs 1 is 2, GB 1 is 4, purpose AFS web server is AFS web server, the large one',
    ])
  })

  test('asks its approvers again, and is approved as it is now', async () => {
    const request = await ask()
    await core.settle()
    await edit(request.id, { cpus: 2, days: 90 })
    await core.settle()

    await approve(request.id)
    await core.settle()

    const machine = await core.operations.perform(showMachine, await core.as('alice'), { name: 'webafs20' })
    expect(toldOf('bob')).toEqual(['approval-wanted', 'approval-wanted'])
    expect(machine).toMatchObject({ state: 'running', cpus: 2, expiresAt: '2027-02-21T08:00:00.000Z' })
  })

  test('is not approved by whoever was shown it as it was before, but shown with what is different', async () => {
    const { id, quote: first } = await ask()
    const { quote: second } = await edit(id, { cpus: 2 })
    await edit(id, { days: 90 })

    await expect(approve(id, 'bob', { quote: first.id })).rejects.toMatchObject({
      code: 'quote_expired',
      extras: { quote: { quoted: '27.84', changed: 'CPUs 1 is 2; then term 60 days is 90 days' } },
    })
    const refused = await approve(id, 'bob', { quote: second.id }).catch((error: unknown) => error)

    if (!(refused instanceof Refusal)) throw new Error('the old quote was approved')
    expect(refused.message).toContain(`${id} was changed since you were shown it: term 60 days is 90 days.`)
    expect(await approve(id, 'bob', { quote: refused.extras.quote?.id ?? '' })).toMatchObject({ days: 90 })
  })

  test.each([{ purpose: 'a mail server' }, { template: 'w2008r2' }, { name: 'mail01' }])(
    'has another quote also where %j costs the same',
    async (changes) => {
      const { id, quote } = await ask()
      const edited = await edit(id, changes)

      expect(edited.quote.total).toBe(quote.total)
      await expect(approve(id, 'bob', { quote: quote.id })).rejects.toMatchObject({ code: 'quote_expired' })
      expect(await approve(id, 'bob', { quote: edited.quote.id })).toMatchObject({ state: 'approved' })
    },
  )

  test('is approved as it is now by whoever says no quote', async () => {
    const { id } = await ask()
    await edit(id, { cpus: 2 })

    expect(await approve(id)).toMatchObject({ state: 'approved', cpus: 2 })
  })

  test('is decided by the approvers of the budget that it is on now', async () => {
    const request = await ask()
    await core.settle()

    const edited = await edit(request.id, { budget: 'T-2000', cpus: 2, days: 200 }, 'alice')

    await core.settle()
    expect(edited.approvers.map(({ user }) => user)).toEqual(['bob', 'carol'])
    expect(toldOf('carol')).toEqual(['approval-wanted'])
  })

  test('has as much time for its decision as a new one', async () => {
    const request = await ask()
    await core.pass(2 * day)

    await edit(request.id, { days: 90 })

    await core.pass(2 * day)
    await expect(approve(request.id)).resolves.toMatchObject({ state: 'approved' })
  })

  test('is approved at once when it costs less than its budget asks about', async () => {
    const request = await ask({ budget: 'T-2000', days: 100, cpus: 4 })

    const edited = await edit(request.id, { days: 14 })

    expect(request.state).toBe('pending')
    expect(edited).toMatchObject({ state: 'approved', decisions: [{ by: 'policy' }], approvers: [] })
  })

  test('keeps administrators who were known when they were named', async () => {
    const request = await ask({ administrators: ['developers'] })

    const edited = await edit(request.id, { name: 'webafs21' })

    expect(edited).toMatchObject({ administrators: ['developers'], warnings: [] })
    await expect(edit(request.id, { administrators: ['nobody'] })).rejects.toMatchObject({
      code: 'invalid_input',
    })
  })
})

describe('what cannot be changed', () => {
  test.each([
    ['more than the budget has', { count: 20, cpus: 4, days: 365 }, 'budget_exhausted'],
    ['a size that the template has not', { cpus: 64 }, 'bad_size'],
    ['two ends at once', { days: 3, until: '2027-01-01' }, 'bad_term'],
    ['a name that the site does not allow', { name: '-x-' }, 'bad_name'],
    ['a budget that there is not', { budget: 'T-9' }, 'unknown_budget'],
    ['a host, by somebody who is no operator', { host: 'cernwod01' }, 'forbidden'],
    ['nothing', {}, 'invalid_input'],
    ['what it says already', { days: 60, cpus: 1 }, 'invalid_input'],
  ])('%s: it stays as it was', async (_, changes, code) => {
    const request = await ask()

    await expect(edit(request.id, changes)).rejects.toMatchObject({ code })

    const kept = await core.store.read((tx) => tx.requests.get(request.id))
    expect(kept).toMatchObject({ cpus: 1, history: [{ state: 'pending' }], quote: { id: request.quote.id } })
  })

  test("somebody else's request, also by an operator; a stranger learns nothing of it", async () => {
    const request = await ask()

    await expect(edit(request.id, { cpus: 2 }, 'bob')).rejects.toMatchObject({ code: 'forbidden' })
    await expect(edit(request.id, { cpus: 2 }, 'olga')).rejects.toMatchObject({ code: 'forbidden' })
    await expect(edit(request.id, { cpus: 2 }, 'carol')).rejects.toMatchObject({ code: 'not_found' })
  })

  test('one that was decided or taken back', async () => {
    const approved = await ask()
    await approve(approved.id)
    const cancelled = await ask({ name: 'webafs21' })
    await core.operations.perform(cancelRequest, await core.as('alice'), { id: cancelled.id })

    await expect(edit(approved.id, { cpus: 2 })).rejects.toMatchObject({ code: 'already_decided' })
    await expect(edit(cancelled.id, { cpus: 2 })).rejects.toMatchObject({ code: 'already_decided' })
  })

  test('one for more time', async () => {
    const alice = await core.as('alice')
    await approve((await ask()).id)
    await core.settle()
    const input = { name: 'webafs20', days: 30 }
    for (let times = 0; times < 2; times++) await core.operations.perform(extendMachine, alice, input)
    const asked = await core.operations.perform(extendMachine, alice, input)
    const { request = '' } = 'request' in asked ? asked : {}

    await expect(edit(request, { days: 3 })).rejects.toMatchObject({ code: 'wrong_state' })
  })
})
