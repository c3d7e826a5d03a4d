import { plusMillis } from '../base/clock.ts'
import { Refusal } from '../base/errors.ts'
import { counted, list } from '../base/text.ts'
import { type Drain, type DrainRound, drainRound } from '../machines/drain.ts'
import { isAlive, type Machine } from '../machines/machine.ts'
import { beginMigration, targetFor } from '../operations/migrate-machine.ts'
import { deskOf } from './facts.ts'
import { type Desk, enqueue, tell } from './outbox.ts'
import type { Trade } from './trade.ts'

type SiteDesk = ReturnType<typeof deskOf>

/** How many machines move between hosts at the same time: more share the network and all take longer. */
export const mostAtOnce = 2
const roundMillis = 2_000

/** One round of emptying a host: it sends off what it can, and comes again until nothing more can be done. */
export const drainHost: Trade<'drain-host'> = {
  kind: 'drain-host',
  deadlineMillis: 60_000,
  attempts: 20,
  async run(work) {
    const { host: id } = work.job.input
    await work.plan(['sending machines away'])
    await work.stage('sending machines away', async () => {
      await work.store.transact(async (tx) => {
        const desk = deskOf(work, tx)
        const host = await tx.hosts.get(id)
        if (host?.drain === undefined || host.drain.doneAt !== null) return
        const machines = await tx.machines.find('host', id)
        const round = drainRound(host.drain, machines, {
          busy: await busyOf(desk, machines),
          most: mostAtOnce,
        })
        const drain = await carryOut(desk, host.drain, round)
        if (round.waits) {
          await tx.hosts.put({ ...host, drain })
          const facts = { subject: `host:${id}`, by: work.job.by, dueAt: plusMillis(desk.now, roundMillis) }
          await enqueue(desk, 'drain-host', { host: id }, facts)
          return
        }
        await tx.hosts.put({ ...host, drain: { ...drain, doneAt: desk.now } })
        const text = summary(id, drain, machines.filter(isAlive), round.stuck)
        await tell(desk, { kind: 'host-drained', about: { kind: 'host', id }, to: [drain.by], text })
      })
    })
  },
}

async function busyOf({ tx }: Desk, machines: readonly Machine[]): Promise<Set<string>> {
  const busy = new Set<string>()
  for (const { id } of machines) {
    if ((await tx.jobs.count('subject', `machine:${id}`)) > 0) busy.add(id)
  }
  return busy
}

async function carryOut(desk: SiteDesk, drain: Drain, { move, save }: DrainRound): Promise<Drain> {
  let next = drain
  for (const id of move) {
    const machine = await desk.tx.machines.get(id)
    if (machine !== undefined) next = await send(desk, next, machine)
  }
  for (const machine of save) {
    const facts = { subject: `machine:${machine}`, by: drain.by }
    await enqueue(desk, 'control-machine', { machine, verb: 'save' }, facts)
    next = { ...next, saved: [...next.saved, machine] }
  }
  return next
}

/** Sends a machine to another host; where there is none it is noted why, and it is saved in the next round. */
async function send(desk: SiteDesk, drain: Drain, machine: Machine): Promise<Drain> {
  const tried = [...drain.tried, machine.id]
  try {
    await beginMigration(desk, machine, await targetFor(desk, machine), drain.by)
    return { ...drain, tried }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return { ...drain, tried, why: [...drain.why, { machine: machine.id, why: error.message }] }
  }
}

function summary(
  host: string,
  { tried, why }: Drain,
  there: readonly Machine[],
  stuck: readonly string[],
): string {
  const names = there.map(({ id }) => id)
  const moved = tried.filter((id) => !names.includes(id))
  const rests = names.filter((id) => !stuck.includes(id))
  const reasons = [...new Set(why.map((one) => one.why))]
  return [
    stuck.length === 0
      ? `${host} can be maintained now.`
      : `${host} is not free: ${list([...stuck])} still there.`,
    moved.length === 0 ? '' : `${counted(moved.length, 'machine')} moved to other hosts.`,
    rests.length === 0 ? '' : `At rest on it: ${list(rests)}.`,
    reasons.length === 0 ? '' : reasons.join(' '),
  ]
    .filter((part) => part !== '')
    .join(' ')
}
