import { randomUUID } from 'node:crypto'
import { link, rename, rm, stat } from 'node:fs/promises'
import { extname, isAbsolute } from 'node:path'
import { z } from 'zod'
import { Outage } from '../base/errors.ts'
import { NoAnswer, run } from './command.ts'
import { hypervisorUnreachable, refused } from './outages.ts'

/** How long a copy of a whole disk may take. */
const copyMillis = 4 * 60 * 60_000
const lookMillis = 60_000

/** The formats of files that come and go, by their ending. Never found out from what is in the file. */
const formats: Readonly<Record<string, string>> = { '.qcow2': 'qcow2', '.vhd': 'vpc', '.vhdx': 'vhdx' }

/** What `qemu-img info` says that matters: whether a disk is more than its own file. */
const Info = z.object({
  format: z.string(),
  'virtual-size': z.number(),
  'backing-filename': z.string().optional(),
  encrypted: z.boolean().optional(),
  'format-specific': z
    .object({
      data: z.object({ 'data-file': z.string().optional(), corrupt: z.boolean().optional() }).loose(),
    })
    .loose()
    .optional(),
})

/**
 * A disk from outside is taken only if it is all of itself: a file that names another one (a backing file, a data file)
 * would have us read whatever it names. The format is what its ending says, never what the file says of itself.
 */
export async function verifyDisk(file: string, format: string, signal: AbortSignal): Promise<void> {
  const there = await stat(file).catch(() => undefined)
  if (there?.isFile() !== true) throw refused(`There is no file ${file}.`)
  const info = Info.safeParse(
    JSON.parse(await qemuImg(['info', '-f', format, '--output=json', file], signal, lookMillis)),
  )
  if (!info.success) throw refused(`${file} is no disk that is understood.`)
  const { 'backing-filename': backing, encrypted, 'format-specific': specific } = info.data
  if (backing !== undefined || specific?.data['data-file'] !== undefined)
    throw refused(`${file} is only a part of a disk: it names another file.`)
  if (encrypted === true) throw refused(`${file} is encrypted.`)
  if (specific?.data.corrupt === true) throw refused(`${file} is damaged.`)
  if (info.data['virtual-size'] === 0) throw refused(`${file} is an empty disk.`)
  // VHD has no way to be checked; reading all of it while converting is what there is.
  if (format !== 'vpc') await qemuImg(['check', '-q', '-f', format, file], signal, copyMillis)
}

/** The format that a file's ending says, as `qemu-img` calls it. @throws Outage `hypervisor_refused` for another ending. */
export function formatOf(file: string): string {
  const format = formats[extname(file).toLowerCase()]
  if (format === undefined) throw refused('A disk file ends in .qcow2, .vhd or .vhdx.')
  // A path from the root is a file to qemu-img, whatever else is in it; others may be addresses of something.
  if (!isAbsolute(file)) throw refused(`The file ${file} is not named by its whole path.`)
  return format
}

/** Writes a disk in another format, whole. */
export async function convertDisk(
  from: string,
  format: string,
  to: string,
  how: readonly string[],
  signal: AbortSignal,
): Promise<string> {
  return qemuImg(['convert', '-q', '-f', format, ...how, from, to], signal, copyMillis)
}

/** @throws Outage `hypervisor_refused` with what it said. */
export async function qemuImg(
  words: readonly string[],
  signal: AbortSignal,
  millis = copyMillis,
): Promise<string> {
  try {
    const { code, stdout, stderr } = await run('qemu-img', words, { signal, deadlineMillis: millis })
    if (code === 0) return stdout
    const isBusy = /lock/i.test(stderr)
    throw refused(`qemu-img refused: ${said(stderr)}`, { transient: isBusy })
  } catch (error) {
    if (error instanceof NoAnswer) throw hypervisorUnreachable('qemu-img', error)
    throw error
  }
}

function said(stderr: string): string {
  const [first = 'no reason given'] = stderr.split('\n').filter((line) => line !== '')
  return `${first.replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ').slice(0, 300)}.`
}

/** Has a file made beside its place, and puts it there once it is whole. `new` never takes the place of another. */
export async function whole(
  file: string,
  make: (draft: string) => Promise<unknown>,
  place: 'new' | 'over' = 'over',
): Promise<void> {
  const draft = `${file}.${randomUUID()}.part`
  try {
    await make(draft)
    if (place === 'over') await rename(draft, file)
    else await link(draft, file)
  } catch (error) {
    if (error instanceof Outage || !(error instanceof Error) || !('code' in error)) throw error
    throw refused(`${file} could not be written (${String(error.code)}).`)
  } finally {
    await rm(draft, { force: true })
  }
}
