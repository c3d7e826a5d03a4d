import { type Instant, latest } from '../../base/clock.ts'
import { addDuration, days } from '../../base/duration.ts'
import { Refusal } from '../../base/errors.ts'
import { endOfTerm, priceOf } from '../../operations/order.ts'
import type { MachineView } from '../../operations/shapes/machine.ts'
import { quoteView, type QuoteView } from '../../operations/shapes/quote.ts'
import type { Site } from '../../operations/site.ts'

interface Moment {
  now: Instant
  site: Site
}

type Sized = Pick<MachineView, 'cpus' | 'memoryGb' | 'createdAt' | 'expiresAt'>

export interface TermOffer {
  days: number
  until: Instant
  price: QuoteView
}

/** The terms that the page offers for more time, each with what it costs; those beyond the site's longest are left out. */
export function termOffers(machine: Sized, at: Moment): TermOffer[] {
  return [7, 30, 90, 365].flatMap((count) => {
    const from = latest(at.now, machine.expiresAt)
    const until = addDuration(from, days(count), at.site.timezone)
    return allowed(until, at) ? [{ days: count, until, price: view(machine, { from, to: until }, at) }] : []
  })
}

/** What a size costs from now to the machine's end. */
export function priceOfSize(machine: Sized, size: { cpus: number; memoryGb: number }, at: Moment): QuoteView {
  const end = machine.expiresAt
  const to = end === null ? null : latest(at.now, end)
  return view({ ...machine, ...size }, { from: at.now, to }, at)
}

function view(machine: Sized, term: { from: Instant; to: Instant | null }, at: Moment): QuoteView {
  const { cpus, memoryGb, createdAt } = machine
  return quoteView(priceOf({ size: { cpus, memoryGb }, count: 1, createdAt, ...term }, at), at)
}

function allowed(until: Instant, at: Moment): boolean {
  try {
    endOfTerm({ until }, at)
    return true
  } catch (error) {
    if (error instanceof Refusal) return false
    throw error
  }
}
