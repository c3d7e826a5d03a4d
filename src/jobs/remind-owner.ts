import { instant, type Instant, millis } from '../base/clock.ts'
import type { Machine } from '../machines/machine.ts'
import type { Notice } from '../notices/notice.ts'
import { tellingAt } from '../notices/settings.ts'
import { settingsOf } from '../operations/settings.ts'
import type { Site } from '../operations/site.ts'
import type { Desk } from './outbox.ts'
import { tell } from './outbox.ts'

/** As many machines as one card has room for, with the buttons of each. */
const mostTogether = 6

/**
 * Saves the reminder that a machine ends. It is told in its owner's working hours where there is time for that, and what
 * waits for one person becomes one card.
 */
export async function remindOwner(
  desk: Desk & { site: Site },
  machine: Machine,
  to: string[],
  end: Instant,
): Promise<Notice> {
  const { tx, now, site } = desk
  const owner = machine.owner ?? 'nobody'
  const subject = `reminders:${owner}`
  // Half of what is left is the owner's to act in.
  const latest = instant(millis(now) + Math.max(0, Math.floor((millis(end) - millis(now)) / 2)))
  const settings = await settingsOf(tx, owner)
  const dueAt = tellingAt(settings, { now, latest, siteZone: site.timezone })
  for (const job of await tx.jobs.find('subject', subject)) {
    if (job.state !== 'queued' || !('notice' in job.input)) continue
    const waiting = await tx.notices.get(job.input.notice)
    if (waiting === undefined || !isSame(waiting.to, to) || !hasRoom(waiting)) continue
    // An earlier reminder of the same machine may still wait: one line says it.
    const joined = tells(waiting, machine) ? waiting : withMachine(waiting, machine)
    await tx.notices.put(joined)
    if (dueAt < job.dueAt) await tx.jobs.put({ ...job, dueAt })
    return joined
  }
  const about = { kind: 'machine', id: machine.id } as const
  return tell(desk, { kind: 'machine-expiring', about, to, subject, dueAt })
}

function tells({ about, also = [] }: Notice, { id }: Machine): boolean {
  return about.id === id || also.includes(id)
}

function withMachine(notice: Notice, { id }: Machine): Notice {
  return { ...notice, also: [...(notice.also ?? []), id] }
}

/** What was sent already stays as it was sent. */
function hasRoom({ deliveries, also = [] }: Notice): boolean {
  return deliveries.length === 0 && also.length + 1 < mostTogether
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, index) => name === b[index])
}
