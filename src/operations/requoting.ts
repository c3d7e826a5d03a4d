import { formatMoney } from '../../pricing/money.ts'
import type { Quote } from '../../pricing/quote.ts'
import { Refusal } from '../base/errors.ts'
import type { Request } from '../requests/request.ts'
import type { Context } from './operation.ts'
import { quoteKept } from './shapes/quote.ts'
import { requestView } from './shapes/request.ts'

type Price = Pick<Quote, 'totalMilli' | 'perDayMilli' | 'lines'>
type Reading = Pick<Context, 'tx' | 'now' | 'site'>

/**
 * The quote of a request that was changed. Its id says how often that was, so that what was shown before can be told from
 * it also where the price is the same.
 */
export function quoteOfChanged(
  request: Pick<Request, 'replaced'>,
  quote: Request['quote'],
): Request['quote'] {
  const times = request.replaced?.length ?? 0
  return times === 0 ? quote : { ...quote, id: `${quote.id}-${times + 1}` }
}

/**
 * The request as it may be approved: as it was quoted where it costs no more than that, else with the quote as it is now,
 * once the approver has seen and accepted that one. `shown` is the id of the quote that they had before them; without it
 * they mean the request as it is.
 * @throws Refusal `quote_expired` with the figures, when it became dearer or was changed since.
 */
export async function requoted(
  reading: Reading,
  request: Request,
  price: Price,
  shown: string | undefined,
): Promise<Request> {
  const isDearer = price.totalMilli > request.quote.totalMilli
  const quote = isDearer ? quoteOfChanged(request, quoteKept(price, reading)) : request.quote
  const current = { ...request, quote }
  if (shown === quote.id || (shown === undefined && !isDearer)) return current
  throw await outOfDate(reading, { request, current, shown })
}

async function outOfDate(
  reading: Reading,
  { request, current, shown }: { request: Request; current: Request; shown: string | undefined },
): Promise<Refusal> {
  const { currency } = reading.site
  const before = request.replaced?.find(({ id }) => id === shown)
  const { id, totalMilli, perDayMilli } = current.quote
  const [total, quoted] = [formatMoney(totalMilli), formatMoney((before ?? request.quote).totalMilli)]
  const changed = before === undefined ? undefined : changesSince(request, before.id)
  const { leftAfter, shareAfter } = await requestView(current, reading)
  const figures = { id, total, quoted, currency, perDay: formatMoney(perDayMilli), leftAfter, shareAfter }
  return new Refusal('quote_expired', words(request.id, { total, quoted, currency, changed }), {
    about: request.id,
    quote: { ...figures, ...(changed === undefined ? {} : { changed }) },
  })
}

function words(
  id: string,
  facts: { total: string; quoted: string; currency: string; changed: string | undefined },
): string {
  const { total, quoted, currency, changed } = facts
  if (changed === undefined) {
    return `${id} was quoted at ${quoted} ${currency} and costs ${total} ${currency} now. Accept the new quote, or deny it.`
  }
  return `${id} was changed since you were shown it: ${changed}. It cost ${quoted} ${currency} and costs ${total} ${currency} now. Accept the new quote, or deny it.`
}

/** What its requester has changed since a quote of it stood, in words. */
function changesSince({ replaced = [], history }: Request, quote: string): string {
  const since = replaced.findIndex(({ id }) => id === quote)
  const changes = history.filter(({ state, reason }) => state === 'pending' && reason !== undefined)
  return changes
    .slice(since)
    .map(({ reason = '' }) => reason.replace(/^changed: /, ''))
    .join('; then ')
}
