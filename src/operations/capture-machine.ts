import { z } from 'zod'
import { enqueue } from '../jobs/outbox.ts'
import { checkVerb } from '../machines/control.ts'
import { checkAtRest, jobFacts } from './control-machine.ts'
import { beginImage, freeImageName } from './images.ts'
import { change, type Context } from './operation.ts'
import type { Machine } from '../machines/machine.ts'
import type { LibraryImage } from '../machines/image.ts'
import { anybody, steered } from './rules.ts'
import { text } from './shapes/fields.ts'

export const captureMachine = change({
  name: 'capture-machine',
  summary:
    'Make an image of a machine, from which others can be made. It is shut down for the time it takes.',
  http: { method: 'POST', path: '/machines/{name}/capture', status: () => 202 },
  input: z.object({
    name: z.string().max(63),
    /** What the image is to be called; a name is found where none is said. */
    image: text(40).optional(),
  }),
  output: z.object({ job: z.string(), image: z.string() }),
  subject: ({ name }) => `machine:${name}`,
  allow: anybody,
  async run(context, { name, image }) {
    const machine = await steered(context, name)
    checkVerb(machine, 'capture')
    return capture(context, machine, { id: image, use: 'image' })
  },
})

/** Saves an image that is to be made, and leaves the work behind. */
export async function capture(
  context: Context,
  machine: Machine,
  facts: { id: string | undefined; use: LibraryImage['use'] },
): Promise<{ job: string; image: string }> {
  await checkAtRest(context, machine)
  const id = facts.id ?? (await freeImageName(context, `${machine.id.slice(0, 30)}-image`))
  const image = await beginImage(context, machine, { id, use: facts.use })
  const input = { machine: machine.id, image: image.id, runs: machine.state === 'running' }
  const job = await enqueue(context, 'capture-machine', input, jobFacts(context, machine))
  await context.tx.machines.put({ ...machine, job: job.id })
  return { job: job.id, image: image.id }
}
