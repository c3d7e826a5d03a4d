import { Outage } from '../base/errors.ts'
import { markDelivered } from '../machines/expiry.ts'
import type { Delivery, MessageRef, Notice, Telling } from '../notices/notice.ts'
import type { Transaction } from '../store/store.ts'
import { changeMachine, deskOf } from './facts.ts'
import { enqueue } from './outbox.ts'
import type { Trade, Work } from './trade.ts'

/** What a platform was to be told is kept for about a week of trying. */
export const patience = { attempts: 2_000, longestPauseMillis: 300_000 }

/**
 * Tells everybody whom a notice is for. Each copy is saved as soon as it is sent, so that a retry sends it to the rest
 * only. What a platform does not take now waits for it in a job of its own, and holds up neither people nor platforms.
 */
export const deliverNotice: Trade<'deliver-notice'> = {
  kind: 'deliver-notice',
  deadlineMillis: 60_000,
  // Whoever is on no platform may be on one next week: looked for each hour.
  attempts: 200,
  longestPauseMillis: 3_600_000,
  async run(work) {
    const notice = await work.store.read((tx) => tx.notices.get(work.job.input.notice))
    if (notice === undefined) return
    if (notice.kind === 'announced') {
      await deliver(work, notice.id, everybody)
      return
    }
    const unreached: string[] = []
    for (const user of await usersOf(work, notice)) {
      const { copies, waiting, known } = await deliver(work, notice.id, user)
      if (copies + waiting + known === 0) unreached.push(user)
    }
    if (unreached.length === 0) return
    throw new Outage('nobody_reached', `${unreached.join(', ')}: on no platform that can be reached`, {
      transient: true,
    })
  },
}

/** Whose copies those in a channel are. */
const everybody = ''

/** Tells one person on one platform that did not answer before. */
export const deliverCopy: Trade<'deliver-copy'> = {
  kind: 'deliver-copy',
  deadlineMillis: 60_000,
  ...patience,
  async run(work) {
    const { notice, user, platform } = work.job.input
    await deliver(work, notice, user, platform)
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

/**
 * Tells one person, on one platform or on all.
 * @returns on how many platforms they were told now, will be told later, and were told before.
 * @throws Outage when the one platform did not take it.
 */
async function deliver(
  work: Work<'deliver-notice' | 'deliver-copy'>,
  id: string,
  user: string,
  platform?: string,
): Promise<{ copies: number; waiting: number; known: number }> {
  const { store, teller } = work
  const notice = await store.read((tx) => tx.notices.get(id))
  if (notice === undefined) return { copies: 0, waiting: 0, known: 1 }
  const known = notice.deliveries.filter((delivery) => delivery.user === user)
  const told = await (user === everybody
    ? teller.announce(notice, known, platform)
    : teller.tell(notice, user, known, platform))
  const [failed] = told.waiting
  if (platform !== undefined && failed !== undefined) {
    throw new Outage('chat_waits', `${failed.platform}: ${failed.why}`, { transient: true })
  }
  if (told.copies.length + told.waiting.length > 0) {
    await store.transact((tx) => saveTelling(tx, work, { id, user, told }))
  }
  return { copies: told.copies.length, waiting: told.waiting.length, known: known.length }
}

async function saveTelling(
  tx: Transaction,
  work: Work<'deliver-notice' | 'deliver-copy'>,
  { id, user, told }: { id: string; user: string; told: Telling },
): Promise<void> {
  const desk = deskOf(work, tx)
  const last = await tx.notices.get(id)
  if (last === undefined) return
  // Two runs of this job may overlap, when it was taken over: one copy on each platform is what there is.
  const isNew = ({ platform }: MessageRef) =>
    !last.deliveries.some((known) => known.user === user && known.platform === platform)
  const fresh = told.copies.filter(isNew).map((copy): Delivery => ({ ...copy, user, at: desk.now }))
  await tx.notices.put({ ...last, deliveries: [...last.deliveries, ...fresh] })
  for (const { platform } of told.waiting) {
    const subject = `copy:${id}:${user}:${platform}`
    if ((await tx.jobs.count('subject', subject)) > 0) continue
    await enqueue(desk, 'deliver-copy', { notice: id, user, platform }, { subject, by: 'jackdaw' })
  }
  if (fresh.length > 0 && last.about.kind === 'machine') {
    for (const name of [last.about.id, ...(last.also ?? [])]) {
      await changeMachine(tx, name, (machine) => markDelivered(machine, id, desk.now))
    }
  }
}
