import { z } from 'zod'
import { checkGroup } from './groups.ts'
import { fromImage } from './images.ts'
import { checkedNames } from './names.ts'
import { query } from './operation.ts'
import { OrderFields, orderOf, priceNew, priceOf } from './order.ts'
import { priceClassFor } from './promising.ts'
import { anybody } from './rules.ts'
import { text } from './shapes/fields.ts'
import { QuoteShape, quoteView } from './shapes/quote.ts'

export const makeQuote = query({
  name: 'make-quote',
  summary: 'Price machines before asking for them.',
  http: { method: 'POST', path: '/quotes' },
  input: z.object({
    ...OrderFields,
    budget: z.string().max(40).optional(),
    /** The host that they are to be on: its group may have prices of its own. */
    host: text(63).optional(),
    /** With a budget: a name that was used on it lately goes on with the free days it had. */
    name: text(63).optional(),
  }),
  output: QuoteShape,
  allow: anybody,
  async run(context, said) {
    const { now, site } = context
    const input = await fromImage(context, said)
    checkGroup(context.caller, site, input.group)
    const { template, size, count, endsAt } = orderOf(input, { now, site })
    const host = input.host ?? null
    if (input.name === undefined || input.budget === undefined) {
      const priceClass = await priceClassFor(context.tx, { host, group: input.group })
      return quoteView(priceOf({ size, count, endsAt, priceClass }, { now, site }), { now, site })
    }
    const names = await checkedNames(context, { base: input.name, template: template.name, count })
    const order = { names, budget: input.budget.toUpperCase(), size, endsAt, host, group: input.group }
    return quoteView((await priceNew(context, order)).quote, { now, site })
  },
})
