import { z } from 'zod'
import { query } from './operation.ts'
import { OrderFields, orderOf } from './order.ts'
import { anybody } from './rules.ts'
import { QuoteShape, quoteView } from './shapes/quote.ts'

export const makeQuote = query({
  name: 'make-quote',
  summary: 'Price machines before asking for them.',
  http: { method: 'POST', path: '/quotes' },
  input: z.object({ ...OrderFields, budget: z.string().max(40).optional() }),
  output: QuoteShape,
  allow: anybody,
  run: async ({ now, site }, input) => quoteView(orderOf(input, { now, site }).quote, { now, site }),
})
