import { createHash } from 'node:crypto'
import { z } from 'zod'
import { refuse } from '../base/errors.ts'
import { enqueue, tell } from '../jobs/outbox.ts'
import { isAlive, type Machine } from '../machines/machine.ts'
import { type Proposal, proposeRebalance } from '../machines/rebalance.ts'
import { loadOf } from './capacity.ts'
import { groupNamed } from './groups.ts'
import { change, type Context, query, type ReadContext } from './operation.ts'
import { operators } from './rules.ts'
import { text } from './shapes/fields.ts'

const Asked = z.object({
  /** Only hosts of this group. */
  group: text(40).optional(),
  /** What to come nearer to; the goal of each group where nothing is said. */
  goal: z.enum(['spread', 'consolidate']).optional(),
  /** The most machines that are moved. */
  most: z.coerce.number().int().min(1).max(200).default(20),
})
type Asked = z.output<typeof Asked>

export const ProposalShape = z.object({
  /** Says exactly these moves: what approves them. */
  id: z.string(),
  moves: z.array(
    z.object({
      machine: z.string(),
      owner: z.string().nullable(),
      from: z.string(),
      to: z.string(),
      why: z.string(),
    }),
  ),
  /** Hosts that would be empty, and could be switched off. */
  freed: z.array(z.string()),
  /** How full each of them is and would be, 0 to 1. */
  hosts: z.array(z.object({ host: z.string(), before: z.number(), after: z.number() })),
})
export type ProposalView = z.output<typeof ProposalShape>

export const proposeMoves = query({
  name: 'propose-rebalance',
  summary:
    'Which machines could be moved so that hosts are evenly used, or can be switched off, with the reason for each.',
  http: { method: 'GET', path: '/rebalance' },
  input: Asked,
  output: ProposalShape,
  allow: operators,
  run: proposal,
})

export const applyMoves = change({
  name: 'apply-rebalance',
  summary: 'Move machines as it was proposed. Each is looked at again before it is moved; owners are told.',
  http: { method: 'POST', path: '/rebalance', status: () => 202 },
  input: Asked.extend({ id: z.string().max(40) }),
  output: z.object({ job: z.string(), machines: z.array(z.string()) }),
  subject: () => 'hosts',
  allow: operators,
  async run(context, { id, ...asked }) {
    const { tx, caller } = context
    if ((await tx.jobs.count('subject', subject)) > 0) {
      refuse('busy', 'Machines are being moved between hosts already. Wait until that is done.')
    }
    const proposed = await proposal(context, asked)
    if (proposed.moves.length === 0) refuse('wrong_state', 'There is nothing to move.')
    if (proposed.id !== id) {
      refuse('wrong_state', 'What is on the hosts has changed since this was proposed. Look at it again.')
    }
    await tellOwners(context, proposed)
    const left = proposed.moves.map(({ machine, from, to }) => ({ machine, from, to }))
    const input = { left, begun: [], failed: [], by: caller.user }
    const job = await enqueue(context, 'rebalance', input, { subject, by: caller.user })
    return { job: job.id, machines: left.map(({ machine }) => machine) }
  },
})

/** Jobs of this subject move machines between hosts: one at a time. */
const subject = 'rebalance'

async function tellOwners(context: Context, { moves }: ProposalView): Promise<void> {
  for (const { machine, owner, from, to, why } of moves) {
    if (owner === null) continue
    const text = `${machine} is moved from ${from} to ${to} (${why}): without a break where it can be, else saved for a while.`
    await tell(context, {
      kind: 'machine-changed',
      about: { kind: 'machine', id: machine },
      to: [owner],
      text,
    })
  }
}

async function proposal({ tx, site }: Pick<ReadContext, 'tx' | 'site'>, asked: Asked): Promise<ProposalView> {
  const { group, goal, most } = asked
  const all = await tx.hosts.all()
  const hosts = all.filter((host) => group === undefined || host.group === group)
  const machines = new Map<string, Machine[]>()
  for (const { id } of hosts) machines.set(id, (await tx.machines.find('host', id)).filter(isAlive))
  const goalOf = (name: string) => goal ?? groupNamed(site, name)?.goal ?? 'spread'
  const found = proposeRebalance({ hosts, machines, load: await loadOf(tx, hosts), goalOf, most })
  const owners = new Map([...machines.values()].flat().map(({ id, owner }) => [id, owner]))
  return {
    ...found,
    id: fingerprint(found),
    moves: found.moves.map((move) => ({ ...move, owner: owners.get(move.machine) ?? null })),
  }
}

function fingerprint({ moves }: Proposal): string {
  const text = JSON.stringify(moves.map(({ machine, from, to }) => [machine, from, to]))
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}
