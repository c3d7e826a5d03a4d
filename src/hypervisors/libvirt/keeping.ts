import type { Hypervisor } from '../hypervisor.ts'
import { refused } from '../outages.ts'
import { lines } from './answers.ts'
import type { Farm, Found } from './farm.ts'
import { whole } from './making.ts'
import { noteStart } from './power.ts'
import { longMillis } from './virsh.ts'

type Keeping = Pick<
  Hypervisor,
  'snapshot' | 'revert' | 'forget' | 'capture' | 'images' | 'removeImage' | 'exportImage' | 'importImage'
>

/** Snapshots, which live inside the machine's own disk, and the library of images in the shared folder. */
export function keeping(farm: Farm): Keeping {
  const { disks } = farm

  async function names(found: Found, signal: AbortSignal): Promise<string[]> {
    return lines(await farm.tell(found, signal, ['snapshot-list', '--name']))
  }

  return {
    async snapshot(ref, name, signal) {
      const found = await farm.machine(ref, signal)
      whole(found)
      if (found.power === 'saved') throw refused(`Machine ${ref} is saved: wake it first.`)
      if ((await names(found, signal)).includes(name)) return
      await farm.tell(found, signal, ['snapshot-create-as', '--name', name, '--atomic'], longMillis)
    },
    async revert(ref, name, signal) {
      const found = await farm.machine(ref, signal)
      if (!(await names(found, signal)).includes(name))
        throw refused(`Machine ${ref} has no snapshot ${name}.`)
      // What it had kept in memory belongs to the disk that it had then.
      if (found.power === 'saved') await farm.tell(found, signal, ['managedsave-remove'])
      await farm.tell(found, signal, ['snapshot-revert', '--snapshotname', name], longMillis)
      await noteStart(farm, found, signal)
    },
    async forget(ref, name, signal) {
      const found = await farm.machine(ref, signal)
      if (!(await names(found, signal)).includes(name)) return
      await farm.tell(found, signal, ['snapshot-delete', '--snapshotname', name], longMillis)
    },
    async capture(ref, image, signal) {
      const found = await farm.machine(ref, signal)
      whole(found)
      if (found.power !== 'stopped') throw refused(`Machine ${ref} is ${found.power}, not stopped.`)
      await disks.capture(disks.paths(ref).disk, image, signal)
    },
    async images(signal) {
      signal.throwIfAborted()
      return disks.images()
    },
    async removeImage(image, signal) {
      signal.throwIfAborted()
      await disks.removeImage(image)
    },
    async exportImage(image, file, signal) {
      signal.throwIfAborted()
      await disks.exportImage(image, file, signal)
    },
    async importImage(file, image, signal) {
      signal.throwIfAborted()
      await disks.importImage(file, image, signal)
    },
  }
}
