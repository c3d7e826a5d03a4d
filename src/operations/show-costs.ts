import { z } from 'zod'
import { daysOfMonth, monthAfter, monthBefore } from '../../pricing/budget-period.ts'
import { type Commitment, heldMilli } from '../../pricing/commitment.ts'
import { poolName } from '../../pricing/lease-charge.ts'
import { formatMoney } from '../../pricing/money.ts'
import { sessionsOf, type Tally, tallyKey } from '../../pricing/tally.ts'
import { notFound, refuse } from '../base/errors.ts'
import { localDay } from '../base/period.ts'
import type { Machine } from '../machines/machine.ts'
import { allocationsOf } from '../machines/usage.ts'
import { mayUseBudget } from '../requests/approval.ts'
import { costToCome } from './forecast.ts'
import { query, type ReadContext } from './operation.ts'
import { anybody, seen } from './rules.ts'
import { MoneyShape } from './shapes/fields.ts'
import { maySeeBudget } from './show-budget.ts'

const Amounts = z.object({
  /** What was charged. */
  charged: MoneyShape,
  /** What is still to come, if nothing changes. */
  forecast: MoneyShape,
})

const CostsShape = z.object({
  currency: z.string(),
  /** The month of today: before it there are facts only, after it forecasts only. */
  thisMonth: z.string(),
  charged: MoneyShape,
  forecast: MoneyShape,
  months: z.array(
    Amounts.extend({
      month: z.string(),
      /** By name. Machines that cost nothing in a month are left out. */
      machines: z.array(Amounts.extend({ machine: z.string() })),
    }),
  ),
})
export type CostsView = z.infer<typeof CostsShape>

export const showCosts = query({
  name: 'show-costs',
  summary:
    'Show costs by month and machine, with the forecast: of a budget, of a machine, or of all of yours.',
  http: { method: 'GET', path: '/costs' },
  input: z.object({
    budget: z.string().max(40).optional(),
    machine: z.string().max(63).optional(),
    /** How many months back, this one included. */
    months: z.coerce.number().int().min(1).max(36).default(12),
    /** How many months ahead. */
    ahead: z.coerce.number().int().min(0).max(12).default(3),
  }),
  output: CostsShape,
  allow: anybody,
  async run(context, input) {
    const { now, site } = context
    const thisMonth = localDay(now, site.timezone).slice(0, 7)
    const span = monthsAround(thisMonth, input)
    const sheet = new Sheet(span)
    await fill(context, input, span, sheet)
    return { currency: site.currency, thisMonth, ...sheet.view() }
  },
})

function monthsAround(month: string, { months, ahead }: { months: number; ahead: number }): string[] {
  const span = [month]
  for (let n = 1; n < months; n++) span.unshift(monthBefore(span[0] ?? month))
  for (let n = 0; n < ahead; n++) span.push(monthAfter(span.at(-1) ?? month))
  return span
}

/** Amounts by month and machine. */
class Sheet {
  readonly #months: Map<string, Map<string, Pair>>

  constructor(months: readonly string[]) {
    this.#months = new Map(months.map((month) => [month, new Map<string, Pair>()]))
  }

  add(month: string, machine: string, amounts: { charged?: number; forecast?: number }): void {
    const row = this.#months.get(month)
    const { charged, forecast } = row?.get(machine) ?? { charged: 0, forecast: 0 }
    row?.set(machine, {
      charged: charged + (amounts.charged ?? 0),
      forecast: forecast + (amounts.forecast ?? 0),
    })
  }

  view(): Omit<CostsView, 'currency' | 'thisMonth'> {
    const months = [...this.#months].map(([month, row]) => {
      const machines = [...row].filter(([, { charged, forecast }]) => charged !== 0 || forecast !== 0)
      machines.sort(([a], [b]) => (a < b ? -1 : 1))
      return { month, machines, ...totals(machines.map(([, amounts]) => amounts)) }
    })
    const all = totals(months)
    return {
      ...money(all),
      months: months.map(({ month, machines, ...amounts }) => ({
        month,
        ...money(amounts),
        machines: machines.map(([machine, each]) => ({ machine, ...money(each) })),
      })),
    }
  }
}

interface Pair {
  charged: number
  forecast: number
}

function totals(rows: readonly Pair[]): Pair {
  return rows.reduce<Pair>(
    (sum, { charged, forecast }) => ({ charged: sum.charged + charged, forecast: sum.forecast + forecast }),
    { charged: 0, forecast: 0 },
  )
}

function money({ charged, forecast }: Pair): { charged: string; forecast: string } {
  return { charged: formatMoney(charged), forecast: formatMoney(forecast) }
}

async function fill(
  context: ReadContext,
  input: { budget?: string | undefined; machine?: string | undefined },
  span: readonly string[],
  sheet: Sheet,
): Promise<void> {
  const { tx, caller, site } = context
  if (input.budget !== undefined && input.machine !== undefined) {
    refuse('invalid_input', 'Ask for the costs of a budget or of a machine, not of both.')
  }
  if (input.machine !== undefined) {
    return addMachine(context, await seen(context, input.machine), span, sheet)
  }
  if (input.budget === undefined) {
    for (const machine of await tx.machines.find('owner', caller.user)) {
      await addMachine(context, machine, span, sheet)
    }
    return addSessions(context, span, sheet)
  }
  const code = input.budget.toUpperCase()
  const rule = site.budgets.find((known) => known.code === code)
  if (rule === undefined || !maySeeBudget(caller, rule)) throw notFound('budget', input.budget)
  for (const month of span) {
    for (const tally of await tx.tallies.find('statement', `${code}|${month}`)) addTally(sheet, tally)
  }
  for (const commitment of await tx.commitments.find('open', code)) {
    const machine = await tx.machines.get(commitment.id)
    if (machine !== undefined) addForecast(context, sheet, machine, commitment, span)
    else addSession(context, sheet, commitment)
  }
}

/** The caller's own sessions on desktops that somebody pays for, by pool. */
async function addSessions(context: ReadContext, span: readonly string[], sheet: Sheet): Promise<void> {
  const { tx, caller, site } = context
  for (const { name, budget: code } of site.pools) {
    if (code === undefined) continue
    const codes = code === 'own' ? site.budgets.filter((rule) => mayUseBudget(caller, rule)) : [{ code }]
    const ref = sessionsOf(poolName(name), caller.user)
    for (const month of span) {
      for (const { code: budget } of codes) {
        const tally = await tx.tallies.get(tallyKey({ budget, month, ref }))
        if (tally !== undefined) addTally(sheet, tally)
      }
    }
    const [open] = await tx.leases.find('open-user', `${name}|${caller.user}`)
    const commitment = open === undefined ? undefined : await tx.commitments.get(open.id)
    if (commitment !== undefined) addSession(context, sheet, commitment)
  }
}

/** What an open session may still cost: it lasts for hours only, so it is of this month. */
function addSession({ now, site }: ReadContext, sheet: Sheet, commitment: Commitment): void {
  if (commitment.lease === undefined) return
  const month = localDay(now, site.timezone).slice(0, 7)
  sheet.add(month, poolName(commitment.lease.pool), { forecast: heldMilli(commitment) })
}

/** One machine, on whichever budgets it was paid from. */
async function addMachine(
  context: ReadContext,
  machine: Machine,
  span: readonly string[],
  sheet: Sheet,
): Promise<void> {
  const { tx } = context
  const budgets = new Set(allocationsOf(machine).flatMap(({ budget }) => (budget === null ? [] : [budget])))
  for (const month of span) {
    for (const budget of budgets) {
      const tally = await tx.tallies.get(tallyKey({ budget, month, ref: machine.ref }))
      if (tally !== undefined) addTally(sheet, tally)
    }
  }
  const commitment = await tx.commitments.get(machine.id)
  if (commitment?.ref === machine.ref) addForecast(context, sheet, machine, commitment, span)
}

function addTally(sheet: Sheet, { month, machine, lines }: Tally): void {
  sheet.add(month, machine, { charged: lines.reduce((sum, { amountMilli }) => sum + amountMilli, 0) })
}

function addForecast(
  { site }: ReadContext,
  sheet: Sheet,
  machine: Machine,
  commitment: Commitment,
  span: readonly string[],
): void {
  for (const month of span) {
    const forecast = costToCome(machine, commitment, daysOfMonth(month), site)
    if (forecast > 0) sheet.add(month, machine.id, { forecast })
  }
}
