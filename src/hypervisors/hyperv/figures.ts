import { z } from 'zod'
import { messageOf, Outage } from '../../base/errors.ts'
import type { Figures } from '../hypervisor.ts'
import { inOneLine } from '../powershell/failures.ts'
import { gigabyte } from '../powershell/power.ts'
import type { Farm } from './farm.ts'
import { checkpointsOf } from './keeping.ts'
import { type Found } from './machine.ts'
import { scripts } from './scripts.ts'
import { pngOf565 } from './thumbnail.ts'

const Measured = z.strictObject({
  seconds: z.number(),
  /** Percent of the machine's processors. */
  load: z.number(),
  demand: z.number(),
  assigned: z.number(),
  heartbeat: z.string(),
  disks: z.array(z.strictObject({ path: z.string(), size: z.number().nullable() })),
  nics: z.array(z.strictObject({ name: z.string(), mac: z.string() })),
  problems: z.array(z.string()),
})
type Measured = z.infer<typeof Measured>

const size = { width: 320, height: 240 }

/** What a machine is and does now. How much it read, wrote and sent is in counters of the host whose names are translated. */
export async function figuresOf(farm: Farm, ref: string, signal: AbortSignal): Promise<Figures> {
  const machine = await farm.settled(ref, signal)
  const runs = machine.power === 'running'
  const problems: string[] = []
  const { host, id } = machine
  const attempt = <T>(work: Promise<T>, instead: T): Promise<T> =>
    work.catch((error: unknown) => {
      signal.throwIfAborted()
      if (!(error instanceof Outage)) throw error
      problems.push(inOneLine(messageOf(error)))
      return instead
    })
  const [measured, checkpoints, picture] = await Promise.all([
    farm.ask(host, scripts.figures, { id }, { answer: Measured, signal }),
    attempt(checkpointsOf(farm, machine, signal), []),
    runs ? attempt(pictureOf(farm, machine, signal), null) : null,
  ])
  return {
    ...numbers(measured, runs),
    snapshots: checkpoints.map(({ name, taken }) => ({ name, takenAt: taken })),
    thumbnail: picture === null ? null : { type: 'image/png', body: picture },
    problems: [...measured.problems.map(inOneLine), ...problems],
  }
}

function numbers(measured: Measured, runs: boolean): Omit<Figures, 'snapshots' | 'thumbnail' | 'problems'> {
  const { seconds, load, demand, assigned, heartbeat, disks, nics } = measured
  // Without integration services nothing is known of what the guest needs.
  const used = demand > 0 ? demand : assigned
  return {
    uptimeSeconds: runs ? Math.floor(seconds) : null,
    cpuLoad: runs ? load / 100 : null,
    memoryUsedGb: runs ? Math.round((used / gigabyte) * 100) / 100 : null,
    heartbeat: runs ? heartbeatOf(heartbeat) : 'none',
    disks: disks.map(({ path, size: bytes }) => ({
      name: path.replace(/^.*\\/, ''),
      sizeGb: bytes === null ? null : Math.round((bytes / gigabyte) * 100) / 100,
      readBytes: null,
      writtenBytes: null,
    })),
    networks: nics.map(({ name, mac }) => ({
      name: name === '' ? 'not connected' : name,
      mac: mac === '' ? null : (mac.match(/../g) ?? []).join(':').toLowerCase(),
      receivedBytes: null,
      sentBytes: null,
    })),
  }
}

/** `Heartbeat` of a machine: `OkApplicationsHealthy`, `OkApplicationsUnknown`, `LostCommunication`, `NoContact`, `Disabled`, … */
function heartbeatOf(word: string): Figures['heartbeat'] {
  if (word.startsWith('Ok')) return 'ok'
  return /^(LostCommunication|Error)/.test(word) ? 'lost' : 'none'
}

async function pictureOf(farm: Farm, { host, id }: Found, signal: AbortSignal): Promise<Uint8Array | null> {
  const body = await farm.ask(
    host,
    scripts.thumbnail,
    { id: id.toUpperCase(), ...size },
    { answer: z.base64().nullable(), signal },
  )
  return body === null ? null : pngOf565(Buffer.from(body, 'base64'), size)
}
