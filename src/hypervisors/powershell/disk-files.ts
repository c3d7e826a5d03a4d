import { refused } from '../outages.ts'

/** The name of a disk while it is being written. The ending decides the format of a disk, so that it stays. */
export function partialOf(path: string): string {
  return path.replace(/(\.[a-z0-9]+)$/i, '.partial$1')
}

/**
 * The format that the ending of a file says: `vhd`, `vhdx` or `qcow2`.
 * @throws Outage `hypervisor_refused` for another ending, and for what Windows would read as a pattern.
 */
export function formatOf(file: string): string {
  const format = /^[^\u0000-\u001f\u007f<>"|?*[\]`]+\.(qcow2|vhdx?)$/i.exec(file)?.[1]
  if (format !== undefined) return format.toLowerCase()
  throw refused(`${JSON.stringify(file)} is not the name of a .vhdx, .vhd or .qcow2 file.`)
}

/** A file that takes up nearly nothing is not nothing. */
export function inGb(bytes: number): number {
  return Math.max(0.01, Math.round((bytes / 2 ** 30) * 100) / 100)
}
