import { z } from 'zod'
import { DateTime } from 'luxon'
import type { Instant } from '../base/clock.ts'
import { refuse } from '../base/errors.ts'
import { localDay } from '../base/period.ts'
import { enqueue } from '../jobs/outbox.ts'
import { checkVerb } from '../machines/control.ts'
import { checkAtRest, jobFacts } from './control-machine.ts'
import { beginImage, freeImageName } from './images.ts'
import { change } from './operation.ts'
import { anybody, steered } from './rules.ts'
import { EndField, endOf } from './shapes/fields.ts'

export const archiveMachine = change({
  name: 'archive-machine',
  summary:
    'Put a machine into the library until it is needed again, at the price of that. Its end stays as it is.',
  http: { method: 'POST', path: '/machines/{name}/archive', status: () => 202 },
  input: z.object({
    name: z.string().max(63),
    /** When it comes back by itself; on demand where neither is said. */
    until: EndField.optional(),
    days: z.coerce.number().int().min(1).max(36_500).optional(),
  }),
  output: z.object({ job: z.string() }),
  subject: ({ name }) => `machine:${name}`,
  allow: anybody,
  async run(context, { name, ...wish }) {
    const { tx, now, site } = context
    const machine = await steered(context, name)
    if (machine.pool !== null) {
      refuse(
        'wrong_state',
        `${name} is a desktop of pool ${machine.pool}, which looks after its desktops itself.`,
      )
    }
    if (checkVerb(machine, 'archive') === 'already') return { job: machine.job ?? '' }
    await checkAtRest(context, machine)
    const zone = site.timezone
    const backAt = endOf(wish, { from: now, today: localDay(now, zone), zone }) ?? null
    checkComesBack(name, backAt, { now, end: machine.expiresAt, zone })
    const id = await freeImageName(context, `${name.slice(0, 30)}-archive`)
    const image = await beginImage(context, machine, { id, use: 'archive' })
    const input = { machine: name, image: image.id }
    const job = await enqueue(context, 'archive-machine', input, jobFacts(context, machine))
    await tx.machines.put({ ...machine, job: job.id, archive: { image: image.id, backAt } })
    return { job: job.id }
  },
})

/** @throws Refusal `bad_term` when it would come back in the past, or after its end. */
function checkComesBack(
  name: string,
  backAt: Instant | null,
  { now, end, zone }: { now: Instant; end: Instant | null; zone: string },
): void {
  if (backAt === null) return
  if (backAt <= now) refuse('bad_term', 'That day has passed. Say when it is needed again, or leave it out.')
  if (end === null || backAt < end) return
  const day = DateTime.fromISO(end, { zone }).toISODate() ?? end
  refuse(
    'bad_term',
    `${name} ends on ${day}, before it would come back. Extend it first, or choose an earlier day.`,
  )
}
