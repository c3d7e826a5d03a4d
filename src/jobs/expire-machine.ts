import { plusMillis } from '../base/clock.ts'
import { move } from '../base/states.ts'
import { nextAttention } from '../machines/expiry.ts'
import { machineStates } from '../machines/machine.ts'
import { changeMachine, deskOf, driverOf, machineOf } from './facts.ts'
import { redrawCards, tell } from './outbox.ts'
import type { Trade, Work } from './trade.ts'

/** Puts a machine to rest at its end: saved (or shut down), kept for its grace, and brought back by an extension. */
export const expireMachine: Trade<'expire-machine'> = {
  kind: 'expire-machine',
  deadlineMillis: 10 * 60_000,
  attempts: 5,
  async run(work) {
    const { machine: name, end } = work.job.input
    const machine = await machineOf(work, name)
    if (machine.expiresAt !== end) return // It was extended meanwhile.
    await work.plan(['putting it to rest'])
    await work.stage('putting it to rest', () => rest(work))
    await work.store.transact(async (tx) => {
      const desk = deskOf(work, tx)
      const policy = work.site.policies.machines
      await changeMachine(tx, name, (known) => {
        if (known.expiresAt !== end || known.state === 'expired') return known
        const expired = move(machineStates, known, 'expired', { at: desk.now, reason: 'its end has come' })
        return {
          ...expired,
          rdp: null,
          attentionAt: nextAttention(expired, policy, desk.now, work.site.timezone),
        }
      })
      await redrawCards(desk, `machine:${name}`)
    })
  },
  async failed(tx, job, why, tools) {
    const desk = deskOf(tools, tx)
    const about = { kind: 'machine', id: job.input.machine } as const
    // Looked at again in a while: the world may be better then.
    await changeMachine(tx, job.input.machine, (known) => ({
      ...known,
      attentionAt: plusMillis(desk.now, 5 * 60_000),
    }))
    const text = `${job.input.machine} has reached its end and could not be put to rest: ${why}.`
    await tell(desk, { kind: 'machine-failed', about, to: [...tools.site.roles.operator], text })
  },
}

async function rest(work: Work<'expire-machine'>): Promise<void> {
  const machine = await machineOf(work, work.job.input.machine)
  if (machine.hypervisor === null) return
  const driver = driverOf(work, machine)
  const { power } = await driver.status(machine.ref, work.signal)
  if (power === 'stopped' || power === 'saved' || power === 'missing') return
  if (work.site.policies.machines.atEnd === 'save') await driver.save(machine.ref, work.signal)
  else await driver.shutdown(machine.ref, work.signal)
}
