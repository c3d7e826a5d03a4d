import { z } from 'zod'
import { IsoDuration } from '../base/duration.ts'

/** How requests are decided at this site. */
export const ApprovalPolicy = z.strictObject({
  /** How long a request waits for its decision. */
  expire: IsoDuration,
  /** Who decides where no holder or delegate may: users or groups. */
  fallback: z.array(z.string()),
  /** After how long approvers are reminded; each time twice as long. */
  remindAfter: IsoDuration,
})
export type ApprovalPolicy = z.infer<typeof ApprovalPolicy>
