import { z } from 'zod'
import { notFound, Refusal, refuse } from '../base/errors.ts'
import { enqueue } from '../jobs/outbox.ts'
import { isAlive, type Machine } from '../machines/machine.ts'
import { checkAtRest } from './control-machine.ts'
import { beginMigration, targetFor } from './migrate-machine.ts'
import { checkVerb } from '../machines/control.ts'
import { change, type Context } from './operation.ts'
import { operators } from './rules.ts'

export const returnHost = change({
  name: 'return-host',
  summary:
    'Take a host back after maintenance. What was saved on it goes on; what was moved comes back where asked.',
  http: { method: 'POST', path: '/hosts/{name}/return' },
  input: z.object({ name: z.string().max(63), bringBack: z.stringbool().or(z.boolean()).default(false) }),
  output: z.object({
    name: z.string(),
    /** Machines that are on their way back, or go on. */
    coming: z.array(z.string()),
    staying: z.array(z.object({ machine: z.string(), why: z.string() })),
  }),
  subject: ({ name }) => `host:${name}`,
  allow: operators,
  async run(context, { name, bringBack }) {
    const { tx } = context
    const host = await tx.hosts.get(name)
    if (host === undefined) throw notFound('host', name)
    const { drain, ...rest } = host
    if (drain === undefined) refuse('wrong_state', `${name} is in use: there is nothing to take back.`)
    await tx.hosts.put({ ...rest, state: host.state === 'down' ? 'down' : 'up' })
    const coming: string[] = []
    const staying: { machine: string; why: string }[] = []
    const names = bringBack ? [...drain.saved, ...drain.tried] : drain.saved
    for (const id of new Set(names)) {
      const machine = await tx.machines.get(id)
      if (machine === undefined || !isAlive(machine)) continue
      const why = await attempt(() => bring(context, machine, name, drain.saved))
      if (why === null) coming.push(id)
      else staying.push({ machine: id, why })
    }
    return { name, coming, staying }
  },
})

/** Has a machine go on where it was saved, or sends it back to where it was. */
async function bring(
  context: Context,
  machine: Machine,
  host: string,
  saved: readonly string[],
): Promise<void> {
  await checkAtRest(context, machine)
  const by = context.caller.user
  if (machine.host !== host) {
    checkVerb(machine, 'migrate')
    // Others may have been given its place meanwhile.
    await beginMigration(context, machine, await targetFor(context, machine, host), by)
    return
  }
  if (!saved.includes(machine.id) || machine.state !== 'saved') return
  const subject = `machine:${machine.id}`
  const job = await enqueue(
    context,
    'control-machine',
    { machine: machine.id, verb: 'resume' },
    { subject, by },
  )
  await context.tx.machines.put({ ...machine, job: job.id })
}

async function attempt(work: () => Promise<void>): Promise<string | null> {
  try {
    await work()
    return null
  } catch (error) {
    if (error instanceof Refusal) return error.message
    throw error
  }
}
