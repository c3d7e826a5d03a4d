import { z } from 'zod'
import { messageOf, Outage } from '../base/errors.ts'
import type { Figures } from '../hypervisors/hypervisor.ts'
import { type Finishing, query } from './operation.ts'
import { anybody, seen } from './rules.ts'
import { InstantShape } from './shapes/fields.ts'

const count = z.number().nullable()

export const FiguresShape = z.object({
  name: z.string(),
  /** Who runs it, and what it is called there. */
  hypervisor: z.string().nullable(),
  ref: z.string(),
  uptimeSeconds: count,
  /** Share of its processors in use, 0 to 1. */
  cpuLoad: count,
  memoryUsedGb: count,
  heartbeat: z.enum(['ok', 'lost', 'none']),
  disks: z.array(z.object({ name: z.string(), sizeGb: count, readBytes: count, writtenBytes: count })),
  networks: z.array(
    z.object({ name: z.string(), mac: z.string().nullable(), receivedBytes: count, sentBytes: count }),
  ),
  snapshots: z.array(z.object({ name: z.string(), takenAt: InstantShape })),
  /** A `data:` URL of a small PNG. */
  thumbnail: z.string().nullable(),
  problems: z.array(z.string()),
})
export type FiguresView = z.infer<typeof FiguresShape>

export const showFigures = query({
  name: 'show-figures',
  summary:
    'What a machine does at this moment: uptime, CPU, memory, heartbeat, disks, network, a small picture.',
  http: { method: 'GET', path: '/machines/{name}/figures' },
  input: z.object({ name: z.string().max(63) }),
  output: FiguresShape,
  allow: anybody,
  async run(context, { name }) {
    const { hypervisor, ref } = await seen(context, name)
    return { ...nothingKnown, name, hypervisor, ref }
  },
  finish: measured,
})

const nothingKnown = {
  uptimeSeconds: null,
  cpuLoad: null,
  memoryUsedGb: null,
  heartbeat: 'none',
  disks: [],
  networks: [],
  snapshots: [],
  thumbnail: null,
  problems: [],
} satisfies Partial<FiguresView>

/** Asks whoever runs it, after the transaction. No answer is a problem that is shown, not a failure. */
async function measured({ hypervisors, signal }: Finishing, empty: FiguresView): Promise<FiguresView> {
  const { hypervisor, ref } = empty
  const driver = hypervisor === null ? undefined : hypervisors.get(hypervisor)
  if (driver === undefined) return { ...empty, problems: ['It is on no hypervisor that Jackdaw steers.'] }
  try {
    const figures = await driver.figures(ref, signal)
    return { ...empty, ...figures, thumbnail: pictureUrl(figures.thumbnail) }
  } catch (error) {
    if (!(error instanceof Outage) && !signal.aborted) throw error
    return { ...empty, problems: [messageOf(error)] }
  }
}

function pictureUrl(thumbnail: Figures['thumbnail']): string | null {
  if (thumbnail === null) return null
  return `data:${thumbnail.type};base64,${Buffer.from(thumbnail.body).toString('base64')}`
}
