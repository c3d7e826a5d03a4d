import { z } from 'zod'
import { formatMoney } from '../../pricing/money.ts'
import { query } from './operation.ts'
import { anybody } from './rules.ts'
import { MoneyShape } from './shapes/fields.ts'

export const listPrices = query({
  name: 'list-prices',
  summary: 'List the tariffs by the day from which they hold.',
  http: { method: 'GET', path: '/prices' },
  input: z.object({}),
  output: z.object({
    currency: z.string(),
    tariffs: z.array(
      z.object({
        name: z.string(),
        from: z.string(),
        freeDays: z.number(),
        freeDaysCover: z.enum(['all', 'base']),
        base: MoneyShape,
        perGb: MoneyShape,
        perCpu: MoneyShape,
      }),
    ),
  }),
  allow: anybody,
  run: async ({ site }) => ({
    currency: site.currency,
    tariffs: site.tariffs.map(({ name, from, freeDays, freeDaysCover, ...price }) => ({
      name,
      from,
      freeDays,
      freeDaysCover,
      base: formatMoney(price.baseMilli),
      perGb: formatMoney(price.perGbMilli),
      perCpu: formatMoney(price.perCpuMilli),
    })),
  }),
})
