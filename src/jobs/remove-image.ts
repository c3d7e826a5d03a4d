import { Outage } from '../base/errors.ts'
import type { Trade } from './trade.ts'

/** Removes an image's disk. Nobody uses it any more: its name went when this was decided. */
export const removeImage: Trade<'remove-image'> = {
  kind: 'remove-image',
  deadlineMillis: 10 * 60_000,
  attempts: 8,
  async run(work) {
    const { ref, hypervisor, image } = work.job.input
    const driver = work.hypervisors.get(hypervisor)
    if (driver === undefined) {
      const detail = `Image ${image} is on ${hypervisor}, which this site does not steer`
      throw new Outage('hypervisor_unknown', detail, { transient: false })
    }
    await work.plan(['removing the image'])
    await work.stage('removing the image', () => driver.removeImage(ref, work.signal))
  },
}
