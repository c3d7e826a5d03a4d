import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BudgetRule } from '../../pricing/budget.ts'
import { accountId, type BudgetPeriod } from '../../pricing/budget-period.ts'
import { bookingDay, type Charge } from '../../pricing/charge.ts'
import { commit } from '../../pricing/commitment.ts'
import { statement, talliesOf } from '../../pricing/statement.ts'
import type { Tariff } from '../../pricing/tariff.ts'
import { type Instant, instant } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { localDay } from '../../src/base/period.ts'
import { move } from '../../src/base/states.ts'
import { accrueCharges } from '../../src/jobs/accrue-charges.ts'
import type { Tools } from '../../src/jobs/trade.ts'
import { type Machine, machineStates, newMachine } from '../../src/machines/machine.ts'
import { allocate } from '../../src/machines/usage.ts'
import type { Books } from '../../src/operations/accounts.ts'
import { costToDate, ledger } from '../../src/operations/charging.ts'
import { prolonged, promisesFor } from '../../src/operations/promising.ts'
import { holdFor, openCommitment, settleMachine } from '../../src/operations/holding.ts'
import type { Store, Transaction } from '../../src/store/store.ts'
import { aTariff } from '../pricing/builders.ts'
import { dayNumber, dayText, slowQuote } from '../pricing/model.ts'
import { memoryFiles } from '../fakes/memory-files.ts'
import { openOn } from '../store/opened.ts'
import { countedIds, demoConfig, movableClock } from './core.ts'

const hourMillis = 3_600_000
const zones = ['Europe/Zurich', 'America/Sao_Paulo', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'UTC']

const size = fc.record({ cpus: fc.integer({ min: 1, max: 8 }), memoryGb: fc.integer({ min: 1, max: 16 }) })

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), hours: fc.integer({ min: 1, max: 400 }) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('resize' as const), size }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('pay' as const),
      budget: fc.constantFrom('T-A', 'T-B'),
      owner: fc.constantFrom('alice', 'carol'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('save' as const, 'resume' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('extend' as const), days: fc.integer({ min: 0, max: 60 }) }),
  },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

const price = fc.integer({ min: 0, max: 2_000 })

/** Two tariffs, the second of which begins within the life of most machines. */
const tariffs = fc
  .record({
    first: fc.record({
      baseMilli: price,
      perGbMilli: price,
      perCpuMilli: price,
      freeDays: fc.integer({ min: 0, max: 40 }),
      freeDaysCover: fc.constantFrom('all' as const, 'base' as const),
    }),
    second: fc.record({ baseMilli: price, perCpuMilli: price, saved: fc.record({ baseMilli: price }) }),
    from: fc.integer({ min: dayNumber('2027-12-15'), max: dayNumber('2028-04-15') }),
  })
  .map(({ first, second, from }) => [
    aTariff({ ...first, from: '2020-01-01' }),
    aTariff({ ...second, name: 'later', from: dayText(from), freeDays: first.freeDays }),
  ])

const life = fc.record({
  zone: fc.constantFrom(...zones),
  // Around the leap day of 2028 and changes of clock on both halves of the globe.
  start: fc.integer({
    min: Date.parse('2027-12-20T00:00:00Z') / hourMillis,
    max: Date.parse('2028-03-28T00:00:00Z') / hourMillis,
  }),
  size,
  days: fc.integer({ min: 0, max: 90 }),
  steps: fc.array(step, { maxLength: 14 }),
  tariffs,
  period: fc.constantFrom<BudgetPeriod>('total', 'year', 'quarter', 'month'),
  deletes: fc.boolean(),
  honours: fc.boolean(),
})
type Life = typeof life extends fc.Arbitrary<infer T> ? T : never

/** What happened, as the slow model remembers it: since when the machine had what. */
interface Stretch {
  from: number
  size: { cpus: number; memoryGb: number }
  saved: boolean
  budget: string
  owner: string
}

test('over any life the ledger says day by day what a slow model says, and the accounts say what the ledger says', async () => {
  const config = await demoConfig()
  let charged = 0

  await fc.assert(
    fc.asyncProperty(life, async (life) => {
      const world = await begin(life, config.site)

      for (const step of life.steps) {
        await world.take(step)
        await expectBalanced(world)
      }
      if (life.deletes) await world.end()
      await expectBalanced(world)
      await expectLikeModel(world, life)
      const before = await world.rows()
      await world.accrue()
      expect(await world.rows()).toEqual(before)
      charged += before.length
      await world.store.close()
    }),
    { numRuns: 120 },
  )

  expect(charged).toBeGreaterThan(1_000)
}, 60_000)

type World = Awaited<ReturnType<typeof begin>>

async function begin(life: Life, demo: Tools['site']) {
  const { zone, tariffs, period } = life
  const budgets = ['T-A', 'T-B'].map((code) =>
    BudgetRule.parse({ code, title: code, holders: ['bob'], limit: '1000000.00', period }),
  )
  const policies = { ...demo.policies, prices: { honourQuotes: life.honours } }
  const site = { ...demo, timezone: zone, tariffs, budgets, policies }
  const clock = movableClock(instant(life.start * hourMillis))
  const store = await openOn(memoryFiles(), { clock })
  const ids = countedIds()
  const tools: Tools = {
    ...{ store, site, clock, ids, log: silentLog, hypervisors: new Map() },
    directory: {
      find: async () => undefined,
      members: async () => [],
      withEmail: async () => [],
      withAccount: async () => [],
      accountsOf: async () => ({}),
      keysOf: async () => [],
      authenticate: async () => undefined,
      close: async () => undefined,
    },
    teller: {
      tell: async () => ({ copies: [], waiting: [] }),
      announce: async () => ({ copies: [], waiting: [] }),
      redraw: async () => undefined,
    },
    closeConnections: async () => 0,
    registrars: [],
  }
  const sweep = accrueCharges()
  const made = clock.now()
  const createdDay = localDay(made, zone)
  const stretches: Stretch[] = [
    { from: Date.parse(made), size: life.size, saved: false, budget: 'T-A', owner: 'alice' },
  ]
  let paidTo = dayText(dayNumber(createdDay) + Math.max(1, life.days))
  const agreed = [{ before: paidTo, on: createdDay }]
  let goneOn: string | null = null

  async function change(work: (books: Books, machine: Machine) => Promise<void>): Promise<void> {
    await store.transact(async (tx: Transaction) => {
      const machine = await tx.machines.get('web1')
      if (machine !== undefined) await work({ tx, now: clock.now(), ids, site }, machine)
    })
  }

  async function reallocate(
    next: Partial<Stretch>,
    change_: (machine: Machine, at: Instant) => Machine,
  ): Promise<void> {
    await change(async (books, machine) => {
      const changed = change_(machine, books.now)
      await books.tx.machines.put(changed)
      const commitment = await openCommitment(books, changed)
      if (commitment !== undefined) {
        await holdFor(
          books,
          changed,
          prolonged({ ...commitment, budget: changed.budget ?? commitment.budget }, paidTo, {
            now: books.now,
            site,
          }),
          'checked',
        )
      }
    })
    const last = stretches.at(-1)
    if (last !== undefined) stretches.push({ ...last, ...next, from: Date.parse(clock.now()) })
  }

  await store.transact(async (tx) => {
    const template = { name: 'slc5', os: 'linux' } as const
    const blank = newMachine({ name: 'web1', ref: 'vm-1', at: made, template })
    const running = move(machineStates, blank, 'running', { at: made })
    const machine = { ...running, ...life.size, owner: 'alice', budget: 'T-A' }
    await tx.machines.put(machine)
    const facts = { id: 'web1', ref: 'vm-1', budget: 'T-A', createdDay, paidTo, openEnded: false }
    const promised = promisesFor({ from: createdDay, to: paidTo }, { now: made, site })
    await holdFor({ tx, now: made, ids, site }, machine, commit({ ...facts, promised }), 'checked')
  })

  async function accrue(): Promise<void> {
    while (await sweep.run(tools)) {
      // Until nothing is due.
    }
  }

  async function take(step: Step): Promise<void> {
    if (step.kind === 'wait') {
      clock.set(instant(Date.parse(clock.now()) + step.hours * hourMillis))
      // Every other time the service was down and only learns of the time when it is needed.
      if (step.hours % 2 === 0) await accrue()
      return
    }
    if (step.kind === 'resize')
      await reallocate({ size: step.size }, (machine, at) => allocate(machine, step.size, at))
    else if (step.kind === 'pay') {
      const { budget, owner } = step
      await reallocate({ budget, owner }, (machine, at) => allocate(machine, { budget, owner }, at))
    } else if (step.kind === 'extend') {
      paidTo = dayText(dayNumber(paidTo) + step.days)
      agreed.push({ before: paidTo, on: wallDay(Date.parse(clock.now()), zone) })
      await reallocate({}, (machine) => machine)
    } else {
      const saved = step.kind === 'save'
      if (stretches.at(-1)?.saved === saved) return
      await reallocate({ saved }, (machine, at) =>
        move(machineStates, machine, saved ? 'saved' : 'running', { at }),
      )
    }
  }

  async function end(): Promise<void> {
    goneOn = localDay(clock.now(), zone)
    await change((books, machine) => settleMachine(books, machine, 'owed'))
  }

  return {
    ...{ store, site, clock, stretches, agreed, createdDay, take, end, accrue },
    paidTo: () => paidTo,
    goneOn: () => goneOn,
    rows: () => rowsOf(store),
  }
}

async function rowsOf(store: Store): Promise<Charge[]> {
  return store.read(async (tx) => {
    const rows: Charge[] = []
    for await (const row of ledger(tx, { from: '2000-01-01' })) rows.push(row)
    return rows.reverse()
  })
}

/** Accounts, commitment and statements are sums of the same rows and the same holds. */
async function expectBalanced(world: World): Promise<void> {
  const rows = await world.rows()
  const { accounts, commitment, cost, tallies } = await world.store.read(async (tx) => {
    const machine = await tx.machines.get('web1')
    if (machine === undefined) throw new Error('there is a machine')
    return {
      accounts: await tx.accounts.all(),
      commitment: await tx.commitments.get('web1'),
      cost: await costToDate(tx, machine, { now: world.clock.now(), site: world.site }),
      tallies: (await tx.tallies.page({ limit: 10_000 })).items,
    }
  })
  const spent = new Map<string, bigint>()
  for (const row of rows) {
    const rule = world.site.budgets.find(({ code }) => code === row.budget)
    if (rule === undefined) throw new Error('there is a budget')
    const id = accountId(rule, bookingDay(row))
    spent.set(id, (spent.get(id) ?? 0n) + BigInt(row.amountMilli))
  }
  for (const { id, heldMilli, spentMilli } of accounts) {
    const held = commitment?.holds.filter(({ account }) => account === id) ?? []
    expect(heldMilli).toBe(held.reduce((sum, { milli }) => sum + milli, 0))
    expect(BigInt(spentMilli)).toBe(spent.get(id) ?? 0n)
  }
  const all = [...spent.values()].reduce((sum, milli) => sum + milli, 0n)
  expect(BigInt(commitment?.spentMilli ?? 0)).toBe(all)
  expect(BigInt(statement(tallies).totalMilli)).toBe(all)
  const counted = talliesOf(rows).toSorted((a, b) => (a.id < b.id ? -1 : 1))
  expect(statement(tallies)).toEqual(statement(counted))
  expect(BigInt(cost)).toBeGreaterThanOrEqual(all)
}

/** Each day is charged what counting by a clock on the wall says, and what is held is the price of the days to come. */
async function expectLikeModel(world: World, life: Life): Promise<void> {
  await world.accrue()
  const today = dayNumber(wallDay(Date.parse(world.clock.now()), life.zone))
  const goneOn = world.goneOn()
  const end = Math.min(dayNumber(world.paidTo()), goneOn === null ? today : dayNumber(goneOn) + 1)
  const rows = await world.rows()

  const found = new Map<string, bigint>()
  for (const row of rows) {
    const key = `${row.day} ${row.budget} ${row.owner ?? ''}`
    found.set(key, (found.get(key) ?? 0n) + BigInt(row.amountMilli))
  }
  const expected = new Map<string, bigint>()
  for (let day = dayNumber(world.createdDay); day < end; day++) {
    const { owner, budget, milli } = slowDay(world, life, day)
    expected.set(`${dayText(day)} ${budget} ${owner}`, milli)
  }
  expect(found).toEqual(expected)

  const held = (await world.store.read((tx) => tx.accounts.all())).reduce(
    (sum, each) => sum + each.heldMilli,
    0,
  )
  expect(BigInt(held)).toBe(goneOn === null ? toCome(world, life, Math.max(end, today)) : 0n)
}

function toCome(world: World, life: Life, today: number): bigint {
  const last = world.stretches.at(-1)
  if (last === undefined || today >= dayNumber(world.paidTo())) return 0n
  let later = 0n
  for (let day = today + 1; day < dayNumber(world.paidTo()); day++) {
    const order = {
      size: last.size,
      count: 1,
      createdDay: world.createdDay,
      from: dayText(day),
      to: dayText(day + 1),
    }
    later += BigInt(slowQuote(order, pricesOn(world, life, day)).totalMilli)
  }
  return slowDay(world, life, today).milli + later
}

/** The tariffs for a day: all of them, or, where quotes are honoured, the one of the day on which it was agreed on. */
function pricesOn(world: World, life: Life, day: number): readonly Tariff[] {
  const agreed = world.agreed.find(({ before }) => day < dayNumber(before))
  if (!life.honours || agreed === undefined) return life.tariffs
  return life.tariffs
    .filter(({ from }) => from <= agreed.on)
    .slice(-1)
    .map((tariff) => ({ ...tariff, from: '2000-01-01' }))
}

/** One day by the wall: every stretch that touches it counts, the last one says who pays. */
function slowDay(world: World, life: Life, day: number): { owner: string; budget: string; milli: bigint } {
  const touching = world.stretches.filter((stretch, index) => {
    const until = world.stretches[index + 1]?.from ?? Number.POSITIVE_INFINITY
    if (until === stretch.from) return false
    const first = dayNumber(wallDay(stretch.from, life.zone))
    const lastDay = until === Number.POSITIVE_INFINITY ? until : dayNumber(wallDay(until - 1, life.zone))
    return first <= day && day <= lastDay
  })
  const last = touching.at(-1)
  if (last === undefined) throw new Error('a machine is there on its days')
  const most = {
    cpus: Math.max(...touching.map(({ size }) => size.cpus)),
    memoryGb: Math.max(...touching.map(({ size }) => size.memoryGb)),
  }
  const isSaved = touching.every(({ saved }) => saved)
  const prices = pricesOn(world, life, day).map((tariff): Tariff => ({
    ...tariff,
    ...(isSaved ? tariff.saved : {}),
  }))
  const order = {
    size: most,
    count: 1,
    createdDay: world.createdDay,
    from: dayText(day),
    to: dayText(day + 1),
  }
  return { owner: last.owner, budget: last.budget, milli: BigInt(slowQuote(order, prices).totalMilli) }
}

const calendars = new Map<string, Intl.DateTimeFormat>()

function wallDay(millis: number, zone: string): string {
  const calendar =
    calendars.get(zone) ??
    new Intl.DateTimeFormat('en-CA', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit' })
  calendars.set(zone, calendar)
  return calendar.format(millis)
}
