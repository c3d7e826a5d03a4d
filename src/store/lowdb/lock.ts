import { z } from 'zod'
import type { Instant } from '../../base/clock.ts'
import { Outage } from '../../base/errors.ts'
import type { Files } from './files.ts'
import type { Processes } from './processes.ts'

const Holder = z.object({
  pid: z.number(),
  host: z.string(),
  started: z.string().nullable(),
  since: z.string(),
})
type Holder = z.infer<typeof Holder>

/** A lock file as it stands: `lock-3` has number 3. Each that takes over from a dead process counts one up. */
interface Lock {
  number: number
  text: string
}

const lockName = /^lock-(\d+)$/
const attempts = 10

/**
 * Takes the folder for this process and tells how to let go of it.
 *
 * The lock is a file that names its process. A dead process's lock is taken over at once: by making the file with the
 * next number, which only one can do, and then making sure that what was judged dead still stands there unchanged.
 * Somebody who looked long ago and comes late finds something else and lets go again.
 *
 * @throws Outage `store_in_use` when a living process, or one on another host, holds it.
 */
export async function takeLock(
  files: Files,
  facts: { path: string; processes: Processes; at: Instant },
): Promise<() => Promise<void>> {
  const { path, processes, at } = facts
  const started = (await processes.find(processes.pid))?.started ?? null
  const text = JSON.stringify({
    pid: processes.pid,
    host: processes.host,
    started,
    since: at,
  } satisfies Holder)
  for (let attempt = 0; attempt < attempts; attempt++) {
    const before = await locks(files)
    const top = before.at(-1)
    if (top !== undefined) await refuseIfAlive(top, path, processes)
    const number = (top?.number ?? 0) + 1
    if (!(await files.createOnce(`lock-${number}`, text))) continue
    const others = (await locks(files)).filter((lock) => lock.number !== number)
    if (same(before, others)) {
      for (const lock of before) await files.remove(`lock-${lock.number}`)
      return () => files.remove(`lock-${number}`)
    }
    await files.remove(`lock-${number}`)
  }
  throw new Outage('store_in_use', `Others are taking ${path} at this moment.`, { transient: false })
}

async function locks(files: Files): Promise<Lock[]> {
  const found: Lock[] = []
  for (const name of await files.list()) {
    const number = lockName.exec(name)?.[1]
    const file = number === undefined ? undefined : await files.open(name)
    if (file === undefined) continue
    found.push({ number: Number(number), text: (await file.read(0, 10_000)).toString('utf8') })
    await file.close()
  }
  return found.sort((a, b) => a.number - b.number)
}

function same(a: readonly Lock[], b: readonly Lock[]): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

async function refuseIfAlive(lock: Lock, path: string, processes: Processes): Promise<void> {
  const holder = holderOf(lock)
  if (holder !== undefined && (await isDead(holder, processes))) return
  const who =
    holder === undefined ? 'somebody' : `process ${holder.pid} on ${holder.host} since ${holder.since}`
  throw new Outage(
    'store_in_use',
    `${path} is in use by ${who}. Stop that one first, or give this one another folder. ` +
      `If it is certain that nothing uses the folder, remove the file lock-${lock.number} in it.`,
    { transient: false },
  )
}

function holderOf(lock: Lock): Holder | undefined {
  try {
    return Holder.parse(JSON.parse(lock.text))
  } catch {
    return undefined
  }
}

/** Of a process on another host nothing is known, so it counts as alive. */
async function isDead(holder: Holder, processes: Processes): Promise<boolean> {
  if (holder.host !== processes.host) return false
  const running = await processes.find(holder.pid)
  if (running === undefined) return true
  // The number has been given to another process since.
  return holder.started !== null && running.started !== null && holder.started !== running.started
}
