import { counted } from '../../src/base/text.ts'
import { blankWords } from '../../src/machines/blank.ts'
import type { RequestView } from '../../src/operations/shapes/request.ts'
import type { Part } from '../card.ts'
import type { Drawing } from './drawing.ts'
import { table } from './parts.ts'
import { on, when } from './words.ts'

/** What is asked for, in a few words: `3 slc5 servers`. */
export function wish({ kind, count, template, transfer, lease }: RequestView): string {
  if (lease !== undefined) return `more time on ${lease.desktop}`
  if (transfer !== undefined) return `a transfer of ${transfer.machine} to ${transfer.owner}`
  if (kind === 'extension') return 'more time'
  if (kind === 'resize') return 'another size'
  return counted(count, `${template} server`)
}

/** What is said of a disk after the rest; nothing of one that its template has. */
export function withDisk({ wanted }: RequestView): string {
  const said = blankWords(wanted?.disk)
  return said === '' ? '' : `, with ${said}`
}

/** For how long, as it was asked. */
export function termWords({ days, until, kind }: RequestView, drawing: Drawing): string | null {
  if (days !== null) return counted(days, 'day')
  if (until !== null) return `until ${when(until, drawing)}`
  return kind === 'resize' ? null : 'with no end'
}

/** Whether it is about time and not about what a machine has. */
export function isTime({ kind }: RequestView): boolean {
  return kind === 'extension' || kind === 'lease'
}

/** What it costs as time goes on: a session by the hour, a server by the day. */
export function paceWords({ quote, lease, currency }: RequestView): string {
  if (lease !== undefined) return `${lease.perHour} ${currency} for each hour that is begun`
  return `${quote.perDay} ${currency} a day`
}

/** Who decided, when, how and why. */
export function decisionTable({ decisions }: RequestView, drawing: Drawing): Part | undefined {
  return table(
    'Decided',
    ['Who', 'What', 'When', 'Why', 'Through'],
    decisions.map(({ by, verdict, at, reason, via }) => [by, verdict, on(at, drawing), reason ?? '', via]),
  )
}
