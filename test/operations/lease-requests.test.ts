import { afterEach, describe, expect, test } from 'vitest'
import { system } from '../../src/identity/person.ts'
import { approveRequest } from '../../src/operations/approve-request.ts'
import { beginConnection } from '../../src/operations/connections.ts'
import { denyRequest } from '../../src/operations/deny-request.ts'
import { endLeaseNow } from '../../src/operations/end-lease.ts'
import { extendLeaseTime } from '../../src/operations/extend-lease.ts'
import { openDesktop } from '../../src/operations/open-desktop.ts'
import { showBudget } from '../../src/operations/show-budget.ts'
import { showLease } from '../../src/operations/show-lease.ts'
import { showRequest } from '../../src/operations/show-request.ts'
import { type Core, demoConfig, hour, openCore } from './core.ts'

let core: Core
afterEach(() => core.close())

/** The demo site, where desktops cost 0.05 an hour if a budget pays for them. */
async function openSite(budget?: string, edit = (yaml: string) => yaml): Promise<void> {
  const tariff =
    '{ name: desktops, from: 2026-01-01, for: [desktops], freeDays: 0, base: "0.00", perGb: "0.00", perCpu: "0.00", perLeaseHour: "0.05" }'
  const priced = (yaml: string) =>
    yaml
      .replace('- name: public\n', `- name: public\n    budget: ${budget ?? ''}\n`)
      .replace('\n# Who may spend how much.', `  - ${tariff}\n\n# Who may spend how much.`)
  core = await openCore({
    config: await demoConfig((yaml) => edit(budget === undefined ? yaml : priced(yaml))),
  })
}

/** Carol sits at a desktop of the pool `public`: two hours, and two more without asking anybody. */
async function sit(): Promise<string> {
  const { lease } = await core.operations.perform(openDesktop, await core.as('carol'), { pool: 'public' })
  await core.operations.perform(beginConnection, system('router'), { lease })
  return lease
}

const extend = async (user: string, id: string, minutes: number) =>
  core.operations.perform(extendLeaseTime, await core.as(user), { id, minutes })
const approve = async (user: string, id: string) =>
  core.operations.perform(approveRequest, await core.as(user), { id })
const lease = (id: string) => core.operations.perform(showLease, system(), { id })
const request = (id: string) => core.operations.perform(showRequest, system(), { id })

describe('more time than a pool allows', () => {
  test('is asked of the holders of the budget with its price, and a grant holds it and moves the end', async () => {
    await openSite('T-1042')
    const id = await sit()

    const answer = await extend('carol', id, 180)
    await core.settle()
    const asked = await request('R-1')
    const waiting = await lease(id)
    await approve('bob', 'R-1')

    expect(answer).toEqual({
      request: 'R-1',
      until: '2026-11-23T13:00:00.000Z',
      extra: '0.15',
      currency: 'CHF',
    })
    expect(asked).toMatchObject({
      ...{ kind: 'lease', state: 'pending', budget: 'T-1042', until: '2026-11-23T13:00:00.000Z' },
      ...{ quote: { total: '0.15' }, lease: { id, pool: 'public', desktop: 'public-001', perHour: '0.05' } },
      approvers: [{ user: 'bob', why: 'holder of T-1042' }],
    })
    expect(core.told.notices.map(({ user, notice }) => [user, notice.kind])).toContainEqual([
      'bob',
      'approval-wanted',
    ])
    expect(waiting).toMatchObject({
      endsAt: '2026-11-23T10:00:00.000Z',
      asked: { request: 'R-1', until: '2026-11-23T13:00:00.000Z' },
    })
    expect(await request('R-1')).toMatchObject({ state: 'fulfilled' })
    expect(await lease(id)).toMatchObject({ endsAt: '2026-11-23T13:00:00.000Z', cost: { held: '0.25' } })
    expect((await lease(id)).asked).toBeUndefined()
    const { held } = await core.operations.perform(showBudget, await core.as('bob'), { code: 'T-1042' })
    expect(held).toBe('0.25')
  })

  test('is given at once where it costs less than the budget asks about', async () => {
    await openSite('T-2000')
    const id = await sit()

    const answer = await extend('carol', id, 180)

    expect(answer).toMatchObject({ endsAt: '2026-11-23T13:00:00.000Z', extra: '0.15' })
    expect(await request('R-1')).toMatchObject({ state: 'fulfilled', decisions: [{ by: 'policy' }] })
  })

  test('is for the operators to give where it costs nobody anything', async () => {
    await openSite()
    const id = await sit()

    await extend('carol', id, 180)
    const asked = await request('R-1')
    await approve('olga', 'R-1')
    const given = await extend('olga', id, 60)

    expect(asked).toMatchObject({ budget: '', approvers: [{ user: 'olga', why: 'operator' }] })
    expect(given).toMatchObject({ endsAt: '2026-11-23T14:00:00.000Z' })
  })

  test('is one request however often it is asked for, and the last wish is what counts', async () => {
    await openSite()
    const id = await sit()

    const answers = [
      await extend('carol', id, 180),
      await extend('carol', id, 180),
      await extend('carol', id, 240),
    ]

    expect(answers).toMatchObject([{ request: 'R-1' }, { request: 'R-1' }, { request: 'R-1' }])
    expect(await request('R-1')).toMatchObject({ until: '2026-11-23T14:00:00.000Z', state: 'pending' })
  })

  test('that is denied can be asked for again', async () => {
    await openSite()
    const id = await sit()
    await extend('carol', id, 180)

    await core.operations.perform(denyRequest, await core.as('olga'), {
      id: 'R-1',
      reason: 'the room closes',
    })

    expect((await lease(id)).asked).toBeUndefined()
    await expect(extend('carol', id, 180)).resolves.toMatchObject({ request: 'R-2' })
  })

  test('is nobody’s to decide once the session has ended', async () => {
    await openSite()
    const id = await sit()
    await extend('carol', id, 180)

    await core.operations.perform(endLeaseNow, await core.as('carol'), { id })

    expect(await request('R-1')).toMatchObject({
      state: 'cancelled',
      decisions: [{ by: 'jackdaw', reason: 'the session has ended' }],
    })
    await expect(approve('olga', 'R-1')).rejects.toMatchObject({ code: 'already_decided' })
  })

  test('that nobody decides on ends with the session, at its usual end', async () => {
    await openSite()
    const id = await sit()
    await extend('carol', id, 180)

    await core.pass(2 * hour)

    expect(await lease(id)).toMatchObject({ state: 'ended', endReason: 'expired' })
    expect((await request('R-1')).state).toMatch(/expired|cancelled/)
  })

  test('is never more than anybody may agree to, nor after the pool has closed', async () => {
    const hours = "    hours: [{ days: [mon], from: '08:00', to: '12:00' }]\n    size: { spare: 2, max: 10 }"
    await openSite(undefined, (yaml) =>
      yaml.replace('PT2H, warn: PT5M', 'PT2H, approvedMax: PT6H, warn: PT5M'),
    )
    const id = await sit()
    await expect(extend('carol', id, 241)).rejects.toMatchObject({
      code: 'bad_term',
      message: 'This session can last until 2026-11-23T14:00:00.000Z at the most. Ask for that or less.',
    })
    await core.close()
    await openSite(undefined, (yaml) => yaml.replace('    size: { spare: 2, max: 10 }', hours))

    await expect(extend('carol', await sit(), 180)).rejects.toMatchObject({ code: 'bad_term' })
  })

  test('is not for somebody who may only look at sessions', async () => {
    await openSite(undefined, (yaml) => yaml.replace('auditor: []', 'auditor: [bob]'))
    const id = await sit()

    await expect(extend('bob', id, 30)).rejects.toMatchObject({ code: 'forbidden' })
    await expect(extend('alice', id, 30)).rejects.toMatchObject({ code: 'not_found' })
  })
})
