import { hypervisorNamed } from './facts.ts'
import type { Trade } from './trade.ts'

/** Removes an image's disk. Nobody uses it any more: its name went when this was decided. */
export const removeImage: Trade<'remove-image'> = {
  kind: 'remove-image',
  deadlineMillis: 10 * 60_000,
  attempts: 8,
  async run(work) {
    const { ref, hypervisor, image } = work.job.input
    const driver = hypervisorNamed(work, hypervisor, `image ${image}`)
    await work.plan(['removing the image'])
    await work.stage('removing the image', () => driver.removeImage(ref, work.signal))
  },
}
