import { z } from 'zod'
import { localDay } from '../base/period.ts'
import { query } from './operation.ts'
import { anybody, seen } from './rules.ts'
import { QuoteShape, quoteView } from './shapes/quote.ts'
import { checkTransferable, priceOfTransfer } from './transferring.ts'

export const quoteTransfer = query({
  name: 'quote-transfer',
  summary: 'Price the days of a machine from today on, which whoever takes it over pays for.',
  http: { method: 'POST', path: '/machines/{name}/transfer/quote' },
  input: z.object({ name: z.string().max(63) }),
  output: z.object({
    /** The first day that another budget would pay. */
    from: z.string(),
    quote: QuoteShape,
  }),
  allow: anybody,
  async run(context, { name }) {
    const machine = await seen(context, name)
    checkTransferable(machine)
    const { now, site } = context
    const quote = quoteView(await priceOfTransfer(context, machine), { now, site })
    return { from: localDay(now, site.timezone), quote }
  },
})
