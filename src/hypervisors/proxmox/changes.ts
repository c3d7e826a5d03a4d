import { Outage } from '../../base/errors.ts'
import { Tasks } from './answers.ts'
import type { Cluster } from './cluster.ts'
import { namedIn, tagsIn } from './note.ts'

const paceMillis = 3000

interface Look {
  /** What each machine is like, by its number. */
  machines: Map<number, { ref: string | undefined; like: string }>
  /** The tasks that have ended. */
  ended: Set<string>
}

/**
 * The refs of machines that have become another. The hypervisor tells nobody, so it is asked every three seconds: its
 * tasks show at once what people do there, to those who may see them (Sys.Audit on /); the list of machines shows the
 * rest, such as a guest that stops, when its node has told the others, at most ten seconds later.
 */
export async function* changes(world: Cluster, signal: AbortSignal): AsyncGenerator<string> {
  let before: Look | undefined
  for (;;) {
    signal.throwIfAborted()
    const now = await look(world, signal)
    if (now !== undefined) {
      const refs = before === undefined ? [] : difference(before, now)
      before = now
      for (const ref of refs) {
        yield ref
        signal.throwIfAborted()
      }
    }
    await world.sleep(paceMillis, signal).catch(() => signal.throwIfAborted())
  }
}

async function look(world: Cluster, signal: AbortSignal): Promise<Look | undefined> {
  try {
    const [rows, tasks] = await Promise.all([
      world.resources(signal),
      world.client.get('/cluster/tasks', Tasks, signal),
    ])
    const machines = rows.map(({ vmid, node, tags, status = '', lock = '', hastate = '' }) => {
      const ref = namedIn('ref', tagsIn(tags), vmid) ?? world.others.known(vmid)
      return [vmid, { ref, like: [node, status, lock, hastate, ref ?? ''].join(' ') }] as const
    })
    const ended = tasks.filter(({ type, endtime }) => /^(qm|ha|vz)/.test(type) && endtime !== undefined)
    return { machines: new Map(machines), ended: new Set(ended.map(({ upid, id }) => `${id} ${upid}`)) }
  } catch (error) {
    signal.throwIfAborted()
    // Who looks at the whole inventory says that it is away; here it is asked again.
    if (error instanceof Outage) return undefined
    throw error
  }
}

/** Whom something happened to between two looks. */
export function difference(before: Look, now: Look): string[] {
  const changed = [...now.machines].filter(([vmid, { like }]) => before.machines.get(vmid)?.like !== like)
  const gone = [...before.machines].filter(([vmid]) => !now.machines.has(vmid))
  const worked = [...now.ended]
    .filter((task) => !before.ended.has(task))
    .map((task) => now.machines.get(Number(task.split(' ')[0]))?.ref)
  const refs = [...[...changed, ...gone].map(([, { ref }]) => ref), ...worked]
  return [...new Set(refs)].filter((ref) => ref !== undefined)
}
