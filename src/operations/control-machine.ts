import { z } from 'zod'
import { refuse } from '../base/errors.ts'
import type { ControlVerb } from '../jobs/job.ts'
import { enqueue } from '../jobs/outbox.ts'
import { checkVerb } from '../machines/control.ts'
import type { Machine } from '../machines/machine.ts'
import { change, type Context } from './operation.ts'
import { anybody, steered } from './rules.ts'

const accepted = z.object({ job: z.string() })

/** The six buttons of a machine: one operation each, alike but for the verb. */
function control(verb: ControlVerb, summary: string) {
  return change({
    name: `${verb}-machine`,
    summary,
    http: { method: 'POST', path: `/machines/{name}/${verb}`, status: () => 202 },
    input: z.object({ name: z.string().max(63) }),
    output: accepted,
    subject: ({ name }) => `machine:${name}`,
    allow: anybody,
    async run(context, { name }) {
      const machine = await steered(context, name)
      checkVerb(machine, verb)
      await checkAtRest(context, machine)
      const job = await enqueue(
        context,
        'control-machine',
        { machine: name, verb },
        jobFacts(context, machine),
      )
      await context.tx.machines.put({ ...machine, job: job.id })
      return { job: job.id }
    },
  })
}

export const startMachine = control('start', 'Start a machine, waking it if it is saved or paused.')
export const shutdownMachine = control('shutdown', 'Ask the guest to shut down, and wait until it has.')
export const powerOffMachine = control('power-off', 'Pull the plug: what the guest has not written is lost.')
export const resetMachine = control('reset', 'Press the reset button.')
export const saveMachine = control('save', 'Write its memory to disk and stop it, to go on later.')
export const resumeMachine = control('resume', 'Go on from where it was saved or paused.')

export const controlMachine: Readonly<Record<ControlVerb, ReturnType<typeof control>>> = {
  start: startMachine,
  shutdown: shutdownMachine,
  'power-off': powerOffMachine,
  reset: resetMachine,
  save: saveMachine,
  resume: resumeMachine,
}

export function jobFacts(
  { caller }: Pick<Context, 'caller'>,
  machine: Machine,
): { subject: string; by: string } {
  return { subject: `machine:${machine.id}`, by: caller.user }
}

/** @throws Refusal `wrong_state` for a machine that was taken over and is on no hypervisor of ours. */
export function checkManaged(machine: Machine): void {
  if (machine.hypervisor !== null) return
  refuse(
    'wrong_state',
    `${machine.id} was taken over and is on no hypervisor that Jackdaw steers. Use what you used before.`,
  )
}

/** @throws Refusal `wrong_state` as `checkManaged`, `busy` while something else is being done to it. */
export async function checkAtRest({ tx }: Pick<Context, 'tx'>, machine: Machine): Promise<void> {
  checkManaged(machine)
  const [job] = await tx.jobs.find('subject', `machine:${machine.id}`)
  if (job === undefined) return
  refuse('busy', `${machine.id} is busy (${job.kind.replaceAll('-', ' ')}). Wait until that is done.`)
}
