import { Outage } from '../base/errors.ts'
import { markDelivered } from '../machines/expiry.ts'
import type { Delivery, MessageRef, Notice } from '../notices/notice.ts'
import { changeMachine } from './facts.ts'
import type { Trade, Work } from './trade.ts'

/** Tells everybody whom a notice is for. Each copy is saved as soon as it is sent, so that a retry sends it to the rest only. */
export const deliverNotice: Trade<'deliver-notice'> = {
  kind: 'deliver-notice',
  deadlineMillis: 60_000,
  attempts: 12,
  async run(work) {
    const notice = await work.store.read((tx) => tx.notices.get(work.job.input.notice))
    if (notice === undefined) return
    const users = await usersOf(work, notice)
    for (const user of users) await deliver(work, notice.id, user)
  },
}

/**
 * Names are users or groups; who is in a group is asked when it is told. Where the directory knows nobody behind them any
 * more (an owner who has left), the operators are told instead: nothing may go unsaid.
 */
async function usersOf({ directory, site }: Work<'deliver-notice'>, notice: Notice): Promise<string[]> {
  const behind = async (names: readonly string[]): Promise<string[]> => {
    const people = await Promise.all(names.map((name) => directory.members(name)))
    return [...new Set(people.flat().map(({ user }) => user))]
  }
  const users = await behind(notice.to)
  return users.length > 0 ? users : behind(site.roles.operator)
}

async function deliver(work: Work<'deliver-notice'>, id: string, user: string): Promise<void> {
  const { store, teller, clock } = work
  const notice = await store.read((tx) => tx.notices.get(id))
  if (notice === undefined) return
  const known = notice.deliveries.filter((delivery) => delivery.user === user)
  const copies = await teller.tell(notice, user, known)
  if (copies.length === 0 && known.length === 0) {
    throw new Outage('nobody_reached', `${user} is on no platform that can be reached`, { transient: true })
  }
  await store.transact(async (tx) => {
    const at = clock.now()
    const last = await tx.notices.get(id)
    if (last === undefined) return
    // Two runs of this job may overlap, when it was taken over: one copy on each platform is what there is.
    const isNew = ({ platform }: MessageRef) =>
      !last.deliveries.some((known) => known.user === user && known.platform === platform)
    const fresh = copies.filter(isNew).map((copy): Delivery => ({ ...copy, user, at }))
    const deliveries = [...last.deliveries, ...fresh]
    await tx.notices.put({ ...last, deliveries })
    if (notice.about.kind === 'machine') {
      await changeMachine(tx, notice.about.id, (machine) => markDelivered(machine, id, at))
    }
  })
}

/** Shows on every copy of the cards about something how it is now. */
export const redrawCards: Trade<'redraw-cards'> = {
  kind: 'redraw-cards',
  deadlineMillis: 60_000,
  attempts: 5,
  async run(work) {
    const notices = await work.store.read((tx) => tx.notices.find('about', work.job.input.about))
    for (const notice of notices) {
      for (const copy of notice.deliveries) await work.teller.redraw(notice, copy)
    }
  },
}
