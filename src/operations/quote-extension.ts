import { z } from 'zod'
import { extend, needsApproval } from '../machines/expiry.ts'
import { newEnd } from './extend-machine.ts'
import { priceOfExtension } from './granting.ts'
import { query } from './operation.ts'
import { policyOf } from './groups.ts'
import { anybody, steered } from './rules.ts'
import { EndField, InstantShape } from './shapes/fields.ts'
import { QuoteShape, quoteView } from './shapes/quote.ts'

export const quoteExtension = query({
  name: 'quote-extension',
  summary: 'Price more time for a machine before asking for it, and say whether somebody must agree.',
  http: { method: 'POST', path: '/machines/{name}/extend/quote' },
  input: z.object({
    name: z.string().max(63),
    until: EndField.optional(),
    days: z.coerce.number().int().min(1).max(3660).optional(),
  }),
  output: z.object({ expiresAt: InstantShape, quote: QuoteShape, needsApproval: z.boolean() }),
  allow: anybody,
  async run(context, input) {
    const { now, site } = context
    const machine = await steered(context, input.name)
    const until = newEnd(machine, input, context)
    const policy = await policyOf(context, machine)
    extend(machine, until, policy, now, site.timezone)
    const price = await priceOfExtension(context, machine, until)
    return {
      expiresAt: until,
      quote: quoteView(price, { now, site }),
      needsApproval: machine.budget !== null && needsApproval(machine, policy),
    }
  },
})
