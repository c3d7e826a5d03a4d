import { z } from 'zod'
import { formatMoney } from '../../pricing/money.ts'
import type { Tariff } from '../../pricing/tariff.ts'
import { query } from './operation.ts'
import { anybody } from './rules.ts'
import { MoneyShape } from './shapes/fields.ts'

const RestingShape = z.object({
  base: MoneyShape.optional(),
  perGb: MoneyShape.optional(),
  perCpu: MoneyShape.optional(),
})

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
        /** Prices of a day on which a machine was saved, or in the library, where they are others. */
        saved: RestingShape.optional(),
        archived: RestingShape.optional(),
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
      ...(price.saved === undefined ? {} : { saved: resting(price.saved) }),
      ...(price.archived === undefined ? {} : { archived: resting(price.archived) }),
    })),
  }),
})

function resting(prices: NonNullable<Tariff['saved']>): z.infer<typeof RestingShape> {
  const { baseMilli, perGbMilli, perCpuMilli } = prices
  return {
    ...(baseMilli === undefined ? {} : { base: formatMoney(baseMilli) }),
    ...(perGbMilli === undefined ? {} : { perGb: formatMoney(perGbMilli) }),
    ...(perCpuMilli === undefined ? {} : { perCpu: formatMoney(perCpuMilli) }),
  }
}
