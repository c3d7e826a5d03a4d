import type { Instant } from '../src/base/clock.ts'
import { bookingDay, type Charge, type Component } from './charge.ts'
import { csv, type Field } from './csv.ts'
import { formatMoney } from './money.ts'

/** What a FOCUS export says of every row. */
export interface FocusFacts {
  /** Who runs the site: provider, publisher and issuer of its statements in one. */
  site: string
  budget: { code: string; title: string }
  month: string
  currency: string
  /** The first instant of the site's month, and of the month after. */
  billing: { from: Instant; to: Instant }
  /** The first instant of a day of the site, and of the day after. */
  spanOf: (day: string) => { from: Instant; to: Instant }
}

type Column = readonly [name: string, of: (row: Charge, facts: FocusFacts) => Field]

/**
 * The columns of FOCUS 1.2 (FinOps Open Cost and Usage Specification) that are mandatory, and of the conditional and
 * recommended ones those that we have something to say in. List, contracted and billed prices are one: there are no
 * discounts and nothing is paid beforehand.
 */
const columns: readonly Column[] = [
  ['BilledCost', cost],
  ['BillingAccountId', (_, { budget }) => budget.code],
  ['BillingAccountName', (_, { budget }) => budget.title],
  ['BillingAccountType', () => 'Budget'],
  ['BillingCurrency', (_, { currency }) => currency],
  ['BillingPeriodEnd', (_, { billing }) => utc(billing.to)],
  ['BillingPeriodStart', (_, { billing }) => utc(billing.from)],
  ['ChargeCategory', () => 'Usage'],
  ['ChargeClass', (row) => (isLate(row) ? 'Correction' : null)],
  ['ChargeDescription', (row) => descriptionOf(row)],
  ['ChargeFrequency', () => 'Usage-Based'],
  ['ChargePeriodEnd', ({ day }, { spanOf }) => utc(spanOf(day).to)],
  ['ChargePeriodStart', ({ day }, { spanOf }) => utc(spanOf(day).from)],
  ['ConsumedQuantity', ({ quantity }) => quantity],
  ['ConsumedUnit', ({ component }) => units[component]],
  ['ContractedCost', cost],
  ['ContractedUnitPrice', unitPrice],
  ['EffectiveCost', cost],
  ['InvoiceId', (_, { budget, month }) => `${budget.code}-${month}`],
  ['InvoiceIssuerName', (_, { site }) => site],
  ['ListCost', cost],
  ['ListUnitPrice', unitPrice],
  ['PricingCategory', () => 'Standard'],
  ['PricingQuantity', ({ quantity }) => quantity],
  ['PricingUnit', ({ component }) => units[component]],
  ['ProviderName', (_, { site }) => site],
  ['PublisherName', (_, { site }) => site],
  ['ResourceId', ({ ref }) => ref],
  ['ResourceName', ({ machine }) => machine],
  ['ResourceType', (row) => (isLease(row) ? 'Virtual Desktop' : 'Virtual Machine')],
  ['ServiceCategory', () => 'Compute'],
  ['ServiceName', (row) => (isLease(row) ? 'Virtual desktops' : 'Virtual machines')],
  ['ServiceSubcategory', (row) => (isLease(row) ? 'End User Computing' : 'Virtual Machines')],
  ['SkuId', ({ tariff, component }) => `${tariff}/${component}`],
  ['SkuMeter', ({ component }) => meters[component]],
  ['SkuPriceId', ({ tariff, component, state }) => `${tariff}/${component}/${state}`],
  ['Tags', ({ owner }) => JSON.stringify(owner === null ? {} : { owner })],
]

/** Rows of the ledger as a FOCUS 1.2 file: one line for each machine, day and component. */
export function focusCsv(rows: readonly Charge[], facts: FocusFacts): string {
  return csv([columns.map(([name]) => name), ...rows.map((row) => columns.map(([, of]) => of(row, facts)))])
}

const meters: Readonly<Record<Component, string>> = {
  base: 'Machine',
  memory: 'Memory above the first GB',
  cpu: 'CPUs above the first',
  free: 'Free allowance',
  lease: 'Desktop hours',
}

const units: Readonly<Record<Component, string>> = {
  base: 'Machine-Days',
  memory: 'GB-Days',
  cpu: 'CPU-Days',
  free: 'Machine-Days',
  lease: 'Hours',
}

function isLease({ component }: Charge): boolean {
  return component === 'lease'
}

/** What belongs to a month that was closed before it was booked. */
function isLate(row: Charge): boolean {
  return row.day.slice(0, 7) !== bookingDay(row).slice(0, 7)
}

function descriptionOf({ machine, component, day, reason }: Charge): string {
  const what = `${meters[component]} of ${machine} on ${day}`
  return reason === null ? what : `${what}, taken back: ${reason}`
}

function cost({ amountMilli }: Charge): Field {
  return formatMoney(amountMilli)
}

function unitPrice({ unitMilli }: Charge): Field {
  return formatMoney(unitMilli)
}

/** RFC 3339 in UTC without fractions, as the specification writes instants. */
function utc(at: Instant): string {
  return `${at.slice(0, 19)}Z`
}
