import { z } from 'zod'
import { isLocalDay } from '../src/base/period.ts'
import { isMoney, parseMoney } from './money.ts'

const Price = z
  .string()
  .refine(isMoney, 'an amount with at most three decimals in quotes, such as "0.685"')
  .transform(parseMoney)

/** Prices from a day on, per machine and local calendar day. A tariff is never edited: a later one is added. */
export const Tariff = z
  .strictObject({
    name: z.string().min(1).max(40),
    from: z.string().refine(isLocalDay, 'a day, such as 2026-01-31'),
    /** Days from creation that cost nothing. */
    freeDays: z.number().int().min(0).max(3660),
    /** What the free days cover: the whole machine, or only its base price. */
    freeDaysCover: z.enum(['all', 'base']).default('all'),
    base: Price,
    /** For each GB above the first. */
    perGb: Price,
    /** For each CPU above the first. */
    perCpu: Price,
  })
  .transform(({ base, perGb, perCpu, ...rest }) => ({
    ...rest,
    baseMilli: base,
    perGbMilli: perGb,
    perCpuMilli: perCpu,
  }))
export type Tariff = z.infer<typeof Tariff>
