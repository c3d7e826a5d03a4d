import type { MachineView } from '../../src/operations/shapes/machine.ts'
import type { Card } from '../card.ts'
import type { Drawing } from './drawing.ts'
import { card, facts, field, type FieldFault, termHint } from './parts.ts'
import type { TemplateView } from './templates.ts'
import { priceWords, sizeWords, when } from './words.ts'

/** What more time would cost, while it is being asked for. */
export interface ExtensionPrice {
  expiresAt: string
  quote: { total: string; currency: string }
  needsApproval: boolean
}

function extensionFacts({ expiresAt, quote, needsApproval }: ExtensionPrice, drawing: Drawing) {
  return facts(
    ['New end', when(expiresAt, drawing)],
    ['Price', priceWords(quote.total, quote.currency)],
    ['Approval', needsApproval ? 'the budget’s holder is asked first' : null],
  )
}

export function extendForm(
  machine: MachineView,
  known: { term: string },
  faults: readonly FieldFault[],
  drawing: Drawing,
  price?: ExtensionPrice,
): Card {
  const { name, expiresAt } = machine
  const ends = expiresAt === null ? 'has no end' : `ends on ${when(expiresAt, drawing)}`
  return card({
    summary: faults[0]?.message ?? `${name} ${ends}. How much longer?`,
    title: `Extend ${name}`,
    tone: faults.length > 0 ? 'warn' : 'neutral',
    parts: [
      price === undefined ? undefined : extensionFacts(price, drawing),
      {
        kind: 'form',
        action: 'extend',
        value: name,
        submit: 'Extend',
        fields: [
          field(
            { name: 'term', label: 'How much longer', value: known.term, hint: termHint, required: true },
            faults,
          ),
        ],
      },
    ],
  })
}

export function resizeForm(
  machine: MachineView,
  known: { cpus: string; memory: string },
  template: TemplateView | undefined,
  faults: readonly FieldFault[],
): Card {
  const { name } = machine
  return card({
    summary: faults[0]?.message ?? `${name} has ${sizeWords(machine)}. What should it have?`,
    title: `Resize ${name}`,
    tone: faults.length > 0 ? 'warn' : 'neutral',
    parts: [
      {
        kind: 'form',
        action: 'resize',
        value: name,
        submit: 'Resize',
        fields: [
          field(
            { name: 'cpus', label: 'CPUs', kind: 'number', value: known.cpus, ...atMost(template?.cpus, '') },
            faults,
          ),
          field(
            {
              name: 'memory',
              label: 'Memory in GB',
              kind: 'number',
              value: known.memory,
              ...atMost(template?.memoryGb, ' GB'),
            },
            faults,
          ),
        ],
      },
    ],
  })
}

function atMost(range: { max: number } | undefined, unit: string): { hint?: string } {
  return range === undefined ? {} : { hint: `at most ${range.max}${unit}` }
}

/** Asks for the reason of a denial. */
export function denyForm(id: string, requester: string, faults: readonly FieldFault[]): Card {
  return card({
    summary: faults[0]?.message ?? `Why is ${id} denied? ${requester} will read it.`,
    title: `Deny ${id}`,
    tone: faults.length > 0 ? 'warn' : 'neutral',
    parts: [
      {
        kind: 'form',
        action: 'deny-request',
        value: id,
        submit: 'Deny',
        fields: [field({ name: 'reason', label: 'Reason', required: true }, faults)],
      },
    ],
  })
}
