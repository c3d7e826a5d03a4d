import { z } from 'zod'
import { formatMoney } from '../../pricing/money.ts'
import { tariffsOfClass } from '../../pricing/tariff-class.ts'
import { type Tariff, tariffOn } from '../../pricing/tariff.ts'
import { localDay } from '../base/period.ts'
import { serverGroup } from '../machines/host.ts'
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
        /** The classes of machines that it is for, by host group; absent where it covers the rest. */
        for: z.array(z.string()).optional(),
        /** Whether anything is priced by it today. */
        holds: z.boolean(),
        /** Whether servers are, where no host is chosen for them. */
        servers: z.boolean(),
        freeDays: z.number(),
        freeDaysCover: z.enum(['all', 'base']),
        base: MoneyShape,
        perGb: MoneyShape,
        perCpu: MoneyShape,
        /** An hour of a session on a desktop that is begun. */
        perLeaseHour: MoneyShape.optional(),
        /** Prices of a day on which a machine was saved, or in the library, where they are others. */
        saved: RestingShape.optional(),
        archived: RestingShape.optional(),
      }),
    ),
  }),
  allow: anybody,
  run: async ({ tx, now, site }) => {
    const today = localDay(now, site.timezone)
    const hosts = await tx.hosts.all()
    const classes = [...new Set([serverGroup, ...hosts.map(({ group }) => group)])]
    const inForce = classes.map((name) => tariffOn(today, tariffsOfClass(site.tariffs, name)))
    return {
      currency: site.currency,
      tariffs: site.tariffs.map((tariff) => ({
        ...priced(tariff),
        holds: inForce.includes(tariff),
        servers: inForce[0] === tariff,
      })),
    }
  },
})

function priced({ name, from, freeDays, freeDaysCover, ...price }: Tariff) {
  return {
    name,
    from,
    ...(price.for === undefined ? {} : { for: price.for }),
    freeDays,
    freeDaysCover,
    base: formatMoney(price.baseMilli),
    perGb: formatMoney(price.perGbMilli),
    perCpu: formatMoney(price.perCpuMilli),
    ...(price.perLeaseHourMilli === undefined ? {} : { perLeaseHour: formatMoney(price.perLeaseHourMilli) }),
    ...(price.saved === undefined ? {} : { saved: resting(price.saved) }),
    ...(price.archived === undefined ? {} : { archived: resting(price.archived) }),
  }
}

function resting(prices: NonNullable<Tariff['saved']>): z.infer<typeof RestingShape> {
  const { baseMilli, perGbMilli, perCpuMilli } = prices
  return {
    ...(baseMilli === undefined ? {} : { base: formatMoney(baseMilli) }),
    ...(perGbMilli === undefined ? {} : { perGb: formatMoney(perGbMilli) }),
    ...(perCpuMilli === undefined ? {} : { perCpu: formatMoney(perCpuMilli) }),
  }
}
