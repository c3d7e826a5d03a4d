import { z } from 'zod'
import { addDays, isLocalDay, startOfDay } from '../../base/period.ts'
import { instant, type Instant } from '../../base/clock.ts'
import { hasControl } from '../../base/text.ts'

/** Text that people type: trimmed, bounded, without control characters. */
export function text(max: number): z.ZodType<string, string> {
  return z
    .string()
    .trim()
    .max(max)
    .refine((value) => !hasControl(value), 'text without control characters')
}

/** An instant in an input: RFC 3339 with an offset. */
export const InstantField = z.iso
  .datetime({ offset: true, error: 'an instant with an offset, such as 2026-12-31T18:00:00+01:00' })
  .transform((value) => instant(Date.parse(value)))

/** An end in an input: an instant, or a day of the site's calendar, whose start it then is (days are half-open). */
export const EndField = z.union([
  InstantField,
  z.string().refine(isLocalDay, 'an instant or a day, such as 2026-12-31'),
])

/** A whole number in a path or a query, where everything is text. */
export const Count = z.coerce.number().int().min(1).max(200)

export const Paging = { limit: Count.default(50).optional(), cursor: z.string().max(200).optional() }

export const InstantShape = z.iso.datetime({ offset: true })
export const MoneyShape = z.string().regex(/^-?\d+\.\d{2,3}$/)

/** The end that `until` or `days` asks for, as an instant; nothing when neither was given. */
export function endOf(
  wish: { until?: string | undefined; days?: number | undefined },
  context: { from: Instant; today: string; zone: string },
): Instant | undefined {
  if (wish.until !== undefined)
    return isLocalDay(wish.until) ? startOfDay(wish.until, context.zone) : wish.until
  return wish.days === undefined ? undefined : sameTimeOn(context, wish.days)
}

/** So many calendar days later, at the same time of the site's clock. */
function sameTimeOn(context: { from: Instant; today: string; zone: string }, days: number): Instant {
  const startThen = Date.parse(startOfDay(addDays(context.today, days), context.zone))
  const startNow = Date.parse(startOfDay(context.today, context.zone))
  return instant(startThen + (Date.parse(context.from) - startNow))
}
