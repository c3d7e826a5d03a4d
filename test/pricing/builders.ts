import { BudgetRule } from '../../pricing/budget.ts'
import { Tariff } from '../../pricing/tariff.ts'

/** The standard tariff of 2009: 0.96 a day after 31 free days, 0.685 for each GB and each CPU above the first. */
export function aTariff(changes: Partial<Tariff> = {}): Tariff {
  const standard = Tariff.parse({
    name: 'standard',
    from: '2009-01-01',
    freeDays: 31,
    freeDaysCover: 'all',
    base: '0.960',
    perGb: '0.685',
    perCpu: '0.685',
  })
  return { ...standard, ...changes }
}

export function aBudget(changes: Partial<BudgetRule> = {}): BudgetRule {
  const rule = BudgetRule.parse({
    code: 'T-1042',
    title: 'Detector controls',
    holders: ['bob'],
    limit: '2000.00',
    autoApproveBelow: '0.00',
  })
  return { ...rule, ...changes }
}
