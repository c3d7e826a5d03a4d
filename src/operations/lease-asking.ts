import type { Lease } from '../../broker/lease.ts'
import type { Instant } from '../base/clock.ts'
import { assert } from '../base/errors.ts'
import { redrawCards } from '../jobs/outbox.ts'
import type { Request } from '../requests/request.ts'
import { openBudget } from './accounts.ts'
import { type Known, operatorsFor } from './approvers.ts'
import { askAgain, type Asked, askFor } from './asking.ts'
import { poolNamed } from './desktops.ts'
import { pendingFor } from './lease-asked.ts'
import { priceOfLonger } from './lease-charging.ts'
import type { Context } from './operation.ts'
import { templateNamed } from './order.ts'
import { quoteKept } from './shapes/quote.ts'

/**
 * Asks for more time on a session than its pool allows: the holders of the budget that pays it, or the operators where it
 * costs nobody anything. Asked twice it is one request; another end takes the place of the one that was asked for.
 * @throws Refusal `no_approver`, `unknown_budget` and whatever granting it at once refuses.
 */
export async function askForTime(
  context: Context,
  lease: Lease,
  until: Instant,
  known: Known,
): Promise<Request> {
  const waiting = await pendingFor(context.tx, lease)
  if (waiting?.ask.kind === 'lease' && waiting.ask.until === until) return waiting
  const asked = await timeAsked(context, lease, until, known)
  const request =
    waiting === undefined
      ? await askFor(context, asked, known)
      : await askAgain(context, waiting, { ...asked, what: `changed: until ${until}` }, known)
  const current = await context.tx.leases.get(lease.id)
  assert(current !== undefined, 'a lease that is asked about is there')
  if (request.state === 'pending') await context.tx.leases.put({ ...current, asked: request.id })
  await redrawCards(context, `lease:${lease.id}`)
  return request
}

async function timeAsked(context: Context, lease: Lease, until: Instant, known: Known): Promise<Asked> {
  const { caller, site, now } = context
  const { id, desktop, pool: name } = lease
  assert(desktop !== null, 'what is being prepared is not extended')
  const pool = poolNamed(site, name)
  const template = templateNamed(site, pool.template)
  const price = await priceOfLonger(context, lease, until)
  const { totalMilli, perDayMilli } = price ?? { totalMilli: 0, perDayMilli: 0 }
  const budget = price === undefined ? null : openBudget(context, price.budget, caller)
  return {
    ask: { kind: 'lease', lease: id, pool: name, desktop, until },
    ...{ template: template.name, cpus: template.cpus.default, memoryGb: template.memoryGb.default },
    description: '',
    purpose: `More time on ${desktop} of pool ${name}`,
    administrators: [],
    budget,
    ...(budget === null ? { deciders: operatorsFor(caller.user, site, known) } : {}),
    // Once the session is over there is nothing left to decide.
    decideBy: lease.endsAt,
    quote: quoteKept({ totalMilli, perDayMilli, lines: [] }, { now, site }),
  }
}
