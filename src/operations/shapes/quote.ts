import { z } from 'zod'
import { formatMoney } from '../../../pricing/money.ts'
import type { Quote } from '../../../pricing/quote.ts'
import type { Instant } from '../../base/clock.ts'
import { addDays, localDay, startOfDay } from '../../base/period.ts'
import { fingerprint } from '../../base/seal.ts'
import type { Request } from '../../requests/request.ts'
import type { Site } from '../site.ts'
import { InstantShape, MoneyShape } from './fields.ts'

export const QuoteShape = z.object({
  id: z.string(),
  /** SHA-256 of what it says and of its day. */
  hash: z.string().optional(),
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

/** A quote as a request keeps it. Prices change by day, so it holds to the end of the site's day. */
export function quoteKept(
  quote: Pick<Quote, 'totalMilli' | 'perDayMilli' | 'lines'>,
  { now, site }: { now: Instant; site: Site },
): Required<Request['quote']> {
  const today = localDay(now, site.timezone)
  const { totalMilli, perDayMilli, lines } = quote
  const hash = fingerprint(JSON.stringify([today, lines, totalMilli]))
  const validUntil = startOfDay(addDays(today, 1), site.timezone)
  return { id: `Q-${hash.slice(0, 16)}`, hash, totalMilli, perDayMilli, validUntil }
}

/** A quote for people and programs. Its id is made of what it says, so the same again on the same day is the same. */
export function quoteView(quote: Quote, at: { now: Instant; site: Site }): QuoteView {
  const kept = quoteKept(quote, at)
  return {
    id: kept.id,
    hash: kept.hash,
    currency: at.site.currency,
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
    validUntil: kept.validUntil,
  }
}
