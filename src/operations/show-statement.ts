import { z } from 'zod'
import { csv } from '../../pricing/csv.ts'
import { focusCsv } from '../../pricing/focus.ts'
import { daysOfMonth } from '../../pricing/budget-period.ts'
import type { Charge } from '../../pricing/charge.ts'
import { formatMoney } from '../../pricing/money.ts'
import { type Statement, statement } from '../../pricing/statement.ts'
import { notFound, refuse } from '../base/errors.ts'
import { addDays, localDay, startOfDay } from '../base/period.ts'
import { closedMonth, ledger } from './charging.ts'
import { query, type ReadContext } from './operation.ts'
import { anybody } from './rules.ts'
import { InstantShape, MoneyShape } from './shapes/fields.ts'
import { maySeeBudget } from './show-budget.ts'

const Component = z.enum(['base', 'memory', 'cpu', 'free', 'lease'])
const State = z.enum(['running', 'saved', 'archived'])

/** A row of the ledger, as the FOCUS export is made of it. */
const RowShape = z.object({
  id: z.string(),
  at: InstantShape,
  machine: z.string(),
  ref: z.string(),
  budget: z.string(),
  owner: z.string().nullable(),
  day: z.string(),
  component: Component,
  state: State,
  tariff: z.string(),
  quantity: z.number(),
  unitMilli: z.number(),
  amountMilli: z.number(),
  reason: z.string().nullable(),
})

const StatementShape = z.object({
  /** `T-1042-2026-11`. */
  id: z.string(),
  code: z.string(),
  title: z.string(),
  month: z.string(),
  /** An open statement may still get rows; a closed one never changes. */
  state: z.enum(['open', 'closed']),
  site: z.string(),
  /** Whose days these are. */
  timezone: z.string(),
  currency: z.string(),
  /** The first instant of the month at the site, and of the one after. */
  from: InstantShape,
  to: InstantShape,
  days: z.number(),
  freeDays: z.number(),
  /** Hours of sessions on desktops. */
  hours: z.number(),
  /** The sum of its lines, to the thousandth. */
  total: MoneyShape,
  /** The total in whole hundredths: rounded once. */
  rounded: MoneyShape,
  machines: z.array(
    z.object({
      machine: z.string(),
      owner: z.string().nullable(),
      days: z.number(),
      freeDays: z.number(),
      hours: z.number(),
      total: MoneyShape,
    }),
  ),
  lines: z.array(
    z.object({
      machine: z.string(),
      owner: z.string().nullable(),
      component: Component,
      state: State,
      tariff: z.string(),
      /** Machines, GB or CPUs each of so many days; of sessions, the hours of all days together. */
      quantity: z.number(),
      unitPrice: MoneyShape,
      days: z.number(),
      amount: MoneyShape,
      /** Why it takes back an earlier charge; null for a charge. */
      reason: z.string().nullable(),
    }),
  ),
  /** Every row of the ledger, by day; only with `format=focus`. */
  rows: z.array(RowShape).optional(),
})
export type StatementView = z.infer<typeof StatementShape>

export const showStatement = query({
  name: 'show-statement',
  summary: 'Show what was charged to a budget in a month, by machine and component.',
  http: {
    method: 'GET',
    path: '/statements/{code}/{month}',
    formats: [
      { name: 'csv', type: 'text/csv', fileName: named('csv'), render: (answer) => linesCsv(parsed(answer)) },
      {
        name: 'focus',
        type: 'text/csv',
        fileName: named('focus.csv'),
        render: (answer) => focusOf(parsed(answer)),
      },
    ],
  },
  input: z.object({
    code: z.string().max(40),
    month: z.string().regex(/^\d{4}-(0[1-9]|1[0-2])$/, 'a month, such as 2026-11'),
    format: z.enum(['json', 'csv', 'focus']).optional(),
  }),
  output: StatementShape,
  allow: anybody,
  async run(context, { code, month, format }) {
    const { tx, caller, now, site } = context
    const rule = site.budgets.find((known) => known.code === code.toUpperCase())
    if (rule === undefined || !maySeeBudget(caller, rule)) throw notFound('budget', code)
    const today = localDay(now, site.timezone)
    if (month > today.slice(0, 7)) {
      refuse('invalid_input', `${month} has not begun. Ask for a month up to ${today.slice(0, 7)}.`, {
        errors: [{ path: 'month', message: `at most ${today.slice(0, 7)}` }],
      })
    }
    const found = statement(await tx.tallies.find('statement', `${rule.code}|${month}`))
    const rows = format === 'focus' ? await rowsOf(context, rule.code, month) : undefined
    const closed = await closedMonth(tx)
    const isClosed = closed !== null && month <= closed
    return {
      id: `${rule.code}-${month}`,
      code: rule.code,
      title: rule.title,
      month,
      state: isClosed ? ('closed' as const) : ('open' as const),
      site: site.name,
      timezone: site.timezone,
      currency: site.currency,
      ...boundsOf(month, site.timezone),
      ...viewOf(found),
      ...(rows === undefined ? {} : { rows }),
    }
  },
})

function boundsOf(month: string, zone: string): { from: string; to: string } {
  const { from, to } = daysOfMonth(month)
  return { from: startOfDay(from, zone), to: startOfDay(to, zone) }
}

/** The rows of a month, oldest day first. */
async function rowsOf({ tx }: ReadContext, budget: string, month: string): Promise<Charge[]> {
  const rows: Charge[] = []
  for await (const row of ledger(tx, daysOfMonth(month))) if (row.budget === budget) rows.push(row)
  return rows.reverse()
}

function viewOf({ lines, machines, days, freeDays, hours, totalMilli, roundedMilli }: Statement) {
  return {
    days,
    freeDays,
    hours,
    total: formatMoney(totalMilli),
    rounded: formatMoney(roundedMilli),
    machines: machines.map(({ ref: _, totalMilli: milli, ...rest }) => ({
      ...rest,
      total: formatMoney(milli),
    })),
    lines: lines.map(({ ref: _, unitMilli, amountMilli, ...rest }) => ({
      ...rest,
      unitPrice: formatMoney(unitMilli),
      amount: formatMoney(amountMilli),
    })),
  }
}

function parsed(answer: unknown): StatementView {
  return StatementShape.parse(answer)
}

function named(ending: string) {
  return (answer: unknown): string => `statement-${parsed(answer).id}.${ending}`
}

/** One line for each machine and component, and the total last, as the statement in JSON has them. */
function linesCsv(view: StatementView): string {
  const head = ['budget', 'month', 'state', 'machine', 'owner', 'component', 'allocation', 'tariff']
  const figures = ['quantity', 'unit price', 'days', 'amount', 'currency', 'reason']
  const { code, month, state, currency } = view
  return csv([
    [...head, ...figures],
    ...view.lines.map((line) => [
      ...[code, month, state, line.machine, line.owner, line.component, line.state, line.tariff],
      ...[line.quantity, line.unitPrice, line.days, line.amount, currency, line.reason],
    ]),
    [code, month, state, null, null, 'total', null, null, null, null, view.days, view.total, currency, null],
  ])
}

function focusOf(view: StatementView): string {
  const { site, code, title, month, currency, from, to, timezone, rows = [] } = view
  return focusCsv(rows, {
    site,
    budget: { code, title },
    month,
    currency,
    billing: { from, to },
    spanOf: (day) => ({ from: startOfDay(day, timezone), to: startOfDay(addDays(day, 1), timezone) }),
  })
}
