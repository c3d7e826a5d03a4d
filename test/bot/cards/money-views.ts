import type { Costs } from '../../../src/charts/costs.ts'
import type { StatementView } from '../../../src/operations/show-statement.ts'

/** Costs over the turn of a year: two months of facts, one that has begun, and one to come. */
export function aCosts(machines: readonly string[] = ['webafs20', 'lxbuild01']): Costs {
  const each = (charged: string, forecast: string) =>
    machines.map((machine) => ({ machine, charged, forecast }))
  return {
    ...{ currency: 'CHF', thisMonth: '2026-01', charged: '146.40', forecast: '153.60' },
    months: [
      { month: '2025-11', charged: '28.80', forecast: '0.00', machines: each('14.40', '0.00') },
      { month: '2025-12', charged: '59.52', forecast: '0.00', machines: each('29.76', '0.00') },
      { month: '2026-01', charged: '58.08', forecast: '57.60', machines: each('29.04', '28.80') },
      { month: '2026-02', charged: '0.00', forecast: '96.00', machines: each('0.00', '48.00') },
    ],
  }
}

export const aStatementRow: StatementView['machines'][number] = {
  ...{ machine: 'webafs20', owner: 'alice', days: 31, freeDays: 0, hours: 0, total: '114.705' },
}

/** What T-1042 was charged in December. */
export function aStatementView(differences: Partial<StatementView> = {}): StatementView {
  return {
    ...{
      id: 'T-1042-2025-12',
      code: 'T-1042',
      title: 'Detector controls',
      month: '2025-12',
      state: 'closed',
    },
    ...{ site: 'Demo', timezone: 'Europe/Zurich', currency: 'CHF' },
    ...{ from: '2025-11-30T23:00:00.000Z', to: '2025-12-31T23:00:00.000Z' },
    ...{ days: 39, freeDays: 8, hours: 0, total: '114.705', rounded: '114.71' },
    machines: [
      aStatementRow,
      { machine: 'test01', owner: null, days: 8, freeDays: 8, hours: 0, total: '0.00' },
    ],
    lines: [],
    ...differences,
  }
}
