import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NoAnswer, run } from '../command.ts'
import { hypervisorUnreachable, refused } from '../outages.ts'
import { cloudInitFiles } from './cloud-init.ts'
import { checkGuest, type Guest } from './guest.ts'
import { windowsFiles } from './windows.ts'

/** The files of a guest's first boot, by name: for cloud-init or for Windows Setup. Their readers take them as data. */
export function seedFiles(guest: Guest, kind: 'nocloud' | 'unattend'): Record<string, string> {
  checkGuest(guest)
  return kind === 'nocloud' ? cloudInitFiles(guest) : windowsFiles(guest)
}

/**
 * A CD image with small files in its root (ISO 9660 with Joliet and Rock Ridge, where Windows and Linux find the names as
 * they are), called CIDATA. It is made by `xorriso`, and nothing is left behind.
 * @throws Outage where xorriso is not there or refuses.
 */
export async function seedDisc(files: Record<string, string>, signal: AbortSignal): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'jackdaw-seed-'))
  try {
    for (const [name, text] of Object.entries(files))
      await writeFile(join(folder, name), text, { mode: 0o600 })
    const made = `${folder}.iso`
    try {
      await burn(folder, made, signal)
      return await readFile(made)
    } finally {
      await rm(made, { force: true })
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function burn(folder: string, file: string, signal: AbortSignal): Promise<void> {
  const words = ['-as', 'mkisofs', '-quiet', '-V', 'CIDATA', '-J', '-r', '-o', file, folder]
  try {
    const { code, stderr } = await run('xorriso', words, { signal, deadlineMillis: 60_000 })
    if (code === 0) return
    const [line] = stderr.split('\n').filter((said) => /FATAL|FAILURE/.test(said))
    throw refused(`xorriso refused: ${line?.slice(0, 200) ?? 'no reason given'}.`)
  } catch (error) {
    if (error instanceof NoAnswer) throw hypervisorUnreachable('xorriso', error)
    throw error
  }
}
