import { Outage, refuse } from '../base/errors.ts'
import type { Trade } from './trade.ts'

/** Removes what is left at a hypervisor of a machine that was deleted here. */
export const removeLeftover: Trade<'remove-leftover'> = {
  kind: 'remove-leftover',
  deadlineMillis: 10 * 60_000,
  attempts: 8,
  async run(work) {
    const { ref, hypervisor, host } = work.job.input
    const driver = work.hypervisors.get(hypervisor)
    if (driver === undefined) {
      const detail = `${host} is of ${hypervisor}, which this site does not steer`
      throw new Outage('hypervisor_unknown', detail, { transient: false })
    }
    const [machine] = await work.store.read((tx) => tx.machines.find('ref', ref))
    if (machine !== undefined && machine.state !== 'deleted') {
      refuse('wrong_state', `${machine.id} is in use: it is no leftover.`)
    }
    await work.plan(['removing what is left'])
    await work.stage('removing what is left', () => driver.remove(ref, work.signal))
    await work.store.transact(async (tx) => {
      const known = await tx.hosts.get(host)
      if (known?.leftovers === undefined) return
      const { leftovers, ...rest } = known
      const left = leftovers.filter((one) => one.ref !== ref)
      await tx.hosts.put(left.length === 0 ? rest : { ...rest, leftovers: left })
    })
  },
}
