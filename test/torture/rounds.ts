import { aSite, type TestSite } from '../service/process.ts'
import { unfinished, wrongsOf } from './invariants.ts'
import { type Random, seeded } from './random.ts'
import { type Acknowledged, doSomething, nothingYet } from './traffic.ts'

export interface TortureReport {
  seed: number
  rounds: number
  acknowledged: number
  /** What was wrong, with the round in which it was found. */
  wrongs: string[]
}

/** What the data is kept on. */
export interface Ground {
  name: string
  /** The site's file with this store. */
  edit(yaml: string): string
  /** What is beside the service and may crash by itself; it is up again when this resolves. */
  crash?(): Promise<void>
  dispose(): Promise<void>
}

const clients = 4

/**
 * Starts the real program, drives it over HTTP, and kills it at a random moment: in the middle of traffic, while it starts
 * and recovers, or while it stops and writes its checkpoint. After each restart everything that was answered must be there,
 * and in the end nothing may be left half-done. With a `ground` that can crash, that does so now and then under traffic.
 */
export async function torture(options: {
  seed: number
  rounds: number
  ground?: Ground
  say?: (line: string) => void
}): Promise<TortureReport> {
  const { seed, rounds, ground, say = () => undefined } = options
  const random = seeded(seed)
  const site = await aSite((yaml) => roomy(ground?.edit(yaml) ?? yaml))
  const seen = nothingYet()
  const wrongs: string[] = []
  try {
    for (let round = 1; round <= rounds && wrongs.length === 0; round++) {
      if (random.next() < 0.15) await killWhileStarting(site, random)
      const running = await site.start()
      wrongs.push(...(await wrongsOf(site.url, seen)).map((wrong) => `round ${round}: ${wrong}`))
      const death = fate(random)
      const crash = ground?.crash !== undefined && random.next() < 0.3
      const busy = countdown(death.answers)
      const traffic = Array.from({ length: clients }, () => drive(site.url, random, seen, busy.count))
      // So many answers on a slow machine as on a fast one, and then some moment.
      await Promise.race([busy.isOver, Promise.all(traffic)])
      await after(death.millis)
      if (crash) await ground.crash?.()
      const ended = running.stop(death.signal)
      if (death.thenKill) await after(random.below(60)).then(() => running.process.kill('SIGKILL'))
      await Promise.all([ended, ...traffic])
      say(
        `round ${round}: ${crash ? `${ground.name} crashed, ` : ''}${death.signal}${death.thenKill ? ' and SIGKILL' : ''} after ${death.answers} answers and ${death.millis} ms, ${countOf(seen)} acknowledged`,
      )
    }
    const last = await site.start()
    const left = [...(await wrongsOf(site.url, seen)), ...(await unfinished(site.url))]
    wrongs.push(...left.map((wrong) => `at the end: ${wrong}`))
    await last.stop('SIGTERM')
  } finally {
    await site.dispose()
    await ground?.dispose()
  }
  return { seed, rounds, acknowledged: countOf(seen), wrongs }
}

/** A site with room and money for all that a long run asks for. */
function roomy(yaml: string): string {
  return yaml
    .replace('stage: PT0.2S', 'stage: PT0.01S')
    .replace('limit: "2000.00"', 'limit: "9000000.00"')
    .replace(/limit: '2000\.00'/, "limit: '9000000.00'")
    .replace(
      /(name: cernwod03, )cpus: \d+, memoryGb: \d+, slots: \d+/,
      '$1cpus: 4000, memoryGb: 16000, slots: 9000',
    )
}

interface Death {
  signal: NodeJS.Signals
  /** How much has been answered by then. */
  answers: number
  millis: number
  thenKill: boolean
}

function fate(random: Random): Death {
  const when = { answers: random.below(24), millis: random.below(100) }
  if (random.next() < 0.75) return { ...when, signal: 'SIGKILL', thenKill: false }
  return { ...when, signal: 'SIGTERM', thenKill: random.next() < 0.7 }
}

async function killWhileStarting(site: TestSite, random: Random): Promise<void> {
  const child = site.launch('start', '--config', site.config)
  await after(300 + random.below(600))
  child.process.kill('SIGKILL')
  await child.ended
}

/** One client: does one thing after the other until nobody answers, or it has done enough to be looked through. */
async function drive(url: string, random: Random, seen: Acknowledged, count: () => void): Promise<void> {
  for (let done = 0; done < 12; done++) {
    try {
      await doSomething(url, random, seen)
      count()
    } catch {
      return // The service is gone: whatever it had not answered does not count.
    }
  }
}

/** Is over once something has been counted so often. */
function countdown(from: number): { count: () => void; isOver: Promise<void> } {
  let left = from
  let end: () => void = () => undefined
  const isOver = new Promise<void>((resolve) => (end = resolve))
  const count = () => {
    left -= 1
    if (left <= 0) end()
  }
  if (from === 0) end()
  return { count, isOver }
}

function countOf({ requests, machines, leases }: Acknowledged): number {
  return requests.size + machines.size + leases.size
}

/** The moment of death is a matter of chance, not of any event. */
function after(millis: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, millis))
}
