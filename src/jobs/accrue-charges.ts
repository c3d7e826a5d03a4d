import { daysOfMonth, monthAfter, monthBefore } from '../../pricing/budget-period.ts'
import type { Instant } from '../base/clock.ts'
import { earliest } from '../base/clock.ts'
import { addDays, localDay, startOfDay } from '../base/period.ts'
import { closedMonth, closeMonth } from '../operations/charging.ts'
import { chargeNextDay } from '../operations/holding.ts'
import { chargeLeaseDay } from '../operations/lease-charging.ts'
import type { ReadTransaction } from '../store/store.ts'
import { deskOf } from './facts.ts'
import type { Sweep } from './schedule.ts'
import type { Tools } from './trade.ts'

/** How many machines are charged a day each in one transaction. */
const batch = 100

/**
 * Charges each machine for each day of the site that has passed, oldest days first, so that days which were missed while
 * the service was down are caught up in their order. How far a machine is charged stands on its commitment and changes
 * with the rows and the accounts in one transaction: running it again adds nothing. Once all days of a month are
 * charged, the month is closed.
 */
export function accrueCharges(): Sweep {
  // Known from the first run on, which comes before anybody waits for the next.
  let zone: string | undefined
  return {
    name: 'accrue-charges',
    async next(tx, now) {
      if (zone === undefined) return now
      const due = await tx.commitments.lowest('due')
      const charged = due === undefined ? null : startOfDay(addDays(due, 1), zone)
      return earliest(charged, await nextClosing(tx, zone, now))
    },
    async run(tools) {
      zone = tools.site.timezone
      const yesterday = addDays(localDay(tools.clock.now(), zone), -1)
      const isDue = await tools.store.read(
        async (tx) => (await tx.commitments.upTo('due', yesterday, 1)).length > 0,
      )
      return isDue ? chargeSome(tools) : closeMonths(tools)
    },
  }
}

async function chargeSome(tools: Tools): Promise<boolean> {
  await tools.store.transact(async (tx) => {
    const desk = deskOf(tools, tx)
    const yesterday = addDays(localDay(desk.now, tools.site.timezone), -1)
    for (const commitment of await tx.commitments.upTo('due', yesterday, batch)) {
      if (commitment.lease !== undefined) await chargeLeaseDay(desk, commitment)
      else await chargeNextDay(desk, await tx.machines.get(commitment.id), commitment)
    }
  })
  return true
}

/** When the month after the last closed one has passed: it can be closed then. */
async function nextClosing(tx: ReadTransaction, zone: string, now: Instant): Promise<Instant> {
  const closed = await closedMonth(tx)
  if (closed === null) return now
  return startOfDay(daysOfMonth(monthAfter(closed)).to, zone)
}

/** Closes what has passed, when no machine has an uncharged day in it. */
async function closeMonths({ store, site, clock }: Tools): Promise<boolean> {
  const today = localDay(clock.now(), site.timezone)
  const last = monthBefore(today.slice(0, 7))
  const isOpen = async (tx: ReadTransaction): Promise<boolean> => {
    const [closed, due] = [await closedMonth(tx), await tx.commitments.lowest('due')]
    return (closed === null || closed < last) && (due === undefined || due >= today)
  }
  if (!(await store.read(isOpen))) return false
  await store.transact(async (tx) => {
    if (await isOpen(tx)) await closeMonth(tx, last)
  })
  return true
}
