import { z } from 'zod'
import { IsoDuration } from '../base/duration.ts'

/** What the site does about the end of machines. */
export const MachinePolicy = z.strictObject({
  /** The longest term from now that may be asked for. */
  maxTerm: IsoDuration,
  /** Extensions that need no approver; further ones do. */
  extensionsWithoutApproval: z.number().int().min(0),
  /** How long before its end an owner is reminded. */
  reminders: z.array(IsoDuration).min(1),
  /** How long an expired machine is kept after its owner was told. */
  grace: IsoDuration,
  atEnd: z.enum(['save', 'shutdown']),
  /** Whether a machine without an end may be asked for. */
  never: z.boolean().default(false),
})
export type MachinePolicy = z.infer<typeof MachinePolicy>
