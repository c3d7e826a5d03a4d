import { parse } from 'csv-parse/sync'
import type { Instant } from '../base/clock.ts'
import { messageOf, Refusal } from '../base/errors.ts'
import type { Ids } from '../base/ids.ts'
import { list } from '../base/text.ts'
import { type MachinePolicy, nextAttention } from './expiry.ts'
import { type Machine, type MachineState, newMachine } from './machine.ts'
import { type Cells, columns, parseRow } from './takeover-row.ts'

/** A machine of another system, as its list tells it. */
export interface TakeoverRow {
  /** Where it starts in the file; the first line is 1. */
  line: number
  name: string
  /** Nobody for an orphan. */
  owner: string | null
  administrators: string[]
  cpus: number
  memoryGb: number
  /** Null is never. */
  expiresAt: Instant | null
  state: MachineState
  /** The other system's word for its state. */
  providerState: string
}

export interface RefusedLine {
  line: number
  reason: string
}

/**
 * Reads a list of machines to take over (CSV, RFC 4180, with commas or semicolons, first line the columns). A faulty
 * line is refused with its number and the reason, and the rest goes in.
 * @throws Refusal `invalid_input` when columns are missing.
 */
export function readTakeover(text: string, zone: string): { rows: TakeoverRow[]; refused: RefusedLine[] } {
  const source = linesOf(text)
  const head = headOf(source[0] ?? '')
  const rows: TakeoverRow[] = []
  const refused: RefusedLine[] = []
  const seen = new Map<string, number>()
  let next = 1
  while (next < source.length) {
    const line = next + 1
    const { cells, used, fault } = recordAt(source, next, head)
    next += used
    if (fault !== undefined) refused.push({ line, reason: fault })
    if (cells === undefined) continue
    const row = parseRow(cells, line, zone)
    const before = 'reason' in row ? undefined : seen.get(row.name)
    if ('reason' in row) refused.push(row)
    else if (before !== undefined) refused.push({ line, reason: `${row.name} is on line ${before} already` })
    else {
      seen.set(row.name, line)
      rows.push(row)
    }
  }
  return { rows, refused }
}

/**
 * What taking rows over would do. A machine that was taken over before is left as it is, whatever has become of it
 * since, so that the same list twice changes nothing; one that was made here under the same name is another machine.
 */
export function planTakeover(
  rows: readonly TakeoverRow[],
  existing: ReadonlyMap<string, Machine>,
  site: { now: Instant; zone: string; ids: Ids; policy: MachinePolicy },
): { create: Machine[]; unchanged: TakeoverRow[]; refused: RefusedLine[] } {
  const known = (row: TakeoverRow) => existing.get(row.name)
  const madeHere = (machine: Machine) => machine.request !== null || machine.pool !== null
  const create = rows.filter((row) => known(row) === undefined).map((row) => takenOver(row, site))
  const unchanged = rows.filter((row) => {
    const machine = known(row)
    return machine !== undefined && !madeHere(machine)
  })
  const refused = rows.flatMap((row) => {
    const machine = known(row)
    if (machine === undefined || !madeHere(machine)) return []
    const why = machine.pool === null ? 'was requested here' : 'is a desktop here'
    return [{ line: row.line, reason: `the name ${row.name} is taken: another machine of that name ${why}` }]
  })
  return { create, unchanged, refused }
}

function takenOver(
  row: TakeoverRow,
  { now, zone, ids, policy }: { now: Instant; zone: string; ids: Ids; policy: MachinePolicy },
): Machine {
  const { name, owner, administrators, cpus, memoryGb, expiresAt, state, providerState } = row
  const template = { name: 'import', os: 'other' } as const
  const machine: Machine = {
    ...newMachine({ name, ref: ids.next('vm', now), at: now, template }),
    ...{ owner, administrators, cpus, memoryGb, expiresAt, state, providerState },
    history: [{ state, at: now, reason: 'taken over' }],
  }
  return { ...machine, attentionAt: nextAttention(machine, policy, now, zone) }
}

interface Head {
  delimiter: ',' | ';'
  names: string[]
}

function linesOf(text: string): string[] {
  // Inside quotes csv-parse counts CR LF as two lines, and a mark of the byte order is no part of the first name.
  return text
    .replace(/^\uFEFF/, '')
    .replace(/\r\n?/g, '\n')
    .split('\n')
}

function headOf(line: string): Head {
  const delimiter = line.includes(';') && !line.includes(',') ? ';' : ','
  const cells = cellsOf(line, delimiter)
  const names = Array.isArray(cells) ? cells.map((name) => name.toLowerCase()) : []
  const missing = columns.filter((name) => !names.includes(name))
  if (missing.length === 0) return { delimiter, names }
  const what = `the ${missing.length === 1 ? 'column' : 'columns'} ${list(missing)}`
  throw new Refusal('invalid_input', `The first line lacks ${what}. It should read ${columns.join(',')}.`, {
    errors: missing.map((name) => ({ path: name, message: 'a column of this name in the first line' })),
  })
}

// A record of a list like this has no business being longer; beyond it, a quote was forgotten.
const longestRecord = 10

/**
 * The record that starts at a line, which is more than one when a quoted cell goes on. When those lines make no sense
 * together, the first alone is at fault, and reading goes on at the second: a forgotten quote costs one line.
 */
function recordAt(
  source: readonly string[],
  start: number,
  head: Head,
): { cells?: Cells; used: number; fault?: string } {
  const first = source[start] ?? ''
  if (first.trim() === '') return { used: 1 }
  let record = first
  let used = 1
  while (isOpen(record) && used < longestRecord && start + used < source.length) {
    record += `\n${source[start + used] ?? ''}`
    used += 1
  }
  if (isOpen(record)) return { used: 1, fault: 'a quote is opened and not closed' }
  const cells = cellsOf(record, head.delimiter)
  if (!Array.isArray(cells)) return { used: 1, fault: `is not CSV: ${cells.fault}` }
  if (cells.length === head.names.length) {
    return { cells: new Map(head.names.map((name, index) => [name, cells[index] ?? ''])), used }
  }
  return { used: 1, fault: `has ${cells.length} cells where the first line has ${head.names.length}` }
}

function isOpen(record: string): boolean {
  return record.split('"').length % 2 === 0
}

function cellsOf(record: string, delimiter: string): string[] | { fault: string } {
  try {
    return parse(record, { delimiter, trim: true })[0] ?? []
  } catch (error) {
    return { fault: messageOf(error) }
  }
}
