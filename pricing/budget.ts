import { z } from 'zod'
import type { LocalDay } from '../src/base/period.ts'
import { isMoney, type Milli, parseMoney } from './money.ts'

const Money = z
  .string()
  .refine(isMoney, 'an amount with at most three decimals in quotes, such as "2000.00"')
  .transform(parseMoney)

/** A budget code as the site's file describes it. Money is in milli-units once parsed. */
export const BudgetRule = z.strictObject({
  code: z.string().regex(/^[A-Z][A-Z0-9-]{0,19}$/, 'a budget code: capital letters, digits and dashes'),
  title: z.string().min(1).max(80),
  holders: z.array(z.string()).min(1),
  members: z.array(z.string()).default([]),
  delegates: z.array(z.string()).default([]),
  limit: Money,
  autoApproveBelow: Money.default(0),
})
export type BudgetRule = z.infer<typeof BudgetRule>

/** What stands on a budget. held + spent + left = limit, always. `id` is the code. */
export interface Account {
  id: string
  heldMilli: Milli
  spentMilli: Milli
}

/** Money held for one machine until its end. `id` is the machine's name. */
export interface Commitment {
  id: string
  budget: string
  /** Still held for it. */
  heldMilli: Milli
  /** Already moved from held to spent. */
  spentMilli: Milli
  createdDay: LocalDay
  /** The day it is paid up to (not counted). */
  paidTo: LocalDay
}
