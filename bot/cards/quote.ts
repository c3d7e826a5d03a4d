import { counted } from '../../src/base/text.ts'
import type { QuoteView } from '../../src/operations/shapes/quote.ts'
import type { Card, Part } from '../card.ts'
import type { Drawing } from './drawing.ts'
import { buttons, card, facts, lineButton, table } from './parts.ts'
import { isNothing, priceWords, sizeWords, when } from './words.ts'

const items: Readonly<Record<QuoteView['lines'][number]['item'], string>> = {
  base: 'Server',
  memory: 'Memory above 1 GB',
  cpu: 'CPUs above 1',
  free: 'Free days',
}

/** The price list of one quote; nothing where there is nothing to add up. */
export function quoteTable(lines: QuoteView['lines'] | undefined, currency: string): Part | undefined {
  if (lines === undefined) return undefined
  return table(
    'How the price comes about',
    ['Item', 'Quantity', 'Each a day', 'Days', `Amount in ${currency}`],
    lines.map(({ item, quantity, unitPrice, days, amount }) => [
      items[item],
      String(quantity),
      unitPrice,
      String(days),
      amount,
    ]),
  )
}

/** What is priced, for the sentence before the price. */
export interface Priced {
  template: string
  count: number
  cpus?: number
  memoryGb?: number
}

/** @param ask the line that asks for what was priced */
export function quoteCard(quote: QuoteView, priced: Priced, ask: string | undefined, drawing: Drawing): Card {
  const { total, currency, days, chargeableDays, perDay } = quote
  const what = `${counted(priced.count, `${priced.template} server`)} for ${counted(days, 'day')}`
  const { cpus, memoryGb } = priced
  const size = cpus === undefined || memoryGb === undefined ? null : sizeWords({ cpus, memoryGb })
  return card({
    summary: isNothing(total)
      ? `${what} costs nothing: its free days cover all of it.`
      : `${what} costs ${priceWords(total, currency)}.`,
    title: `Price of ${what}`,
    tone: 'neutral',
    parts: [
      quoteTable(quote.lines, currency),
      facts(
        ['Size of each', size],
        ['Days', `${days}, of which ${chargeableDays} are charged`],
        ['Per day', `${perDay} ${currency} once its free days are over`],
        ['Holds until', when(quote.validUntil, drawing)],
      ),
      ask === undefined
        ? undefined
        : buttons(lineButton('Request it', ask, { spoken: `Request it: ${what}`, style: 'primary' })),
    ],
  })
}
