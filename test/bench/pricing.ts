import type { Charge } from '../../pricing/charge.ts'
import { BudgetRule } from '../../pricing/budget.ts'
import { monthAfter } from '../../pricing/budget-period.ts'
import { commit } from '../../pricing/commitment.ts'
import { instant, millis } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { addDays, startOfDay } from '../../src/base/period.ts'
import { openDirectory } from '../../src/identity/open.ts'
import { system } from '../../src/identity/person.ts'
import { accrueCharges } from '../../src/jobs/accrue-charges.ts'
import type { Tools } from '../../src/jobs/trade.ts'
import { ledger } from '../../src/operations/charging.ts'
import { showStatement } from '../../src/operations/show-statement.ts'
import { type Core, countedIds, day, demoConfig, openCore } from '../operations/core.ts'
import { numbers, putAll, someMachine } from './fixtures.ts'
import { cpuMillisOf, type Row } from './measure.ts'

const rounds = 2
const budgetCount = 100
const firstDay = '2026-01-01'

/** One run: so many machines, each charged so many days, one midnight after the other. */
interface Size {
  machines: number
  days: number
}

const year = { machines: 100, days: 365 }
const few = { machines: 1_000, days: 10 }
const many = { machines: 10_000, days: 10 }

/** What charging takes in memory: against writing the same rows down and nothing else, and as machines become more. */
export async function pricingRows(): Promise<Row[]> {
  const twelveMonths = await run(year)
  const { growth, rates } = await grown([few, many])
  return [
    {
      name: 'pricing: machine-days charged, 12 months',
      against: `JSON.stringify and push of the same rows`,
      ratios: [twelveMonths.plainMillisEach / twelveMonths.millisEach],
      note: `${perSecond(1000 / twelveMonths.millisEach)} with ${year.machines} machines; 12 months of ${budgetCount} statements in ${twelveMonths.statedMillis.toFixed(0)} ms`,
    },
    {
      name: `pricing: a machine-day, ${many.machines} machines`,
      against: `with ${few.machines} machines`,
      ratios: growth,
      aim: '1.2 x',
      note: rates.map(perSecond).join(', '),
    },
  ]
}

/** A whole year of ten thousand machines, charged and stated, against one of a thousand. It takes half an hour. */
export async function pricingYearRows(): Promise<Row[]> {
  const [small, large] = [
    { machines: 1_000, days: 365 },
    { machines: 10_000, days: 365 },
  ] as const
  const { growth, rates, stated } = await grown([small, large], 1)
  return [
    {
      name: `pricing: a machine-day, ${large.machines} machines, 12 months charged and stated`,
      against: `with ${small.machines} machines`,
      ratios: growth,
      aim: '1.2 x',
      note: `${rates.map(perSecond).join(', ')}; ${13 * budgetCount} statements in ${stated.map((each) => `${(each / 1000).toFixed(1)} s`).join(', ')}`,
    },
  ]
}

/** How much longer a machine-day takes as machines become more: in turns, once all code has been run. */
async function grown([small, large]: readonly [Size, Size], times = rounds) {
  await run({ machines: small.machines, days: 3 })
  const found = { growth: new Array<number>(), rates: new Array<number>(), stated: new Array<number>() }
  for (let round = 0; round < times; round++) {
    const [one, other] = [await run(small), await run(large)]
    const each = (result: typeof one, { machines, days }: Size): number =>
      result.millisEach + result.statedMillis / (machines * days)
    found.growth.push(each(other, large) / each(one, small))
    found.rates.push(1000 / each(other, large))
    found.stated.push(other.statedMillis)
  }
  return found
}

function perSecond(rate: number): string {
  return `${Math.round(rate)} for a second of a processor`
}

/** Charges and states, and says what a machine-day took, and what its rows take when they are only written down. */
async function run({ machines, days }: Size) {
  const core = await siteWith(machines, days)
  const tools = await toolsOf(core)
  const sweep = accrueCharges()
  const charging = await cpuMillisOf(async () => {
    for (const passed of numbers(days)) {
      core.clock.set(startOfDay(addDays(firstDay, passed + 1), core.config.site.timezone))
      while (await sweep.run(tools));
    }
  })
  const statedMillis = await cpuMillisOf(() => stateAll(core, days))
  const plain = machines === year.machines ? await plainMillis(core) : 0
  await core.close()
  const count = machines * days
  return { millisEach: charging / count, plainMillisEach: plain / count, statedMillis }
}

/** What it takes to write the rows down and do nothing else. */
async function plainMillis(core: Core): Promise<number> {
  const rows = await rowsOf(core)
  const lines: string[] = []
  return cpuMillisOf(() => {
    for (const row of rows) lines.push(`${JSON.stringify(row)}\n`)
  })
}

/** A site whose machines were all made on the first day: half of them have one row a day, half have three. */
async function siteWith(machines: number, days: number): Promise<Core> {
  const config = await demoConfig()
  const budgets = numbers(budgetCount).map((n) =>
    BudgetRule.parse({ code: `T-${n}`, title: 'bench', holders: ['bob'], limit: '1000000000.00' }),
  )
  const at = instant(millis(startOfDay(firstDay, config.site.timezone)) + day / 2)
  const core = await openCore({ config: { ...config, site: { ...config.site, budgets } }, at })
  const paidTo = addDays(firstDay, days + 30)
  await putAll(core.store, numbers(machines), async (tx, n) => {
    const size = n % 2 === 0 ? { cpus: 1, memoryGb: 1 } : { cpus: 2, memoryGb: 4 }
    const history = [{ state: 'running' as const, at }]
    const made = { ...size, history, createdAt: at, hypervisor: null, host: null, attentionAt: null }
    const machine = { ...someMachine(n), ...made, budget: `T-${n % budgetCount}` }
    await tx.machines.put(machine)
    const { id, ref, budget } = machine
    await tx.commitments.put(commit({ id, ref, budget, createdDay: firstDay, paidTo, openEnded: false }))
  })
  return core
}

async function toolsOf({ store, config, clock, told }: Core): Promise<Tools> {
  const directory = await openDirectory(config.identity)
  const outside = {
    hypervisors: new Map(),
    directory,
    teller: told,
    registrars: [],
    closeConnections: async () => 0,
  }
  return { store, site: config.site, clock, ids: countedIds(), log: silentLog, ...outside }
}

async function stateAll(core: Core, days: number): Promise<void> {
  const last = addDays(firstDay, days).slice(0, 7)
  for (let month = firstDay.slice(0, 7); month <= last; month = monthAfter(month)) {
    for (const { code } of core.config.site.budgets) {
      await core.operations.perform(showStatement, system(), { code, month })
    }
  }
}

async function rowsOf({ store }: Core): Promise<Charge[]> {
  return store.read(async (tx) => {
    const rows: Charge[] = []
    for await (const row of ledger(tx, { from: firstDay })) rows.push(row)
    return rows
  })
}
