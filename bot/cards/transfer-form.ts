import { counted } from '../../src/base/text.ts'
import type { MachineView } from '../../src/operations/shapes/machine.ts'
import type { QuoteView } from '../../src/operations/shapes/quote.ts'
import type { Card } from '../card.ts'
import { card, facts, field, type FieldFault, type FieldSpec } from './parts.ts'
import { priceWords } from './words.ts'

export interface TransferWish {
  owner: string
  budget: string
  from: string
  reason: string
}

/** Who is to have a server and which budget is to pay it, with what its days from today on cost. */
export function transferForm(
  machine: MachineView,
  form: {
    wish: TransferWish
    budgets: readonly { code: string; title: string }[]
    quote: QuoteView
    faults: readonly FieldFault[]
  },
): Card {
  const { name, owner, budget } = machine
  const { wish, budgets, quote, faults } = form
  const choices = budgets.map(({ code, title }) => ({ value: code, label: `${code}: ${title}` }))
  return card({
    summary:
      faults[0]?.message ??
      `${name} belongs to ${owner ?? 'nobody'} and is paid from ${budget ?? 'no budget'}. Who is to have it?`,
    title: `Hand on ${name}`,
    tone: faults.length > 0 ? 'warn' : 'neutral',
    parts: [
      facts([
        'For the days to come',
        `${priceWords(quote.total, quote.currency)} for ${counted(quote.days, 'day')}; another budget has to agree to that`,
      ]),
      {
        kind: 'form',
        action: 'transfer',
        value: name,
        submit: 'Hand on',
        fields: transferFields(machine, wish, choices).map((spec) => field(spec, faults)),
      },
    ],
  })
}

function transferFields(
  { owner, budget }: Pick<MachineView, 'owner' | 'budget'>,
  wish: TransferWish,
  choices: { value: string; label: string }[],
): FieldSpec[] {
  const paid = { name: 'budget', label: 'Paid from', kind: 'choice', choices } as const
  const later = 'left out, today; else such as 2026-12-31'
  return [
    { name: 'owner', label: 'To whom', value: wish.owner, hint: `left out, ${owner ?? 'nobody'}` },
    { ...paid, value: wish.budget || (budget ?? '') },
    { name: 'from', label: 'From which day', value: wish.from, hint: later },
    { name: 'reason', label: 'Why', value: wish.reason, hint: 'whoever decides reads this' },
  ]
}
