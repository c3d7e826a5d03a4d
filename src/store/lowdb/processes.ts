import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { hasCode } from './files.ts'

/** A process by what tells it from a later one with the same number; `started` is null where that cannot be known. */
export interface Running {
  started: string | null
}

/** The processes of this host (port, so that tests can kill them). */
export interface Processes {
  readonly pid: number
  readonly host: string
  /** The process with this number, if there is one. */
  find(pid: number): Promise<Running | undefined>
}

export const systemProcesses: Processes = {
  pid: process.pid,
  host: hostname(),
  async find(pid) {
    if (!isThere(pid)) return undefined
    const stat = await textOf(`/proc/${pid}/stat`)
    if (stat === undefined) return { started: null }
    // proc(5): the name in parentheses may hold anything; then come state (field 3) and start time (field 22).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined
    const boot = await textOf('/proc/sys/kernel/random/boot_id')
    return { started: `${boot?.trim() ?? ''} ${fields[19] ?? ''}` }
  },
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return !hasCode(error, 'ESRCH')
  }
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch {
    return undefined
  }
}
