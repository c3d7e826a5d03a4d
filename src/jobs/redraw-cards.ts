import { messageOf, Outage } from '../base/errors.ts'
import type { Delivery, Notice } from '../notices/notice.ts'
import { patience } from './deliver-notice.ts'
import { deskOf } from './facts.ts'
import { enqueue } from './outbox.ts'
import type { Trade, Work } from './trade.ts'

/**
 * Shows on every copy of the cards about something how it is now. The copies on a platform that does not answer are
 * redrawn by a job of their own, once it does.
 */
export const redrawCards: Trade<'redraw-cards'> = {
  kind: 'redraw-cards',
  deadlineMillis: 60_000,
  ...patience,
  async run(work) {
    const { about, platform } = work.job.input
    const notices = await work.store.read((tx) => tx.notices.find('about', about))
    const copies = notices.flatMap((notice) => notice.deliveries.map((copy) => ({ notice, copy })))
    const platforms = [...new Set(copies.map(({ copy }) => copy.platform))]
    const asked = platforms.filter((name) => name === (platform ?? name))
    const failed = await Promise.all(
      asked.map((name) =>
        redrawAll(
          work,
          copies.filter(({ copy }) => copy.platform === name),
        ),
      ),
    )
    const waiting = asked.filter((_, index) => failed[index] !== undefined)
    const [why] = failed.filter((error) => error !== undefined)
    if (platform !== undefined && why !== undefined) throw why
    if (waiting.length > 0) await redrawLater(work, about, waiting)
  },
}

/** Redraws copies on one platform until it does not answer, and gives back what it said then. */
async function redrawAll(
  { teller, log }: Work<'redraw-cards'>,
  copies: readonly { notice: Notice; copy: Delivery }[],
): Promise<Outage | undefined> {
  for (const { notice, copy } of copies) {
    try {
      await teller.redraw(notice, copy)
    } catch (error) {
      if (!(error instanceof Outage)) throw error
      if (error.transient) return error
      log.warn({ platform: copy.platform, notice: notice.id, error: messageOf(error) }, 'card not redrawn')
    }
  }
  return undefined
}

async function redrawLater(
  work: Work<'redraw-cards'>,
  about: string,
  platforms: readonly string[],
): Promise<void> {
  await work.store.transact(async (tx) => {
    for (const platform of platforms) {
      const subject = `cards:${about}:${platform}`
      if ((await tx.jobs.count('subject', subject)) > 0) continue
      await enqueue(deskOf(work, tx), 'redraw-cards', { about, platform }, { subject, by: 'jackdaw' })
    }
  })
}
