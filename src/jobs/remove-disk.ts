import { join } from 'node:path'
import { dropDisk, folderOf, workPath } from './disk-folder.ts'
import { libraryOf } from './library.ts'
import { type Desk, enqueue } from './outbox.ts'
import type { Trade } from './trade.ts'

/** Removes a file from the folder for disks. */
export const removeDisk: Trade<'remove-disk'> = {
  kind: 'remove-disk',
  deadlineMillis: 60_000,
  attempts: 3,
  async run(work) {
    const { user, file } = work.job.input
    const { folder } = libraryOf(work.site)
    const path = user === null ? workPath(folder, file) : join(folderOf(folder, user), file)
    await work.plan(['removing the file'])
    await work.stage('removing the file', () => dropDisk(path))
  },
}

/** Has what a job leaves behind that has failed taken away. */
export async function removeLeftover(desk: Desk, file: string, by: string): Promise<void> {
  await enqueue(desk, 'remove-disk', { user: null, file }, { subject: `file:${file}`, by })
}
