import { refuse } from '../base/errors.ts'
import { formatOfName, inspectDisk } from '../machines/disk-file.ts'
import { copyDisk, dropDisk, withDisk, workPath } from './disk-folder.ts'
import { deskOf, hypervisorNamed } from './facts.ts'
import { libraryOf } from './library.ts'
import { removeLeftover } from './remove-disk.ts'
import type { Trade } from './trade.ts'

const [copying, checking, converting] = [
  'copying the file',
  'checking the disk',
  'taking it into the library',
] as const

/** A simulated hypervisor writes its disks as lines of text, which only it takes back. */
const simulated = 'jackdaw simulated disk\n'

/**
 * Takes a file into the library. It is copied first, so that what was checked is what is taken; then it is looked at here,
 * and once more by the hypervisor, which also writes it in the format that it wants.
 */
export const importDisk: Trade<'import-disk'> = {
  kind: 'import-disk',
  deadlineMillis: 4 * 60 * 60_000,
  attempts: 3,
  async run(work) {
    const { image, ref, hypervisor, file, user } = work.job.input
    const library = libraryOf(work.site)
    const driver = hypervisorNamed(work, hypervisor, `image ${image}`)
    const copy = workPath(library.folder, copyName(ref, file))
    await work.plan([copying, checking, converting])
    await work.stage(copying, () =>
      copyDisk({ library: library.folder, user, name: file }, copy, work.signal),
    )
    await work.stage(checking, () => check(copy, file))
    await work.stage(converting, () => driver.importImage(copy, ref, work.signal))
    const kept = (await driver.images(work.signal)).find((known) => known.ref === ref)
    await work.store.transact(async (tx) => {
      const known = await tx.images.get(image)
      if (known?.ref !== ref) return
      await tx.images.put({ ...known, state: 'ready', sizeGb: kept?.sizeGb ?? null })
    })
    await dropDisk(copy)
  },
  async failed(tx, job, why, tools) {
    const { image, ref, file } = job.input
    const known = await tx.images.get(image)
    if (known?.ref === ref) await tx.images.put({ ...known, state: 'failed', failure: why })
    await removeLeftover(deskOf(tools, tx), copyName(ref, file), job.by)
  },
}

/** Its ending says what it is, to hypervisors too. */
function copyName(ref: string, file: string): string {
  return `${ref}.${formatOfName(file) ?? 'qcow2'}`
}

/** @throws Refusal `invalid_input` for what is no whole disk. */
async function check(copy: string, file: string): Promise<void> {
  const format = formatOfName(file)
  const finding = await withDisk(copy, async ({ size, read }) => {
    if ((await read(0, simulated.length)).toString('latin1') === simulated) return { bytes: size }
    return format === undefined ? { fault: 'is of no known kind' } : inspectDisk(format, size, read)
  })
  if ('fault' in finding) refuse('invalid_input', `${file} ${finding.fault}.`)
}
