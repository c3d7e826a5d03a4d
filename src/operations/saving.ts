import { heldMilli } from '../../pricing/commitment.ts'
import { sumOf } from '../../pricing/charge.ts'
import { formatMoney } from '../../pricing/money.ts'
import { savingBy } from '../../pricing/saving.ts'
import type { Instant } from '../base/clock.ts'
import { addDays, localDay } from '../base/period.ts'
import type { Machine } from '../machines/machine.ts'
import { occupationOf, promisedSize } from '../machines/usage.ts'
import type { ReadTransaction } from '../store/store.ts'
import { rowsDue } from './charging.ts'
import { openCommitment } from './holding.ts'
import { tariffsOf } from './promising.ts'
import type { SavingsView } from './shapes/machine.ts'
import type { Site } from './site.ts'

/** What saving a machine to disk and deleting it would save; nothing where nobody pays for it. */
export async function savingsOf(
  machine: Machine,
  { tx, now, site }: { tx: ReadTransaction; now: Instant; site: Site },
): Promise<SavingsView | undefined> {
  const commitment = await openCommitment({ tx }, machine)
  const state = occupationOf(machine.state)
  if (commitment === undefined || state === null) return undefined
  const today = localDay(now, site.timezone)
  const stake = {
    ...{ size: promisedSize(machine), state, today, freeFrom: commitment.freeFrom },
    heldMilli: heldMilli(commitment),
    dueMilli: sumOf(rowsDue(machine, commitment, site, { before: addDays(today, 1) })),
  }
  const tariffs = tariffsOf(site, commitment)
  const ended = savingBy('gone', stake, tariffs)
  return {
    day: today,
    freeDays: ended.freeDays,
    save: { perDay: formatMoney(savingBy('saved', stake, tariffs).perDayMilli) },
    archive: { perDay: formatMoney(savingBy('archived', stake, tariffs).perDayMilli) },
    delete: { perDay: formatMoney(ended.perDayMilli), back: formatMoney(ended.backMilli) },
  }
}
