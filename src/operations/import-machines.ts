import { z } from 'zod'
import { fullPerDayMilli } from '../../pricing/cost.ts'
import { formatMoney } from '../../pricing/money.ts'
import { localDay } from '../base/period.ts'
import type { Machine } from '../machines/machine.ts'
import { planTakeover, readTakeover, type TakeoverRow } from '../machines/takeover.ts'
import type { ReadTransaction } from '../store/store.ts'
import { change } from './operation.ts'
import { tariffsOf } from './promising.ts'
import { operators } from './rules.ts'
import { MoneyShape } from './shapes/fields.ts'
import type { Site } from './site.ts'

export const importMachines = change({
  name: 'import-machines',
  summary: 'Take over machines from the list of another system. Doing it again changes nothing.',
  http: { method: 'POST', path: '/machines/import', body: { type: 'text/csv', field: 'csv' } },
  input: z.object({ csv: z.string().max(1_000_000), dryRun: z.stringbool().default(false) }),
  output: z.object({
    imported: z.number(),
    unchanged: z.number(),
    refused: z.array(z.object({ line: z.number(), reason: z.string() })),
    /** How many of the list have no owner that is known: they wait to be claimed. */
    orphans: z.number(),
    neverEnding: z.number(),
    unreachable: z.number(),
    cpus: z.number(),
    memoryGb: z.number(),
    /** What all machines of the list cost a day at full price. */
    perDay: MoneyShape,
    currency: z.string(),
    /** What becomes of each line, in order. */
    lines: z.array(
      z.object({
        line: z.number(),
        name: z.string(),
        outcome: z.enum(['new', 'unchanged']),
        says: z.string(),
      }),
    ),
    dryRun: z.boolean(),
  }),
  allow: operators,
  async run({ tx, now, ids, site }, { csv, dryRun }) {
    const zone = site.timezone
    const { rows, refused } = readTakeover(csv, zone)
    const existing = await known(tx, rows)
    const plan = planTakeover(rows, existing, { now, zone, ids, policy: site.policies.machines })
    if (!dryRun) for (const machine of plan.create) await tx.machines.put(machine)
    const created = new Set(plan.create.map(({ id }) => id))
    const taken = rows.filter(({ name }) => created.has(name) || existing.has(name))
    return {
      imported: plan.create.length,
      unchanged: plan.unchanged.length,
      refused: [...refused, ...plan.refused].sort((a, b) => a.line - b.line),
      ...totals(taken),
      perDay: formatMoney(perDay(taken, site, localDay(now, zone))),
      currency: site.currency,
      lines: taken.map((row) => ({
        line: row.line,
        name: row.name,
        outcome: created.has(row.name) ? ('new' as const) : ('unchanged' as const),
        says: inWords(row, zone),
      })),
      dryRun,
    }
  },
})

async function known(tx: ReadTransaction, rows: readonly TakeoverRow[]): Promise<Map<string, Machine>> {
  const found = await Promise.all(rows.map(({ name }) => tx.machines.get(name)))
  return new Map(found.filter((machine) => machine !== undefined).map((machine) => [machine.id, machine]))
}

function totals(rows: readonly TakeoverRow[]) {
  return {
    orphans: rows.filter(({ owner }) => owner === null).length,
    neverEnding: rows.filter(({ expiresAt }) => expiresAt === null).length,
    unreachable: rows.filter(({ state }) => state === 'unreachable').length,
    cpus: rows.reduce((sum, { cpus }) => sum + cpus, 0),
    memoryGb: rows.reduce((sum, { memoryGb }) => sum + memoryGb, 0),
  }
}

function perDay(rows: readonly TakeoverRow[], site: Site, day: string): number {
  const tariffs = tariffsOf(site, undefined)
  return rows.reduce((sum, { cpus, memoryGb }) => sum + fullPerDayMilli({ cpus, memoryGb }, tariffs, day), 0)
}

function inWords({ owner, cpus, memoryGb, expiresAt, providerState }: TakeoverRow, zone: string): string {
  const whose = owner === null ? 'an orphan, to be claimed' : `owned by ${owner}`
  const end = expiresAt === null ? 'never ends' : `ends ${localDay(expiresAt, zone)}`
  return `${whose}, ${cpus} CPU, ${memoryGb} GB, ${end}, ${providerState}`
}
