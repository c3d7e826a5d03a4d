import type { Instant } from '../../base/clock.ts'
import { hasRole } from '../../identity/person.ts'
import { quoteExtension } from '../../operations/quote-extension.ts'
import { quoteResize, type ResizeQuote } from '../../operations/quote-resize.ts'
import { quoteTransfer } from '../../operations/quote-transfer.ts'
import type { MachineView } from '../../operations/shapes/machine.ts'
import type { QuoteView } from '../../operations/shapes/quote.ts'
import { attempt, type Visit } from '../visit.ts'

/** What a machine's page says of prices: those of the operations behind its buttons. */
export interface MachinePrices {
  /** More time, each term with what it costs; those that are not allowed are left out. */
  offers: TermOffer[]
  resize: ResizeQuote
  /** Whether the size is another one than it has. */
  isOther: boolean
  /** What whoever takes it over pays; absent where it cannot be handed on, or not by whoever looks. */
  handover?: QuoteView
}

export interface TermOffer {
  days: number
  until: Instant
  price: QuoteView
}

export async function pricesOf(
  visit: Visit,
  machine: MachineView,
  wish: { cpus: number; memoryGb: number } | undefined,
): Promise<MachinePrices> {
  const { name } = machine
  const { cpus, memoryGb } = wish ?? machine
  return {
    offers:
      machine.verbs.includes('extend') && machine.expiresAt !== null ? await offersFor(visit, name) : [],
    resize: await visit.perform(quoteResize, { name, cpus, memoryGb: Math.ceil(memoryGb) }),
    isOther: cpus !== machine.cpus || memoryGb !== machine.memoryGb,
    ...(await handoverOf(visit, machine)),
  }
}

async function handoverOf(visit: Visit, machine: MachineView): Promise<Pick<MachinePrices, 'handover'>> {
  const may = machine.owner === visit.caller.user || hasRole(visit.caller, 'operator')
  if (!may) return {}
  const outcome = await attempt(() => visit.perform(quoteTransfer, { name: machine.name }))
  return 'refusal' in outcome ? {} : { handover: outcome.done.quote }
}

async function offersFor(visit: Visit, name: string): Promise<TermOffer[]> {
  const offers = await Promise.all(
    [7, 30, 90, 365].map(async (days) => {
      const outcome = await attempt(() => visit.perform(quoteExtension, { name, days }))
      if ('refusal' in outcome) return []
      const { expiresAt, quote } = outcome.done
      return [{ days, until: expiresAt, price: quote }]
    }),
  )
  return offers.flat()
}
