import { Refusal } from '../../src/base/errors.ts'
import { quoteTransfer } from '../../src/operations/quote-transfer.ts'
import type { MachineView } from '../../src/operations/shapes/machine.ts'
import { listBudgets } from '../../src/operations/show-budget.ts'
import { transferMachine } from '../../src/operations/transfer-machine.ts'
import type { Card } from '../card.ts'
import { machineCard } from '../cards/machine.ts'
import type { FieldFault } from '../cards/parts.ts'
import { saidCard } from '../cards/questions.ts'
import { requestCard } from '../cards/request.ts'
import { transferForm, type TransferWish } from '../cards/transfer-form.ts'
import { machineFacts, requestFacts } from '../facts.ts'
import { whichMachine } from './machines.ts'
import type { Talk } from './talk.ts'

/** Hands a server to another owner or budget: a form says who and which, with what the days to come cost. */
export async function transfer(
  talk: Talk,
  { machine, budget }: { machine?: string; budget?: string },
): Promise<Card[]> {
  const known = budget === undefined ? {} : { budget }
  if (machine === undefined) {
    const question = 'Hand on which server?'
    return [await whichMachine(talk, question, (name) => ({ verb: 'transfer', machine: name, ...known }))]
  }
  return [
    await formFor(talk, await machineFacts(talk, machine), {
      owner: '',
      reason: '',
      from: '',
      budget: budget ?? '',
    }),
  ]
}

type Fields = Readonly<Record<string, string>>

/** The form as it was sent. What is wrong with it stands beside the field. */
export async function submitTransfer(talk: Talk, name: string, fields: Fields): Promise<Card[]> {
  const said = (field: string): string => (fields[field] ?? '').trim()
  const wish = {
    owner: said('owner').replace(/^@/, ''),
    budget: said('budget'),
    from: said('from'),
    reason: said('reason'),
  }
  const filled = Object.fromEntries(Object.entries(wish).filter(([, value]) => value !== ''))
  try {
    const answer = await talk.perform(transferMachine, { name, ...filled })
    if (!('owner' in answer)) return [requestCard(await requestFacts(talk, answer.request), talk.drawing)]
    const { owner, budget, handover } = answer
    if (handover !== null) return [machineCard(answer, talk.drawing)]
    const text = `${name} belongs to ${owner ?? 'nobody'} and is paid from ${budget ?? 'no budget'} from today on.`
    return [saidCard(`${name} is handed on`, text)]
  } catch (error) {
    const fault = error instanceof Refusal ? faultOf(error) : undefined
    if (fault === undefined) throw error
    return [await formFor(talk, await machineFacts(talk, name), wish, [fault])]
  }
}

function faultOf({ code, message, extras }: Refusal): FieldFault | undefined {
  const path = code === 'bad_term' ? 'from' : extras.errors?.[0]?.path
  if (path !== undefined) return { path, message }
  return ['unknown_budget', 'not_a_member', 'budget_exhausted', 'no_approver'].includes(code)
    ? { path: 'budget', message }
    : undefined
}

async function formFor(
  talk: Talk,
  machine: MachineView,
  wish: TransferWish,
  faults: readonly FieldFault[] = [],
): Promise<Card> {
  const [budgets, price] = await Promise.all([
    talk.perform(listBudgets, {}),
    talk.perform(quoteTransfer, { name: machine.name }),
  ])
  const open = budgets.items.filter((budget) => budget.open || budget.code === machine.budget)
  return transferForm(machine, { wish, budgets: open, quote: price.quote, faults })
}
