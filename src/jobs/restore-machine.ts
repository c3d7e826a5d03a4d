import { Outage } from '../base/errors.ts'
import { nextAttention } from '../machines/expiry.ts'
import type { Machine } from '../machines/machine.ts'
import { dropImage } from '../operations/images.ts'
import { postponed } from './bring-back.ts'
import { changeMachine, deskOf, driverOf, machineOf, verified, withStatus } from './facts.ts'
import { redrawCards, tell } from './outbox.ts'
import { build } from './provision-machine.ts'
import type { Trade } from './trade.ts'

/** Brings a machine back from the library, onto the host that was found for it. */
export const restoreMachine: Trade<'restore-machine'> = {
  kind: 'restore-machine',
  deadlineMillis: 60 * 60_000,
  attempts: 5,
  async run(work) {
    const { machine: name } = work.job.input
    const machine = await machineOf(work, name)
    const { archive } = machine
    if (machine.state !== 'archived' || archive === null || archive === undefined) return
    const driver = driverOf(work, machine)
    await build(work, { ...machine, image: archive.image })
    const status = await verified(driver, machine, 'running', work.signal)
    await work.store.transact(async (tx) => {
      const desk = deskOf(work, tx)
      await changeMachine(tx, name, (known) =>
        back(withStatus(known, status, desk.now, 'brought back'), desk),
      )
      await dropImage(desk, archive.image, work.job.by)
      await redrawCards(desk, `machine:${name}`)
      const about = { kind: 'machine', id: name } as const
      await tell(desk, { kind: 'machine-ready', about, to: peopleOf(machine, work.job.by) })
    })
  },
  async failed(tx, job, why, tools) {
    const desk = deskOf(tools, tx)
    const { machine: name } = job.input
    const machine = await changeMachine(tx, name, (known) => postponed(known, desk))
    const text = `${name} could not be brought back: ${why}. It is in the library still.`
    const about = { kind: 'machine', id: name } as const
    const to = machine === undefined ? [job.by] : peopleOf(machine, job.by)
    await tell(desk, { kind: 'machine-failed', about, to, text })
    await redrawCards(desk, `machine:${name}`)
  },
}

/** @throws Outage when it does not run after all. */
function back(machine: Machine, { now, site }: ReturnType<typeof deskOf>): Machine {
  if (machine.state !== 'running') {
    throw new Outage('not_as_promised', `${machine.id} does not run`, { transient: true })
  }
  const { archive: _, ...rest } = machine
  return { ...rest, attentionAt: nextAttention(rest, site.policies.machines, now, site.timezone) }
}

/** Whoever asked for it; its owner, where it came back by itself. */
function peopleOf({ owner }: Machine, by: string): string[] {
  return by === 'jackdaw' ? (owner === null ? [] : [owner]) : [by]
}
