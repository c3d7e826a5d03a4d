import { z } from 'zod'
import { formatMoney } from '../../../pricing/money.ts'
import type { Instant } from '../../base/clock.ts'
import type { Caller } from '../../identity/person.ts'
import { mayControl } from '../../machines/access.ts'
import { blankView } from '../../machines/blank.ts'
import { verbs } from '../../machines/control.ts'
import type { Machine } from '../../machines/machine.ts'
import { machineStates } from '../../machines/machine.ts'
import type { ReadTransaction } from '../../store/store.ts'
import { costToDate } from '../charging.ts'
import type { Site } from '../site.ts'
import { stateNames } from '../../base/states.ts'
import { InstantShape, MoneyShape } from './fields.ts'
import { ProgressShape, progressOf } from './job.ts'

export const machineStateNames = z.enum(stateNames(machineStates))

/** What stops when a machine is put to rest or ends, by today's prices. */
const SavingsShape = z.object({
  /** The day that this was worked out on. */
  day: z.string(),
  /** Days after that one that are free anyway. */
  freeDays: z.number(),
  /** A day's price that stops while it is saved to disk. Nothing, where a saved machine costs the same. */
  save: z.object({ perDay: MoneyShape }),
  /** A day's price that stops while it is in the library. */
  archive: z.object({ perDay: MoneyShape }),
  /** A day's price that stops for good, and what comes back to the budget at once. */
  delete: z.object({ perDay: MoneyShape, back: MoneyShape }),
})
export type SavingsView = z.infer<typeof SavingsShape>

export const MachineShape = z.object({
  name: z.string(),
  template: z.string(),
  os: z.string(),
  description: z.string(),
  purpose: z.string(),
  owner: z.string().nullable(),
  administrators: z.array(z.string()),
  cpus: z.number(),
  memoryGb: z.number(),
  state: machineStateNames,
  providerState: z.string().nullable(),
  progress: ProgressShape.optional(),
  host: z.string().nullable(),
  address: z.string().nullable(),
  createdAt: InstantShape,
  expiresAt: InstantShape.nullable(),
  extensions: z.number(),
  /** When its end was last moved. */
  extendedAt: InstantShape.nullable(),
  /** Whether its owner has said to let it end. */
  letGo: z.boolean(),
  budget: z.string().nullable(),
  request: z.string().nullable(),
  pool: z.string().nullable(),
  costToDate: MoneyShape,
  currency: z.string(),
  /** The image of the library that it was made from. */
  image: z.string().nullable(),
  isolated: z.boolean(),
  /** Set where its disk was empty when it was made: how large, and what it booted from. */
  blank: z.object({ gb: z.number(), boot: z.string() }).nullable(),
  /** Set while it is put away, or about to be: the image, and when it comes back by itself. */
  archive: z.object({ image: z.string(), backAt: InstantShape.nullable() }).nullable(),
  /** Agreed and still to come. */
  handover: z.object({ at: InstantShape, owner: z.string(), budget: z.string() }).nullable(),
  /** States that can be gone back to, oldest first. */
  snapshots: z.array(z.object({ name: z.string(), takenAt: InstantShape, by: z.string() })),
  /** What it would save to be rid of it; only where one machine is asked for. */
  savings: SavingsShape.optional(),
  /** What the one who asks may do with it now. */
  verbs: z.array(z.string()),
})
export type MachineView = z.infer<typeof MachineShape>

/** A machine as people and programs see it. */
export async function machineView(
  machine: Machine,
  context: { tx: ReadTransaction; caller: Caller; now: Instant; site: Site },
): Promise<MachineView> {
  const { tx, caller, now, site } = context
  const { id, ...facts } = machine
  const progress = progressOf(machine.job === null ? undefined : await tx.jobs.get(machine.job))
  return {
    name: id,
    template: facts.template,
    os: facts.os,
    description: facts.description,
    purpose: facts.purpose,
    owner: facts.owner,
    administrators: facts.administrators,
    cpus: facts.cpus,
    memoryGb: facts.memoryGb,
    state: facts.state,
    providerState: facts.providerState,
    ...(progress === undefined ? {} : { progress }),
    host: facts.host,
    address: facts.address,
    createdAt: facts.createdAt,
    expiresAt: facts.expiresAt,
    extensions: facts.extensions,
    extendedAt: facts.extendedAt ?? null,
    letGo: facts.letGoOf !== null && facts.letGoOf === facts.expiresAt,
    budget: facts.budget,
    request: facts.request,
    pool: facts.pool,
    costToDate: formatMoney(await costToDate(tx, machine, { now, site })),
    currency: site.currency,
    image: facts.image ?? null,
    isolated: facts.isolated ?? false,
    blank: blankView(facts.blank),
    archive: facts.archive ?? null,
    handover: handoverView(facts.handover),
    snapshots: facts.snapshots ?? [],
    verbs: mayControl(caller, machine) ? verbsOf(machine) : [],
  }
}

function verbsOf(machine: Machine): string[] {
  return Object.entries(verbs)
    .filter(([, rule]) => rule.from.includes(machine.state))
    .map(([verb]) => verb)
}

function handoverView(handover: Machine['handover']): MachineView['handover'] {
  if (handover === undefined || handover === null) return null
  const { at, owner, budget } = handover
  return { at, owner, budget }
}
