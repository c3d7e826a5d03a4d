import { plusMillis } from '../base/clock.ts'
import { Refusal } from '../base/errors.ts'
import { counted } from '../base/text.ts'
import { checkVerb } from '../machines/control.ts'
import { checkAtRest } from '../operations/control-machine.ts'
import { beginMigration, targetFor } from '../operations/migrate-machine.ts'
import { mostAtOnce } from './drain-host.ts'
import { deskOf } from './facts.ts'
import type { JobInputs } from './job.ts'
import { enqueue, tell } from './outbox.ts'
import type { Trade } from './trade.ts'

const roundMillis = 2_000

type Desk = ReturnType<typeof deskOf>
type Progress = JobInputs['rebalance']

/** One round of moving machines between hosts: a few at a time, each looked at again, until all were tried. */
export const rebalance: Trade<'rebalance'> = {
  kind: 'rebalance',
  deadlineMillis: 60_000,
  attempts: 20,
  async run(work) {
    await work.plan(['moving machines'])
    await work.stage('moving machines', async () => {
      await work.store.transact(async (tx) => {
        const desk = deskOf(work, tx)
        const { next, waits } = await round(desk, work.job.input)
        if (!waits && next.left.length === 0) return conclude(desk, next)
        const facts = { subject: 'rebalance', by: next.by, dueAt: plusMillis(desk.now, roundMillis) }
        await enqueue(desk, 'rebalance', next, facts)
      })
    })
  },
}

async function round(desk: Desk, before: Progress): Promise<{ next: Progress; waits: boolean }> {
  const inHand = await movingOf(desk, before)
  const room = Math.max(0, mostAtOnce - inHand)
  let next = before
  for (const move of before.left.slice(0, room)) {
    const why = await begin(desk, move, before.by)
    const left = next.left.filter(({ machine }) => machine !== move.machine)
    next =
      why === null
        ? { ...next, left, begun: [...next.begun, { machine: move.machine, to: move.to }] }
        : { ...next, left, failed: [...next.failed, { machine: move.machine, why }] }
  }
  return { next, waits: inHand > 0 || next.begun.length > before.begun.length }
}

async function movingOf({ tx }: Desk, { begun }: Progress): Promise<number> {
  const machines = await Promise.all(begun.map(({ machine }) => tx.machines.get(machine)))
  return machines.filter((machine) => machine?.state === 'migrating').length
}

/** What was true when it was proposed need not be any more. Gives back why it is not moved, or nothing when it is. */
async function begin(desk: Desk, { machine: id, from, to }: Progress['left'][number], by: string) {
  try {
    const machine = await desk.tx.machines.get(id)
    if (machine === undefined || machine.host !== from) return `It is not on ${from} any more.`
    checkVerb(machine, 'migrate')
    await checkAtRest(desk, machine)
    await beginMigration(desk, machine, await targetFor(desk, machine, to), by)
    return null
  } catch (error) {
    if (error instanceof Refusal) return error.message
    throw error
  }
}

async function conclude(desk: Desk, { begun, failed, by }: Progress): Promise<void> {
  const machines = await Promise.all(begun.map(({ machine }) => desk.tx.machines.get(machine)))
  const arrived = begun.filter(({ to }, index) => machines[index]?.host === to)
  const late = begun.filter((one) => !arrived.includes(one)).map(({ machine }) => machine)
  const text = [
    `${counted(arrived.length, 'machine')} moved.`,
    ...late.map((machine) => `${machine} did not arrive, and is where it was.`),
    ...failed.map(({ machine, why }) => `${machine} was not moved. ${why}`),
  ].join(' ')
  const id = begun[0]?.to ?? 'hosts'
  await tell(desk, { kind: 'rebalanced', about: { kind: 'host', id }, to: [by], text: text.slice(0, 2000) })
}
