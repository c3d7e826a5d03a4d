import { bookingDay, type Charge } from './charge.ts'
import { checked, type Milli } from './money.ts'
import { type Tally, tallied, tallyId, type TallyLine } from './tally.ts'

/** One line of a statement: the days of a month on which a component of a machine cost the same. */
export interface StatementLine extends TallyLine {
  machine: string
  ref: string
}

/** What one machine cost in a month while somebody had it. */
export interface MachineTotal {
  machine: string
  ref: string
  owner: string | null
  /** Days that it was charged for or had free; those that were taken back are taken off. */
  days: number
  freeDays: number
  /** Hours of sessions on desktops that were begun. */
  hours: number
  totalMilli: Milli
}

/** What was charged to a budget in a month. */
export interface Statement {
  lines: StatementLine[]
  machines: MachineTotal[]
  days: number
  freeDays: number
  hours: number
  /** The sum of its rows, to the milli-unit. */
  totalMilli: Milli
  /** The same in whole hundredths, half up: what is paid. Nothing else is rounded. */
  roundedMilli: Milli
}

const components = ['base', 'memory', 'cpu', 'free', 'lease'] as const

/** The statement of what was counted for one budget and month, by machine and component. */
export function statement(tallies: readonly Tally[]): Statement {
  const ordered = tallies.toSorted((a, b) => compare(a.machine, b.machine) || compare(a.ref, b.ref))
  const machines = ordered.flatMap(totalsOf)
  const totalMilli = checked(sum(machines.map((each) => each.totalMilli)))
  return {
    lines: ordered.flatMap(linesOf),
    machines,
    days: sum(machines.map(({ days }) => days)),
    freeDays: sum(machines.map(({ freeDays }) => freeDays)),
    hours: sum(machines.map(({ hours }) => hours)),
    totalMilli,
    roundedMilli: toHundredths(totalMilli),
  }
}

/** What rows of one budget and month count up to. Rows may come in any order. */
export function talliesOf(rows: readonly Charge[]): Tally[] {
  const found = new Map<string, Tally>()
  const inOrder = rows.toSorted((a, b) => compare(bookingDay(a), bookingDay(b)) || compare(a.id, b.id))
  for (const row of inOrder) found.set(tallyId(row), tallied(found.get(tallyId(row)), [row]))
  return [...found.values()]
}

/** To the nearest hundredth of the currency; a half is rounded away from nothing. */
export function toHundredths(milli: Milli): Milli {
  const size = Math.abs(milli) + 5
  const whole = size - (size % 10)
  return milli < 0 ? 0 - whole : whole
}

function linesOf({ machine, ref, lines }: Tally): StatementLine[] {
  const owners = ownersOf(lines)
  const ordered = lines.toSorted(
    (a, b) =>
      owners.indexOf(a.owner) - owners.indexOf(b.owner) ||
      compare(a.reason ?? '', b.reason ?? '') ||
      components.indexOf(a.component) - components.indexOf(b.component) ||
      a.quantity - b.quantity ||
      a.unitMilli - b.unitMilli,
  )
  return ordered.map((line) => ({ machine, ref, ...line }))
}

/** A machine that was handed on in the month has a total for each who had it, in the order of their days. */
function totalsOf(tally: Tally): MachineTotal[] {
  return ownersOf(tally.lines).map((owner) =>
    machineTotal({ ...tally, lines: tally.lines.filter((line) => line.owner === owner) }, owner),
  )
}

function ownersOf(lines: readonly TallyLine[]): (string | null)[] {
  return [...new Set(lines.map(({ owner }) => owner))]
}

/** Every day has one line of base price or one free line. */
function machineTotal({ machine, ref, lines }: Tally, owner: string | null): MachineTotal {
  const daysOf = (component: StatementLine['component']): number =>
    sum(
      lines
        .filter((line) => line.component === component)
        .map((line) => (line.reason === null ? line.days : 0 - line.days)),
    )
  return {
    machine,
    ref,
    owner,
    days: daysOf('base') + daysOf('free'),
    freeDays: daysOf('free'),
    hours: sum(lines.filter(({ component }) => component === 'lease').map(({ quantity }) => quantity)),
    totalMilli: sum(lines.map(({ amountMilli }) => amountMilli)),
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0)
}
