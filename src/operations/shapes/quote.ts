import { z } from 'zod'
import { formatMoney } from '../../../pricing/money.ts'
import type { Quote } from '../../../pricing/quote.ts'
import type { Instant } from '../../base/clock.ts'
import { addDays, localDay, startOfDay } from '../../base/period.ts'
import { fingerprint } from '../../base/seal.ts'
import type { Site } from '../site.ts'
import { InstantShape, MoneyShape } from './fields.ts'

export const QuoteShape = z.object({
  id: z.string(),
  currency: z.string(),
  total: MoneyShape,
  perDay: MoneyShape,
  days: z.number(),
  freeDays: z.number(),
  chargeableDays: z.number(),
  lines: z.array(
    z.object({
      item: z.enum(['base', 'memory', 'cpu', 'free']),
      quantity: z.number(),
      unitPrice: MoneyShape,
      days: z.number(),
      amount: MoneyShape,
    }),
  ),
  validUntil: InstantShape,
})
export type QuoteView = z.infer<typeof QuoteShape>

/** Prices change by day, so a quote holds to the end of the site's day. Its id is made of what it says. */
export function quoteView(quote: Quote, at: { now: Instant; site: Site }): QuoteView {
  const { timezone, currency } = at.site
  const today = localDay(at.now, timezone)
  return {
    id: quoteId(quote, today),
    currency,
    total: formatMoney(quote.totalMilli),
    perDay: formatMoney(quote.perDayMilli),
    days: quote.days,
    freeDays: quote.freeDays,
    chargeableDays: quote.chargeableDays,
    lines: quote.lines.map(({ item, quantity, unitMilli, days, amountMilli }) => ({
      item,
      quantity,
      unitPrice: formatMoney(unitMilli),
      days,
      amount: formatMoney(amountMilli),
    })),
    validUntil: startOfDay(addDays(today, 1), timezone),
  }
}

export function quoteId(quote: Quote, day: string): string {
  return `Q-${fingerprint(JSON.stringify([day, quote.lines, quote.totalMilli])).slice(0, 16)}`
}
