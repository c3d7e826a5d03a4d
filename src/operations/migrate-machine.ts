import { z } from 'zod'
import { refuse } from '../base/errors.ts'
import { move } from '../base/states.ts'
import type { MigratingState } from '../jobs/job.ts'
import { type Desk, enqueue } from '../jobs/outbox.ts'
import { checkVerb } from '../machines/control.ts'
import { type Machine, machineStates } from '../machines/machine.ts'
import type { PlacementOrder } from '../machines/placement-filters.ts'
import type { ReadTransaction } from '../store/store.ts'
import { placeAll } from './capacity.ts'
import { checkAtRest } from './control-machine.ts'
import { change } from './operation.ts'
import { operators, steered } from './rules.ts'
import type { Site } from './site.ts'

export const migrateMachine = change({
  name: 'migrate-machine',
  summary: 'Move a machine to another host: live where it can be, else saved, moved and resumed.',
  http: { method: 'POST', path: '/machines/{name}/migrate', status: () => 202 },
  input: z.object({
    name: z.string().max(63),
    /** Where to; without it a host is found. */
    host: z.string().max(63).optional(),
  }),
  output: z.object({ job: z.string(), from: z.string(), to: z.string() }),
  subject: ({ name }) => `machine:${name}`,
  allow: operators,
  async run(context, { name, host }) {
    const machine = await steered(context, name)
    checkVerb(machine, 'migrate')
    await checkAtRest(context, machine)
    if (host !== undefined && host === machine.host) {
      refuse('wrong_state', `${name} is on ${host} already. Say another host, or none and one is found.`)
    }
    const to = await targetFor(context, machine, host)
    return beginMigration(context, machine, to, context.caller.user)
  },
})

/**
 * A host of the same hypervisor with room for a machine, other than its own: of its host's group where none is said.
 * @throws Refusal `no_capacity` with the reasons.
 */
export async function targetFor(
  { tx, site }: { tx: ReadTransaction; site: Site },
  machine: Machine,
  host?: string,
): Promise<string> {
  const [target] = await placeAll({ tx, site }, await movingOrder(tx, machine, host))
  return target?.id ?? refuse('no_capacity', `There is no host that ${machine.id} could go to.`)
}

/** What a machine asks of the host that it is to go to. */
export async function movingOrder(
  tx: ReadTransaction,
  machine: Machine,
  host?: string,
): Promise<PlacementOrder> {
  const { cpus, memoryGb, hypervisor } = machine
  const own = machine.host === null ? undefined : await tx.hosts.get(machine.host)
  const where = host !== undefined ? { host } : own === undefined ? {} : { group: own.group }
  const order = { cpus, memoryGb, count: 1, ...where, ...(hypervisor === null ? {} : { hypervisor }) }
  // One that is stopped starts on whatever it finds.
  const cpu = machine.state === 'stopped' || own?.cpu === undefined ? {} : { cpu: own.cpu }
  return { ...order, ...cpu, ...(machine.host === null ? {} : { not: machine.host }) }
}

/** Takes the room on the other host and leaves the work behind. */
export async function beginMigration(
  desk: Desk,
  machine: Machine,
  to: string,
  by: string,
): Promise<{ job: string; from: string; to: string }> {
  const from = machine.host ?? ''
  const was = restingState(machine)
  const input = { machine: machine.id, from, to, was }
  const job = await enqueue(desk, 'migrate-machine', input, { subject: `machine:${machine.id}`, by })
  const moving = move(machineStates, machine, 'migrating', { at: desk.now, reason: `${from} to ${to}` })
  await desk.tx.machines.put({ ...moving, host: to, job: job.id })
  return { job: job.id, from, to }
}

function restingState({ state }: Machine): MigratingState {
  return state === 'stopped' || state === 'saved' ? state : 'running'
}
