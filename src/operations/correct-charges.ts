import { z } from 'zod'
import { formatMoney } from '../../pricing/money.ts'
import { sumOf } from '../../pricing/charge.ts'
import { notFound, refuse } from '../base/errors.ts'
import { isLocalDay, localDay } from '../base/period.ts'
import { changeAccounts } from './accounts.ts'
import { chargedTo, takeBack } from './charging.ts'
import { change } from './operation.ts'
import { operators } from './rules.ts'
import { MoneyShape, text } from './shapes/fields.ts'

const Day = z.string().refine(isLocalDay, 'a day, such as 2026-11-23')

export const correctCharges = change({
  name: 'correct-charges',
  summary:
    'Take back what a machine was charged for some days, with the reason; the rows stay and others reverse them.',
  http: { method: 'POST', path: '/machines/{name}/corrections' },
  input: z.object({
    name: z.string().max(63),
    /** The first day and the last one, both counted. */
    from: Day,
    to: Day,
    reason: text(200).pipe(z.string().min(1, 'why: it stands on the statement')),
  }),
  output: z.object({ rows: z.number(), amount: MoneyShape, currency: z.string() }),
  subject: ({ name }) => `machine:${name}`,
  allow: operators,
  async run(context, { name, from, to, reason }) {
    const { tx, now, site } = context
    const commitment = await tx.commitments.get(name)
    if (commitment === undefined) throw notFound('paid machine', name)
    if (from > to) {
      refuse('invalid_input', `${from} is after ${to}.`, {
        errors: [{ path: 'to', message: `not before ${from}` }],
      })
    }
    const today = localDay(now, site.timezone)
    const is = (row: { ref: string; day: string }): boolean =>
      row.ref === commitment.ref && from <= row.day && row.day <= to
    const rows = await takeBack(tx, { from, today, reason, is })
    const spent = chargedTo(rows, site, 'booking')
    await changeAccounts(context, [], [], { charged: spent, how: 'anyhow' })
    const amount = sumOf(rows)
    await tx.commitments.put({ ...commitment, spentMilli: commitment.spentMilli + amount })
    return { rows: rows.length, amount: formatMoney(0 - amount), currency: site.currency }
  },
})
