import { parse } from 'csv-parse/sync'
import { z } from 'zod'

/**
 * The mandatory columns of FOCUS 1.2, with whether they may be null and the form of their values, as chapter 2 of the
 * FinOps Open Cost and Usage Specification has them.
 */
const instant = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/
const decimal = /^-?\d+(\.\d+)?$/
const text = /^.+$/
const mandatory: Readonly<Record<string, { nullable: boolean; form: RegExp }>> = {
  BilledCost: { nullable: false, form: decimal },
  BillingAccountId: { nullable: false, form: text },
  BillingAccountName: { nullable: true, form: text },
  BillingCurrency: { nullable: false, form: /^[A-Z]{3}$/ },
  BillingPeriodEnd: { nullable: false, form: instant },
  BillingPeriodStart: { nullable: false, form: instant },
  ChargeCategory: { nullable: false, form: /^(Usage|Purchase|Tax|Credit|Adjustment)$/ },
  ChargeClass: { nullable: true, form: /^Correction$/ },
  ChargeDescription: { nullable: true, form: text },
  ChargePeriodEnd: { nullable: false, form: instant },
  ChargePeriodStart: { nullable: false, form: instant },
  ContractedCost: { nullable: false, form: decimal },
  EffectiveCost: { nullable: false, form: decimal },
  InvoiceIssuerName: { nullable: false, form: text },
  ListCost: { nullable: false, form: decimal },
  PricingQuantity: { nullable: true, form: decimal },
  PricingUnit: { nullable: true, form: text },
  ProviderName: { nullable: false, form: text },
  PublisherName: { nullable: false, form: text },
  ServiceCategory: { nullable: false, form: /^Compute$/ },
  ServiceName: { nullable: false, form: text },
}

/** The rows of a FOCUS file. @throws Error naming the first thing that the specification does not allow. */
export function checkFocus(file: string): Record<string, string>[] {
  const rows = z.array(z.record(z.string(), z.string())).parse(parse(file, { columns: true }))
  for (const [index, row] of rows.entries()) {
    for (const [column, { nullable, form }] of Object.entries(mandatory)) {
      const value = row[column]
      if (value === undefined) throw new Error(`there is no column ${column}`)
      if (value === '' ? !nullable : !form.test(value))
        throw new Error(`row ${index}: ${column} is "${value}"`)
    }
    checkRow(row, index)
  }
  return rows
}

/** What columns must be to one another. */
function checkRow(row: Record<string, string>, index: number): void {
  const of = (column: string): string => row[column] ?? ''
  const fail = (what: string): never => {
    throw new Error(`row ${index}: ${what}`)
  }
  if (of('ChargePeriodStart') >= of('ChargePeriodEnd')) fail('the charge period ends before it starts')
  if (of('BillingPeriodStart') >= of('BillingPeriodEnd')) fail('the billing period ends before it starts')
  const isUsage = of('ChargeCategory') === 'Usage' && of('ChargeClass') !== 'Correction'
  if (!isUsage) return
  if (of('PricingQuantity') === '' || of('PricingUnit') === '') fail('usage has a quantity and a unit')
  if (of('ConsumedQuantity') === '') fail('usage has a consumed quantity')
  const product = Number(of('PricingQuantity')) * Number(of('ListUnitPrice'))
  if (Math.abs(product - Number(of('ListCost'))) > 1e-9) fail('quantity and price do not make the cost')
}
