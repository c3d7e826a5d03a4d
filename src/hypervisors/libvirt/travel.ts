import { setTimeout as pause } from 'node:timers/promises'
import type { Hypervisor, Passage } from '../hypervisor.ts'
import { refused } from '../outages.ts'
import { lines, number, facts } from './answers.ts'
import type { Farm, Found } from './farm.ts'
import { undefine, withFile } from './making.ts'
import { settled } from './power.ts'
import { longMillis, outageOf, type Virsh } from './virsh.ts'

/** Moving machines between hosts that share the folder of disks: only memory and definitions travel. */
export function travel(farm: Farm): Pick<Hypervisor, 'passage' | 'migrate'> {
  return {
    async passage(ref, host, signal) {
      return passageOf(farm, await farm.machine(ref, signal), host, signal)
    },
    async migrate(ref, host, signal, progress = () => undefined) {
      const found = await farm.machine(ref, signal)
      if (found.at.host.name === host) return leaveElsewhere(farm, found, signal)
      const passage = await passageOf(farm, found, host, signal)
      if (passage.how === 'none') throw refused(passage.why)
      const to = farm.host(host)
      if (passage.how === 'live') await moveLive(farm, found, to, signal, progress)
      else await moveQuickly(farm, found, to, signal)
      farm.forget(ref)
    },
  }
}

async function passageOf(farm: Farm, found: Found, name: string, signal: AbortSignal): Promise<Passage> {
  const none = (why: string): Passage => ({ how: 'none', why })
  const to = farm.hosts().find(({ host }) => host.name === name)
  if (to === undefined) return none(`There is no host ${name}.`)
  if (to === found.at) return { how: 'live' }
  if (found.kept === undefined) return none('It was made by others: its disks may be on its own host only.')
  const [here, there] = await Promise.all([farm.describe(found.at, signal), farm.describe(to, signal)])
  if (!there.reachable) return none(`Host ${name} does not respond.`)
  if (there.machines >= there.slots)
    return none(`Host ${name} holds ${there.machines} machines, and has no room.`)
  if (found.power === 'stopped') return quick('It is stopped, so only what it is made of has to move.')
  if (farm.rule.cpu === undefined && here.cpu !== there.cpu) {
    const kinds = `${here.cpu ?? 'unknown'} there and ${there.cpu ?? 'unknown'} on ${name}`
    return none(`The processors differ (${kinds}): what it has in memory would not run. Shut it down first.`)
  }
  if (found.power !== 'running')
    return quick(`It is ${found.power}, so what it has in memory moves as a file.`)
  const kept = lines(await farm.tell(found, signal, ['snapshot-list', '--name'])).length
  if (kept > 0) return quick('It has snapshots, with which libvirt does not move machines live.')
  return { how: 'live' }
}

function quick(why: string): Passage {
  return { how: 'quick', why }
}

async function moveLive(
  farm: Farm,
  found: Found,
  to: Virsh,
  signal: AbortSignal,
  progress: (share: number) => void,
): Promise<void> {
  const { uri, migration } = to.host
  const words = [
    ...['migrate', uri, '--live', '--persistent', '--undefinesource', '--auto-converge'],
    ...(farm.rule.trustFolder ? ['--unsafe'] : []),
    ...(migration === undefined ? [] : ['--migrateuri', migration.uri]),
    ...(migration?.listen === undefined ? [] : ['--listen-address', migration.listen]),
  ]
  const over = new AbortController()
  const told = tellProgress(found, AbortSignal.any([signal, over.signal]), progress)
  try {
    await farm.tell(found, signal, words, longMillis)
    progress(1)
  } catch (error) {
    signal.throwIfAborted()
    // The answer may have been lost, and the machine be there all the same.
    const there = await farm.look(to, found.ref, signal)
    if (there?.power !== 'running') throw error
  } finally {
    over.abort()
    await told
  }
}

/** libvirt answers what is to be moved and what remains, once a second is enough to show it. */
async function tellProgress(
  { at, uuid }: Found,
  signal: AbortSignal,
  progress: (share: number) => void,
): Promise<void> {
  let last = 0
  while (!signal.aborted) {
    // Nobody needs to hear that nothing can be told; the move itself says what became of it.
    const share = await shareMoved(at, uuid, signal).catch(() => 0)
    if (share > last && share < 1) progress((last = share))
    await pause(500, undefined, { signal }).catch(() => undefined)
  }
}

async function shareMoved(at: Virsh, uuid: string, signal: AbortSignal): Promise<number> {
  const { texts } = await at.ask(signal, [`domjobinfo ${uuid} --rawstats`])
  const known = facts(texts[0] ?? '')
  const [total, remaining] = [number(known, 'memory_total'), number(known, 'memory_remaining')]
  return total === null || remaining === null || total === 0 ? 0 : 1 - remaining / total
}

/** Memory goes to a file in the shared folder, the definition to the other host, and the machine wakes there. */
async function moveQuickly(farm: Farm, found: Found, to: Virsh, signal: AbortSignal): Promise<void> {
  const { memory } = farm.disks.paths(found.ref)
  const wasSaved = found.power === 'saved'
  // An earlier attempt may have got as far as that; a start in between would have taken it away.
  const isHeld = found.power === 'stopped' && (await farm.disks.isThere(memory))
  if (wasSaved) await settled(farm, found, 'paused', signal, ['start', '--paused'], longMillis)
  if (found.power !== 'stopped') await farm.tell(found, signal, ['save', memory], longMillis)
  await defineThere(farm, found, to, signal)
  const there = await farm.look(to, found.ref, signal)
  if (there === undefined) throw refused(`Host ${to.host.name} did not take machine ${found.ref}.`)
  if (found.power !== 'stopped' || isHeld) {
    await wake(farm, { found, there, memory, wasSaved }, signal)
  }
  await leaveElsewhere(farm, there, signal)
}

async function wake(
  farm: Farm,
  { found, there, memory, wasSaved }: { found: Found; there: Found; memory: string; wasSaved: boolean },
  signal: AbortSignal,
): Promise<void> {
  const words = ['restore', memory, wasSaved ? '--paused' : '--running']
  try {
    await there.at.call(signal, words, longMillis)
  } catch (error) {
    signal.throwIfAborted()
    // It goes on where it was, as it was.
    await found.at.call(signal, words, longMillis)
    await undefine(farm, there, signal)
    if (wasSaved) await farm.tell(found, signal, ['managedsave', '--running'], longMillis)
    await farm.disks.dropMemory(found.ref)
    throw outageOf(error, found.ref)
  }
  if (wasSaved) await farm.tell(there, signal, ['managedsave', '--running'], longMillis)
  await farm.disks.dropMemory(found.ref)
}

/** Defines it on another host, with its snapshots, whose contents are in the disk. */
async function defineThere(farm: Farm, found: Found, to: Virsh, signal: AbortSignal): Promise<void> {
  const xml = await farm.tell(found, signal, ['dumpxml', '--inactive', '--security-info'])
  await put(to, signal, 'domain.xml', xml, (file) => ['define', file])
  const names = lines(await farm.tell(found, signal, ['snapshot-list', '--name', '--topological']))
  for (const name of names) {
    const one = await farm.tell(found, signal, [
      'snapshot-dumpxml',
      '--snapshotname',
      name,
      '--security-info',
    ])
    await put(to, signal, 'snapshot.xml', one, (file) => [
      ...['snapshot-create', found.uuid, file, '--redefine'],
      ...(name === names.at(-1) ? ['--current'] : []),
    ])
  }
}

async function put(
  to: Virsh,
  signal: AbortSignal,
  name: string,
  xml: string,
  words: (file: string) => string[],
): Promise<void> {
  await withFile(name, xml, (file) => to.call(signal, words(file))).catch((error: unknown) => {
    throw outageOf(error, '')
  })
}

/** An earlier attempt may have been cut off when the machine was on both: it stays where it was found. */
async function leaveElsewhere(farm: Farm, found: Found, signal: AbortSignal): Promise<void> {
  for (const at of farm.hosts()) {
    if (at === found.at) continue
    const other = await farm.look(at, found.ref, signal).catch(() => signal.throwIfAborted())
    if (other?.power === 'stopped') await undefine(farm, other, signal)
  }
}
