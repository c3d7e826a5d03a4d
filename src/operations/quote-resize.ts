import { z } from 'zod'
import { fullPerDayMilli } from '../../pricing/cost.ts'
import { formatMoney } from '../../pricing/money.ts'
import { localDay } from '../base/period.ts'
import { openCommitment } from './holding.ts'
import { query } from './operation.ts'
import { tariffsOf } from './promising.ts'
import { priceOfResize } from './resizing.ts'
import { anybody, seen } from './rules.ts'
import { MoneyShape } from './shapes/fields.ts'

const ResizeQuoteShape = z.object({
  currency: z.string(),
  /** A day at the present size and at the other one, once no day is free. */
  perDayNow: MoneyShape,
  perDay: MoneyShape,
  /** What the days that are paid for cost more; below zero, less. */
  extra: MoneyShape,
})
export type ResizeQuote = z.infer<typeof ResizeQuoteShape>

export const quoteResize = query({
  name: 'quote-resize',
  summary: 'Price another size of a machine before asking for it.',
  http: { method: 'POST', path: '/machines/{name}/resize/quote' },
  input: z.object({
    name: z.string().max(63),
    cpus: z.coerce.number().int().min(1).max(1024).optional(),
    memoryGb: z.coerce.number().int().min(1).max(65_536).optional(),
  }),
  output: ResizeQuoteShape,
  allow: anybody,
  async run(context, { name, cpus, memoryGb }) {
    const { now, site } = context
    const machine = await seen(context, name)
    const size = { cpus: cpus ?? machine.cpus, memoryGb: memoryGb ?? machine.memoryGb }
    const tariffs = tariffsOf(site, await openCommitment(context, machine))
    const today = localDay(now, site.timezone)
    return {
      currency: site.currency,
      perDayNow: formatMoney(fullPerDayMilli(machine, tariffs, today)),
      perDay: formatMoney(fullPerDayMilli(size, tariffs, today)),
      extra: formatMoney(await priceOfResize(context, machine, size)),
    }
  },
})
