import { expect, test } from 'vitest'
import { type Charge, reversal } from '../../pricing/charge.ts'
import { csv } from '../../pricing/csv.ts'
import { focusCsv } from '../../pricing/focus.ts'
import { checkFocus } from './focus-check.ts'

const facts = {
  site: 'CERN Virtual Infrastructure',
  budget: { code: 'T-1042', title: 'Detector controls' },
  month: '2026-11',
  currency: 'CHF',
  billing: { from: '2026-10-31T23:00:00.000Z', to: '2026-11-30T23:00:00.000Z' },
  spanOf: () => ({ from: '2026-11-01T23:00:00.000Z', to: '2026-11-02T23:00:00.000Z' }),
}

const row: Charge = {
  ...{ id: 'vm-1|2026-11-02|cpu', at: '2026-11-02T00:00:00.000Z', day: '2026-11-02' },
  ...{ machine: 'web1', ref: 'vm-1', budget: 'T-1042', owner: 'alice', component: 'cpu', state: 'saved' },
  ...{ tariff: 'standard', quantity: 2, unitMilli: 685, amountMilli: 1_370, reason: null },
}

test('a row of the ledger says in every column what FOCUS means by it', () => {
  const [line] = checkFocus(focusCsv([row], facts))

  expect(line).toEqual({
    ...{ BilledCost: '1.37', ContractedCost: '1.37', EffectiveCost: '1.37', ListCost: '1.37' },
    ...{ ContractedUnitPrice: '0.685', ListUnitPrice: '0.685' },
    ...{ BillingAccountId: 'T-1042', BillingAccountName: 'Detector controls', BillingAccountType: 'Budget' },
    ...{ BillingCurrency: 'CHF', InvoiceId: 'T-1042-2026-11' },
    ...{ BillingPeriodStart: '2026-10-31T23:00:00Z', BillingPeriodEnd: '2026-11-30T23:00:00Z' },
    ...{ ChargePeriodStart: '2026-11-01T23:00:00Z', ChargePeriodEnd: '2026-11-02T23:00:00Z' },
    ...{ ChargeCategory: 'Usage', ChargeClass: '', ChargeFrequency: 'Usage-Based' },
    ChargeDescription: 'CPUs above the first of web1 on 2026-11-02',
    ...{ ConsumedQuantity: '2', ConsumedUnit: 'CPU-Days', PricingQuantity: '2', PricingUnit: 'CPU-Days' },
    ...{ InvoiceIssuerName: facts.site, ProviderName: facts.site, PublisherName: facts.site },
    PricingCategory: 'Standard',
    ...{ ResourceId: 'vm-1', ResourceName: 'web1', ResourceType: 'Virtual Machine' },
    ...{
      ServiceCategory: 'Compute',
      ServiceName: 'Virtual machines',
      ServiceSubcategory: 'Virtual Machines',
    },
    ...{ SkuId: 'standard/cpu', SkuMeter: 'CPUs above the first', SkuPriceId: 'standard/cpu/saved' },
    Tags: '{"owner":"alice"}',
  })
})

test.each([
  ['base', 'Machine-Days', 'Machine'],
  ['memory', 'GB-Days', 'Memory above the first GB'],
  ['cpu', 'CPU-Days', 'CPUs above the first'],
  ['free', 'Machine-Days', 'Free allowance'],
] as const)('%s is counted in %s', (component, unit, meter) => {
  const [line] = checkFocus(focusCsv([{ ...row, component }], facts))

  expect(line).toMatchObject({ ConsumedUnit: unit, PricingUnit: unit, SkuMeter: meter })
})

test('what is taken back says why, and what nobody owned has no owner', () => {
  const back = reversal({ ...row, owner: null }, { day: '2026-11-20', reason: 'the host was down' })

  const [line] = checkFocus(focusCsv([back], facts))

  expect(line).toMatchObject({
    ChargeDescription: 'CPUs above the first of web1 on 2026-11-02, taken back: the host was down',
    Tags: '{}',
    ConsumedQuantity: '-2',
  })
})

test.each([
  [null, ''],
  [-10, '-10'],
  ['-12', '-12'],
  ['-1.25', '-1.25'],
  ['-1x', "'-1x"],
  ['-x1', "'-x1"],
  ['-1.', "'-1."],
  ['+1', "'+1"],
  ['a-1', 'a-1'],
  ['a\rb', '"a\rb"'],
  ['a\nb', '"a\nb"'],
])('the field %j is written as %j', (value, written) => {
  expect(csv([[value]])).toBe(`${written}\r\n`)
})
