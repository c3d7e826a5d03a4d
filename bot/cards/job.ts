import type { Part } from '../card.ts'
import type { ProgressView } from '../../src/operations/shapes/job.ts'
import { clip } from './parts.ts'

/** The stages of what is being done, each with its state. */
export function progressPart(progress: ProgressView | undefined, label: string): Part | undefined {
  if (progress === undefined || progress.stages.length === 0) return undefined
  const stages = progress.stages.map(({ name, state }) => ({ name: clip(name, 100), state }))
  return { kind: 'progress', label: clip(label, 100), stages }
}

/** `copying the image (2 of 5)`. */
export function progressWords({ stage, done, of }: ProgressView): string {
  return of > 1 ? `${stage} (${Math.min(done + 1, of)} of ${of})` : stage
}
