import { DateTime } from 'luxon'
import { type Instant, instant } from '../base/clock.ts'
import { isLocalDay, startOfDay } from '../base/period.ts'
import { hasControl } from '../base/text.ts'
import { MachineName, type MachineState } from './machine.ts'
import type { RefusedLine, TakeoverRow } from './takeover.ts'

/** The columns of a list of machines to take over. Others are passed over. */
export const columns = ['name', 'owner', 'administrators', 'cpus', 'memory', 'expires', 'state'] as const

/** The cells of one line by column. */
export type Cells = ReadonlyMap<string, string>

/**
 * What other systems call the states of machines (SCVMM, Hyper-V, libvirt, Proxmox VE, VMware), without spaces and in
 * lower case, and what we call them. What is on its way to a state counts as being there.
 */
const states: ReadonlyMap<string, MachineState> = new Map([
  ['running', 'running'],
  ['poweredon', 'running'],
  ['starting', 'running'],
  ['undermigration', 'running'],
  ['stopped', 'stopped'],
  ['stopping', 'stopped'],
  ['poweroff', 'stopped'],
  ['poweringoff', 'stopped'],
  ['poweredoff', 'stopped'],
  ['turnedoff', 'stopped'],
  ['off', 'stopped'],
  ['shutoff', 'stopped'],
  ['saved', 'saved'],
  ['saving', 'saved'],
  ['suspended', 'saved'],
  ['paused', 'paused'],
  ['pausing', 'paused'],
  ['hostnotresponding', 'unreachable'],
  ['missing', 'unreachable'],
  ['disconnected', 'unreachable'],
  ['unreachable', 'unreachable'],
])

/** Reads one line of the list; the first fault of a line is its reason. */
export function parseRow(cells: Cells, line: number, zone: string): TakeoverRow | RefusedLine {
  const cell = (name: (typeof columns)[number]) => cells.get(name) ?? ''
  const refused = (reason: string) => ({ line, reason })
  if (columns.some((name) => hasControl(cell(name))))
    return refused('holds a line end or a control character')
  const name = cell('name').toLowerCase()
  if (!MachineName.safeParse(name).success) return refused(`"${cell('name')}" is not a host name (RFC 1123)`)
  const cpus = wholeNumber(cell('cpus'))
  if (cpus === undefined) return refused(`cpus is "${cell('cpus')}", and should be a whole number such as 2`)
  const memoryGb = gigabytes(cell('memory'))
  if (memoryGb === undefined) return refused(`memory is "${cell('memory')}", and should be such as 2.00 GB`)
  const expiresAt = endOf(cell('expires'), zone)
  if (expiresAt === undefined) {
    return refused(
      `expires is "${cell('expires')}", and should be dd/mm/yyyy or yyyy-mm-dd; 31/12/9999 is never`,
    )
  }
  const state = states.get(
    cell('state')
      .toLowerCase()
      .replace(/[\s_-]/g, ''),
  )
  if (state === undefined) return refused(`the state "${cell('state')}" is not known`)
  const owner = account(cell('owner'))
  if (owner === undefined) return refused(`the owner "${cell('owner')}" is not the name of one account`)
  const administrators = accounts(cell('administrators'))
  if (administrators === undefined) {
    return refused(`the administrators "${cell('administrators')}" are not the names of accounts or groups`)
  }
  return {
    line,
    name,
    owner,
    administrators,
    cpus,
    memoryGb,
    expiresAt,
    state,
    providerState: cell('state'),
  }
}

function wholeNumber(text: string): number | undefined {
  return /^[1-9]\d{0,3}$/.test(text) ? Number(text) : undefined
}

/** `1.00 GB`, `512 MB`, `2`; a number alone is GB, and a comma may stand for the point. */
function gigabytes(text: string): number | undefined {
  const match = /^(\d{1,7}(?:[.,]\d{1,3})?)\s*(MB|GB|TB)?$/i.exec(text)
  if (match === null) return undefined
  const amount = Number((match[1] ?? '').replace(',', '.'))
  const unit = (match[2] ?? 'GB').toUpperCase()
  const gb = unit === 'MB' ? amount / 1024 : unit === 'TB' ? amount * 1024 : amount
  return gb > 0 ? gb : undefined
}

/**
 * The end that a date stands for: the start of that local day, as CVI counted a term from 16/10/2009 to 30/10/2009 as
 * 14 days. Null is never (any day of the year 9999); nothing when it is not a date.
 */
function endOf(text: string, zone: string): Instant | null | undefined {
  if (/^never$/i.test(text)) return null
  const british = /^(\d{1,2})\/(\d{1,2})\/(\d{4})$/.exec(text)
  const [, day = '', month = '', year = ''] = british ?? []
  const iso = british === null ? text : `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`
  if (isLocalDay(iso)) return iso.startsWith('9999-') ? null : startOfDay(iso, zone)
  if (!/^\d{4}-\d{2}-\d{2}T/.test(text)) return undefined
  const moment = DateTime.fromISO(text, { zone })
  if (!moment.isValid) return undefined
  return moment.year >= 9999 ? null : instant(moment.toMillis())
}

/** `CERN\bob` is bob. Null when it names nobody (`CERN\`, `CERN\unknown`), nothing when it is not a name. */
function account(text: string): string | null | undefined {
  const name = (text.split('\\').at(-1) ?? '').trim().toLowerCase()
  if (name === '' || name === 'unknown') return null
  return /^[^\s,;"/:<>|@]{1,104}(@[a-z0-9.-]+)?$/.test(name) ? name : undefined
}

/** Several are told apart by semicolons. */
function accounts(text: string): string[] | undefined {
  const names: string[] = []
  for (const part of text.split(';')) {
    const name = account(part)
    if (name === undefined) return undefined
    if (name !== null && !names.includes(name)) names.push(name)
  }
  return names
}
