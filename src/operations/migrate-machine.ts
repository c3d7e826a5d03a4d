import { z } from 'zod'
import { refuse } from '../base/errors.ts'
import { move } from '../base/states.ts'
import type { MigratingState } from '../jobs/job.ts'
import { enqueue } from '../jobs/outbox.ts'
import { checkVerb } from '../machines/control.ts'
import { type Machine, machineStates } from '../machines/machine.ts'
import { placeAll } from './capacity.ts'
import { checkAtRest, jobFacts } from './control-machine.ts'
import { change, type Context } from './operation.ts'
import { operators, steered } from './rules.ts'

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
    return beginMigration(context, machine, await targetFor(context, machine, host))
  },
})

/**
 * A host of the same hypervisor with room for a machine, other than its own: of its host's group where none is said.
 * @throws Refusal `no_capacity` with the reasons.
 */
async function targetFor(context: Context, machine: Machine, host: string | undefined): Promise<string> {
  const { tx } = context
  const { cpus, memoryGb, hypervisor } = machine
  const own = machine.host === null ? undefined : await tx.hosts.get(machine.host)
  const where = host !== undefined ? { host } : own === undefined ? {} : { group: own.group }
  const order = { cpus, memoryGb, count: 1, ...where, ...(hypervisor === null ? {} : { hypervisor }) }
  const [target] = await placeAll(tx, { ...order, ...(machine.host === null ? {} : { not: machine.host }) })
  return target?.id ?? refuse('no_capacity', `There is no host that ${machine.id} could go to.`)
}

/** Takes the room on the other host and leaves the work behind. */
export async function beginMigration(
  context: Pick<Context, 'tx' | 'now' | 'ids' | 'caller'>,
  machine: Machine,
  to: string,
): Promise<{ job: string; from: string; to: string }> {
  const from = machine.host ?? ''
  const was = restingState(machine)
  const input = { machine: machine.id, from, to, was }
  const job = await enqueue(context, 'migrate-machine', input, jobFacts(context, machine))
  const moving = move(machineStates, machine, 'migrating', { at: context.now, reason: `${from} to ${to}` })
  await context.tx.machines.put({ ...moving, host: to, job: job.id })
  return { job: job.id, from, to }
}

function restingState({ state }: Machine): MigratingState {
  return state === 'stopped' || state === 'saved' ? state : 'running'
}
