import { z } from 'zod'
import type { Job } from '../../jobs/job.ts'
import { InstantShape } from './fields.ts'

export const JobShape = z.object({
  id: z.string(),
  kind: z.string(),
  subject: z.string(),
  state: z.enum(['queued', 'running', 'done', 'failed']),
  stages: z.array(
    z.object({
      name: z.string(),
      state: z.enum(['waiting', 'running', 'done', 'failed']),
      at: InstantShape.nullable(),
    }),
  ),
  attempts: z.number(),
  createdAt: InstantShape,
  endedAt: InstantShape.nullable(),
  error: z.string().optional(),
})
export type JobView = z.infer<typeof JobShape>

export function jobView(job: Job): JobView {
  const { id, kind, subject, state, stages, attempts, createdAt, endedAt, error } = job
  return {
    id,
    kind,
    subject,
    state,
    stages: stages.map((stage) => ({ ...stage })),
    attempts,
    createdAt,
    endedAt,
    ...(error === null ? {} : { error }),
  }
}

export const ProgressShape = z.object({
  stage: z.string(),
  done: z.number(),
  of: z.number(),
  stages: JobShape.shape.stages,
})
export type ProgressView = z.infer<typeof ProgressShape>

/** How far a job in hand has come; nothing once it has ended. */
export function progressOf(job: Job | undefined): ProgressView | undefined {
  if (job === undefined || job.state === 'done' || job.state === 'failed') return undefined
  const current = job.stages.find(({ state }) => state === 'running' || state === 'waiting')
  return {
    stage: current?.name ?? 'waiting for its turn',
    done: job.stages.filter(({ state }) => state === 'done').length,
    of: Math.max(job.stages.length, 1),
    stages: job.stages.map((stage) => ({ ...stage })),
  }
}
