import { readFile } from 'node:fs/promises'
import { performance } from 'node:perf_hooks'
import { setTimeout as pause } from 'node:timers/promises'
import { millis } from '../../base/clock.ts'
import { messageOf, Outage } from '../../base/errors.ts'
import type { Figures, Hypervisor } from '../hypervisor.ts'
import { refused } from '../outages.ts'
import { lines, number, snapshots, statistics } from './answers.ts'
import { screenOf, serialOf } from './console.ts'
import type { Farm, Found } from './farm.ts'
import { withFile } from './making.ts'
import { runSpace } from './naming.ts'
import { answers } from './ready.ts'
import { thumbnail } from './thumbnail.ts'

/** Looking at a machine. */
export function looking(farm: Farm): Pick<Hypervisor, 'figures' | 'console'> {
  return {
    async figures(ref, signal) {
      return figuresOf(farm, await farm.machine(ref, signal), signal)
    },
    async console(ref, kind, signal) {
      const found = await farm.machine(ref, signal)
      if (found.power !== 'running') throw refused(`Machine ${ref} is ${found.power}, not running.`)
      return kind === 'screen' ? screenOf(found, signal) : serialOf(found, signal)
    },
  }
}

/** Between two looks at how long its processors were busy. */
const sampleMillis = 300

async function figuresOf(farm: Farm, found: Found, signal: AbortSignal): Promise<Figures> {
  const problems: string[] = []
  /** What goes wrong with one thing is told beside the others. */
  async function part<T>(what: string, work: Promise<T>, otherwise: T): Promise<T> {
    try {
      return await work
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof Outage)) throw error
      problems.push(`${what}: ${messageOf(error)}`)
      return otherwise
    }
  }
  const runs = found.power === 'running'
  const [numbers, beat, picture] = await Promise.all([
    part('Figures', numbersOf(farm, found, signal), nothingKnown),
    runs ? part('Guest agent', answers(found, signal), false) : null,
    runs ? part('Screen', pictureOf(farm, found, signal), null) : null,
  ])
  const heartbeat = beat === null ? 'none' : beat ? 'ok' : 'lost'
  return { ...numbers, heartbeat, thumbnail: picture, problems }
}

type Numbers = Omit<Figures, 'heartbeat' | 'thumbnail' | 'problems'>

const nothingKnown: Numbers = {
  uptimeSeconds: null,
  cpuLoad: null,
  memoryUsedGb: null,
  disks: [],
  networks: [],
  snapshots: [],
}

async function numbersOf(farm: Farm, found: Found, signal: AbortSignal): Promise<Numbers> {
  const { at, uuid } = found
  const runs = found.power === 'running'
  const before = performance.now()
  const { texts } = await at.ask(signal, [
    `domstats ${uuid}`,
    `metadata ${uuid} --uri ${runSpace}`,
    `snapshot-list ${uuid}`,
    `domblklist ${uuid} --details`,
    `domiflist ${uuid}`,
  ])
  const [stats, run, kept, blocks, adapters] = texts
  const known = statistics(stats ?? '')
  return {
    uptimeSeconds: runs ? uptime(run ?? '', farm.clock.now()) : null,
    cpuLoad: runs ? await cpuLoad(found, known, before, signal) : null,
    memoryUsedGb: runs ? memoryUsed(known) : null,
    disks: disksOf(blocks ?? '', known),
    networks: networksOf(adapters ?? '', known),
    snapshots: snapshots(kept ?? ''),
  }
}

function uptime(run: string, now: string): number | null {
  const [, at] = /^<run at=["'](\S+Z)["']\s*\/>$/.exec(run.trim()) ?? []
  return at === undefined ? null : Math.max(0, Math.floor((millis(now) - millis(at)) / 1000))
}

async function cpuLoad(
  { at, uuid, cpus }: Found,
  first: ReadonlyMap<string, string>,
  before: number,
  signal: AbortSignal,
): Promise<number | null> {
  await pause(sampleMillis, undefined, { signal }).catch(() => signal.throwIfAborted())
  const passed = performance.now() - before
  const { texts } = await at.ask(signal, [`domstats ${uuid} --cpu-total`])
  const [one, two] = [number(first, 'cpu.time'), number(statistics(texts[0] ?? ''), 'cpu.time')]
  if (one === null || two === null) return null
  const share = (two - one) / 1e6 / passed / cpus
  return Math.min(1, Math.max(0, Math.round(share * 100) / 100))
}

/** In the guest's own view where its balloon driver tells, else what the host has given it. */
function memoryUsed(known: ReadonlyMap<string, string>): number | null {
  const [available, unused] = [number(known, 'balloon.available'), number(known, 'balloon.unused')]
  const used = available !== null && unused !== null ? available - unused : number(known, 'balloon.rss')
  return used === null ? null : Math.round((used / 1024 / 1024) * 100) / 100
}

function indexed(
  known: ReadonlyMap<string, string>,
  kind: 'block' | 'net',
  name: string,
): string | undefined {
  const entry = [...known].find(([key, value]) => value === name && /^(block|net)\.\d+\.name$/.test(key))
  return entry?.[0].startsWith(kind) === true ? entry[0].slice(0, -'.name'.length) : undefined
}

function disksOf(blocks: string, known: ReadonlyMap<string, string>): Figures['disks'] {
  return lines(blocks).flatMap((line) => {
    const [, device, name] = /^ \S+ +(\S+) +(\S+) +/.exec(line) ?? []
    if (device !== 'disk' || name === undefined) return []
    const at = indexed(known, 'block', name)
    const capacity = number(known, `${at ?? ''}.capacity`)
    return [
      {
        name,
        sizeGb: capacity === null ? null : Math.round((capacity / 2 ** 30) * 1000) / 1000,
        readBytes: number(known, `${at ?? ''}.rd.bytes`),
        writtenBytes: number(known, `${at ?? ''}.wr.bytes`),
      },
    ]
  })
}

function networksOf(adapters: string, known: ReadonlyMap<string, string>): Figures['networks'] {
  return lines(adapters).flatMap((line) => {
    const [, device, kind, source, mac] = /^ (\S+) +(\S+) +(\S+) +\S+ +([0-9a-f:]{17})$/.exec(line) ?? []
    if (device === undefined || kind === undefined || source === undefined || mac === undefined) return []
    const at = indexed(known, 'net', device)
    return [
      {
        name: source === '-' ? kind : source,
        mac,
        receivedBytes: number(known, `${at ?? ''}.rx.bytes`),
        sentBytes: number(known, `${at ?? ''}.tx.bytes`),
      },
    ]
  })
}

async function pictureOf(farm: Farm, found: Found, signal: AbortSignal): Promise<Figures['thumbnail']> {
  return withFile('screen', '', async (file) => {
    await farm.tell(found, signal, ['screenshot', file])
    return { type: 'image/png' as const, body: await thumbnail(await readFile(file)) }
  })
}
