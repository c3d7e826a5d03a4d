import { z } from 'zod'
import { IsoDuration } from '../base/duration.ts'
import type { MachinePolicy } from './expiry.ts'
import type { Goals } from './placement.ts'

/**
 * A group of hosts as a class of its own: consolidation (few machines, critical, long) or batch (many, cheap, short), say.
 * What it does not say is as everywhere at the site. What it costs is said by the tariffs that are `for` it.
 */
export const GroupRule = z.strictObject({
  name: z.string().min(1).max(40),
  /** In words, for whoever chooses one. */
  title: z.string().min(1).max(80).optional(),
  /** Machines evenly on all of its hosts, or on as few as can be. */
  goal: z.enum(['spread', 'consolidate']).default('spread'),
  /** Whether no two machines of one order may be on one host. */
  apart: z.boolean().default(false),
  /** The longest term from now that may be asked for. */
  maxTerm: IsoDuration.optional(),
  /** How long a machine lasts where nothing is said. */
  term: IsoDuration.optional(),
  /** Whether a machine without an end may be asked for. */
  never: z.boolean().optional(),
  /** Users and groups who may ask for machines on it. Operators may everywhere, and everybody on the group for servers. */
  members: z.array(z.string()).default([]),
})
export type GroupRule = z.infer<typeof GroupRule>

/** The goals of those groups that have one of their own. */
export function goalsOf(groups: readonly GroupRule[]): Goals {
  return new Map(groups.map(({ name, goal }) => [name, goal]))
}

/** What holds for the ends of machines on a group of hosts. */
export function policyOn(group: GroupRule | undefined, policy: MachinePolicy): MachinePolicy {
  if (group === undefined) return policy
  const { maxTerm = policy.maxTerm, never = policy.never } = group
  return { ...policy, maxTerm, never }
}
