import { afterEach, describe, expect, test } from 'vitest'
import { beginConnection } from '../../src/operations/connections.ts'
import { correctCharges } from '../../src/operations/correct-charges.ts'
import { endLeaseNow } from '../../src/operations/end-lease.ts'
import { extendLeaseTime } from '../../src/operations/extend-lease.ts'
import { openDesktop } from '../../src/operations/open-desktop.ts'
import { showBudget } from '../../src/operations/show-budget.ts'
import { showCosts } from '../../src/operations/show-costs.ts'
import { showLease } from '../../src/operations/show-lease.ts'
import { showStatement } from '../../src/operations/show-statement.ts'
import { system } from '../../src/identity/person.ts'
import { type Core, day, demoConfig, hour, minute, openCore } from './core.ts'

let core: Core
afterEach(() => core.close())

/** The demo site with desktops at 0.05 an hour, on 23 November 2026 at nine in Zurich. */
async function openSite(budgets: { public?: string; developers?: string }, edit = (yaml: string) => yaml) {
  const tariff =
    '{ name: desktops, from: 2026-01-01, for: [desktops], freeDays: 0, base: "0.00", perGb: "0.00", perCpu: "0.00", perLeaseHour: "0.05" }'
  const paid = (yaml: string, pool: 'public' | 'developers'): string =>
    budgets[pool] === undefined
      ? yaml
      : yaml.replace(`- name: ${pool}\n`, `- name: ${pool}\n    budget: ${budgets[pool]}\n`)
  core = await openCore({
    config: await demoConfig((yaml) =>
      edit(
        paid(paid(yaml, 'public'), 'developers').replace(
          '\n# Who may spend how much.',
          `  - ${tariff}\n\n# Who may spend how much.`,
        ),
      ),
    ),
  })
}

async function open(user: string, pool: string): Promise<string> {
  const { lease } = await core.operations.perform(openDesktop, await core.as(user), { pool })
  await core.settle()
  return lease
}

async function connect(lease: string): Promise<void> {
  await core.operations.perform(beginConnection, system('router'), { lease })
}

async function end(lease: string) {
  return core.operations.perform(endLeaseNow, system(), { id: lease, reason: 'logged_off' })
}

async function budget(code: string) {
  const { held, spent } = await core.operations.perform(showBudget, await core.as('bob'), { code })
  return { held, spent }
}

async function statement(code: string) {
  const input = { code, month: '2026-11' }
  return core.operations.perform(showStatement, await core.as('bob'), input)
}

describe('a session in a pool with a budget', () => {
  test('holds its price up to its end, costs each hour that it begins, and gives back the rest', async () => {
    await openSite({ public: 'T-2000' })
    const id = await open('carol', 'public')
    const opened = await budget('T-2000')
    await connect(id)
    await core.pass(70 * minute)
    const during = await core.operations.perform(showLease, await core.as('carol'), { id })

    const ended = await end(id)

    expect(opened).toEqual({ held: '0.10', spent: '0.00' })
    expect(during.cost).toEqual({
      ...{ budget: 'T-2000', currency: 'CHF', perHour: '0.05', toDate: '0.10', held: '0.00' },
    })
    expect(ended.cost).toMatchObject({ toDate: '0.10', held: '0.00' })
    expect(await budget('T-2000')).toEqual({ held: '0.00', spent: '0.10' })
  })

  test('stands on the statement, and among the costs of the budget and of its person', async () => {
    await openSite({ public: 'T-2000' })
    for (const user of ['carol', 'alice']) {
      const id = await open(user, 'public')
      await connect(id)
      await core.pass(61 * minute)
      await end(id)
    }
    const open2 = await open('carol', 'public')
    await connect(open2)

    const { lines, machines, hours, total } = await statement('T-2000')
    const mine = await core.operations.perform(showCosts, await core.as('carol'), {})
    const all = await core.operations.perform(showCosts, await core.as('bob'), { budget: 'T-2000' })

    expect(machines).toEqual([
      { machine: 'pool public', owner: 'alice', days: 0, freeDays: 0, hours: 2, total: '0.10' },
      { machine: 'pool public', owner: 'carol', days: 0, freeDays: 0, hours: 2, total: '0.10' },
    ])
    expect(lines[0]).toMatchObject({ component: 'lease', tariff: 'desktops', quantity: 2, unitPrice: '0.05' })
    expect([hours, total]).toEqual([4, '0.20'])
    expect([mine.charged, mine.forecast]).toEqual(['0.10', '0.10'])
    expect([all.charged, all.forecast]).toEqual(['0.20', '0.10'])
  })

  test('is charged at midnight and again at its end, each hour once', async () => {
    await openSite({ developers: 'T-1042' })
    await core.pass(12.5 * hour)
    const id = await open('carol', 'developers')
    await connect(id)

    // From 21:30 to 01:00: hours begin at 21:30, 22:30, 23:30 and 00:30.
    await core.pass(3 * hour)
    const after = await budget('T-1042')
    await core.pass(30 * minute)
    await end(id)
    await core.settle()

    const rows = (await core.store.read((tx) => tx.charges.page({ limit: 10 }))).items
    expect(after).toEqual({ held: '0.35', spent: '0.15' })
    expect(rows.map((row) => [row.id, row.quantity])).toEqual([
      [`${id}|2026-11-24|lease`, 1],
      [`${id}|2026-11-23|lease`, 3],
    ])
    expect(await budget('T-1042')).toEqual({ held: '0.00', spent: '0.20' })
  })

  test('costs nothing while it was never connected to', async () => {
    await openSite({ public: 'T-2000' })
    await open('carol', 'public')

    await core.pass(20 * minute)

    expect(await budget('T-2000')).toEqual({ held: '0.00', spent: '0.00' })
    expect((await statement('T-2000')).lines).toEqual([])
  })

  test('is extended at a price, which is held, and not beyond what the budget has', async () => {
    const poor = (yaml: string): string => yaml.replace("limit: '500.00'", "limit: '0.17'")
    await openSite({ public: 'T-2000' }, poor)
    const id = await open('carol', 'public')
    await connect(id)
    const extend = async (minutes: number) =>
      core.operations.perform(extendLeaseTime, await core.as('carol'), { id, minutes })

    const extended = await extend(30)
    const again = await extend(30)

    expect([extended, again]).toMatchObject([{ extra: '0.05' }, { extra: '0.00' }])

    expect(extended).toMatchObject({ cost: { perHour: '0.05', toDate: '0.00', held: '0.15' } })
    await expect(extend(30)).rejects.toMatchObject({
      code: 'budget_exhausted',
      message: 'T-2000 has 0.02 CHF left and this needs 0.05 CHF. Its holders bob and carol can raise it.',
    })
    expect(await budget('T-2000')).toEqual({ held: '0.15', spent: '0.00' })
  })

  test('can be taken back by an operator, with the reason on the statement', async () => {
    await openSite({ public: 'T-2000' })
    const id = await open('carol', 'public')
    await connect(id)
    await core.pass(10 * minute)
    await end(id)

    const back = await core.operations.perform(correctCharges, await core.as('olga'), {
      ...{ name: id, from: '2026-11-23', to: '2026-11-23', reason: 'it was stuck' },
    })

    expect(back).toMatchObject({ rows: 1, amount: '0.05' })
    expect((await statement('T-2000')).lines.map(({ amount, reason }) => [amount, reason])).toEqual([
      ['0.05', null],
      ['-0.05', 'it was stuck'],
    ])
    expect(await budget('T-2000')).toEqual({ held: '0.00', spent: '0.00' })
  })
})

describe('who pays', () => {
  test('is each person’s own budget where the pool says so, the first that they may use', async () => {
    await openSite({ public: 'own' }, (yaml) =>
      yaml.replace('title: Detector controls', 'title: Detector controls\n    closed: 2026-11-24'),
    )
    const today = await open('alice', 'public')
    await core.operations.perform(endLeaseNow, await core.as('alice'), { id: today })
    await core.pass(day)

    const tomorrow = await open('alice', 'public')

    const costs = await Promise.all(
      [today, tomorrow].map(async (id) => core.operations.perform(showLease, await core.as('alice'), { id })),
    )
    expect(costs.map(({ cost }) => cost?.budget)).toEqual(['T-1042', 'T-2000'])
  })

  test.each([
    [
      'nobody may use one of their own',
      { public: 'own' },
      (yaml: string) => yaml,
      'Sessions in pool public are paid from your own budget, and there is none that you may use. Ask the holder of one to make you a member.',
    ],
    [
      'the pool’s is closed',
      { public: 'T-1042' },
      (yaml: string) =>
        yaml.replace('title: Detector controls', 'title: Detector controls\n    closed: 2026-11-20'),
      'Sessions in pool public are paid from T-1042, which is closed since 2026-11-20. Ask bob, or an operator.',
    ],
  ])('is nobody where %s: it is refused, and nothing is begun', async (_what, budgets, edit, message) => {
    await openSite(budgets, edit)

    await expect(open('olga', 'public')).rejects.toMatchObject({ code: 'unknown_budget', message })

    expect(await core.store.read((tx) => tx.leases.count('pool', 'public'))).toBe(0)
  })

  test('is nobody where the pool has no budget', async () => {
    await openSite({ developers: 'T-1042' })
    const id = await open('carol', 'public')
    await connect(id)
    await core.pass(hour)

    const ended = await end(id)

    expect(ended).not.toHaveProperty('cost')
    expect(await core.store.read((tx) => tx.commitments.all())).toEqual([])
  })
})
