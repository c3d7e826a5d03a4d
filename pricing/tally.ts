import { assert } from '../src/base/errors.ts'
import { bookingDay, type Charge } from './charge.ts'
import { checked } from './money.ts'

/** Rows of a month that are alike but for their day. */
export interface TallyLine extends Pick<
  Charge,
  'component' | 'state' | 'tariff' | 'quantity' | 'unitMilli' | 'amountMilli' | 'reason'
> {
  /** Who had the machine on these days. */
  owner: string | null
  /** How many days, or for sessions how many rows; taken back ones count too. */
  days: number
}

/**
 * What one machine was charged on one budget in one month: the sum of its rows, kept beside them in the same
 * transaction so that a statement need not read a month's ledger.
 */
export interface Tally {
  /** `budget|month|ref`. */
  id: string
  budget: string
  month: string
  machine: string
  ref: string
  lines: readonly TallyLine[]
}

/** Where a row is counted. */
export function tallyId(
  charge: Pick<Charge, 'budget' | 'ref' | 'at' | 'component' | 'machine' | 'owner'>,
): string {
  return tallyKey({ budget: charge.budget, ref: countedAs(charge), month: bookingDay(charge).slice(0, 7) })
}

/** Machines are counted by their handles, sessions by pool and person: nobody wants a line for each. */
function countedAs({
  component,
  machine,
  ref,
  owner,
}: Pick<Charge, 'component' | 'machine' | 'ref' | 'owner'>): string {
  return component === 'lease' ? sessionsOf(machine, owner ?? '') : ref
}

/** The `ref` that a person's sessions on the desktops of a pool are counted under. */
export function sessionsOf(poolName: string, user: string): string {
  return `${poolName}/${user}`
}

export function tallyKey({ budget, month, ref }: Pick<Tally, 'budget' | 'month' | 'ref'>): string {
  return `${budget}|${month}|${ref}`
}

/** The tally with more rows, all of which belong to it. */
export function tallied(tally: Tally | undefined, charges: readonly Charge[]): Tally {
  const [first] = charges
  assert(first !== undefined, 'something is counted')
  const { budget, machine } = first
  const [id, ref] = [tallyId(first), countedAs(first)]
  assert(
    charges.every((charge) => tallyId(charge) === id) && (tally === undefined || tally.id === id),
    'what is counted together is of one machine, budget and month',
  )
  const lines = charges.reduce<readonly TallyLine[]>(withRow, tally?.lines ?? [])
  return { id, budget, month: bookingDay(first).slice(0, 7), machine, ref, lines }
}

function withRow(lines: readonly TallyLine[], row: Charge): readonly TallyLine[] {
  const index = lines.findIndex((line) => isAlike(line, row))
  const line = lines[index]
  if (line === undefined) return [...lines, { ...lineOf(row), days: 1, amountMilli: row.amountMilli }]
  return lines.with(index, {
    ...line,
    quantity: row.component === 'lease' ? line.quantity + row.quantity : line.quantity,
    days: line.days + 1,
    amountMilli: checked(line.amountMilli + row.amountMilli),
  })
}

function lineOf({ owner, component, state, tariff, quantity, unitMilli, reason }: Charge) {
  return { owner, component, state, tariff, quantity, unitMilli, reason }
}

function isAlike(line: TallyLine, row: Charge): boolean {
  return (
    line.owner === row.owner &&
    line.component === row.component &&
    line.state === row.state &&
    line.tariff === row.tariff &&
    // Hours are added up: each day has another number of them.
    (line.quantity === row.quantity || row.component === 'lease') &&
    line.unitMilli === row.unitMilli &&
    line.reason === row.reason
  )
}
