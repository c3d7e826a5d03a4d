import type { Button } from '../../bot/card.ts'
import type { Lease } from '../../broker/lease.ts'
import { plusMillis } from '../../src/base/clock.ts'
import { Outage, Refusal } from '../../src/base/errors.ts'
import type { Machine } from '../../src/machines/machine.ts'
import { approveRequest } from '../../src/operations/approve-request.ts'
import { cancelRequest } from '../../src/operations/cancel-request.ts'
import { controlMachine } from '../../src/operations/control-machine.ts'
import { deleteMachine } from '../../src/operations/delete-machine.ts'
import { denyRequest } from '../../src/operations/deny-request.ts'
import { editRequest } from '../../src/operations/edit-request.ts'
import { endLeaseNow } from '../../src/operations/end-lease.ts'
import { extendLeaseTime } from '../../src/operations/extend-lease.ts'
import { extendMachine } from '../../src/operations/extend-machine.ts'
import { letGoMachine } from '../../src/operations/let-go-machine.ts'
import { openDesktop } from '../../src/operations/open-desktop.ts'
import type { Operation } from '../../src/operations/operation.ts'
import { requestMachine } from '../../src/operations/request-machine.ts'
import { resizeMachine } from '../../src/operations/resize-machine.ts'
import { transferMachine } from '../../src/operations/transfer-machine.ts'
import type { Request } from '../../src/requests/request.ts'
import { hour } from '../operations/core.ts'
import { people } from './site.ts'
import type { Model, Wish } from './model.ts'
import type { Service } from './service.ts'
import type { World } from './world.ts'

/** What somebody sees of the site before they do something. */
export interface Seen {
  requests: readonly Request[]
  machines: readonly Machine[]
  leases: readonly Lease[]
}

/** Something that somebody does, and the words for what came of it. */
export interface Deed {
  says: string
  done: Promise<string>
}

export interface Scene {
  world: World
  service: Service
  model: Model
  seen: Seen
  /** Called for what must never happen: an error that is neither ours to give nor the world's. */
  fault(words: string): void
}

/** An RDP file that somebody keeps, by user. */
export type Files = Map<string, string>

type Act = (scene: Scene, files: Files) => Deed | undefined

/** What people do, and how often. */
const acts: readonly (readonly [number, Act])[] = [
  [16, ask],
  [4, repeat],
  [16, decide('approve')],
  [3, decide('deny')],
  [2, decide('cancel')],
  [4, edit],
  [9, extend],
  [5, resize],
  [10, power],
  [4, remove],
  [3, letGo],
  [5, transfer],
  [10, open],
  [9, dial],
  [7, hangUp],
  [4, endLease],
  [3, extendLease],
  [16, press],
]

const total = acts.reduce((sum, [weight]) => sum + weight, 0)

/** Somebody does something by chance; nothing when there is nothing to do it with. */
export function somebodyActs(scene: Scene, files: Files): Deed | undefined {
  let at = scene.world.random.below(total)
  for (const [weight, act] of acts) {
    at -= weight
    if (at < 0) return act(scene, files)
  }
  return undefined
}

function somebody({ world }: Scene): string {
  return world.random.pick(people)
}

function oneOf<T>({ world }: Scene, items: readonly T[]): T | undefined {
  return items[world.random.below(Math.max(1, items.length))]
}

/** Has an operation done, remembers what was answered, and puts into words how it went. */
async function attempt<Raw, Input, Asked, Answer>(
  scene: Scene,
  operation: Operation<Raw, Input, Asked, Answer>,
  who: string,
  input: Raw,
  then: { key?: string; answered?: (answer: Answer) => string; refused?: (refusal: Refusal) => void } = {},
): Promise<string> {
  const { service, model } = scene
  try {
    const options = then.key === undefined ? {} : { idempotencyKey: then.key }
    const answer = await service.operations.perform(operation, await service.as(who), input, options)
    // What was done before is answered again, and is one row of the audit.
    if (then.key === undefined) model.done.set(operation.name, (model.done.get(operation.name) ?? 0) + 1)
    return then.answered?.(answer) ?? 'done'
  } catch (error) {
    if (error instanceof Refusal) {
      then.refused?.(error)
      return `refused, ${error.code}`
    }
    if (error instanceof Outage) return `outage, ${error.code}`
    scene.fault(`${operation.name} threw ${String(error)}`)
    return `threw ${String(error)}`
  }
}

function ask(scene: Scene): Deed {
  const { world, model } = scene
  const { random } = world
  const who = somebody(scene)
  const number = model.wishes.length + 1
  const wish: Wish = {
    who,
    key: `wish-${number}`,
    purpose: `wish ${number}`,
    input: {
      template: random.pick(['slc5', 'w2008']),
      budget: random.pick(['T-1', 'T-2', 'T-3']),
      purpose: `wish ${number}`,
      days: 1 + random.below(random.next() < 0.7 ? 12 : 40),
      count: random.next() < 0.75 ? 1 : 1 + random.below(3),
      cpus: 1 + random.below(2),
      memoryGb: 1 + random.below(4),
      ...(random.next() < 0.5 ? { name: random.pick(['afs', 'web', 'db']) } : {}),
    },
    at: world.now(),
    answered: null,
    refused: null,
  }
  model.wishes.push(wish)
  return wanted(scene, wish)
}

/** Whoever got no answer asks again under the same key; some ask again though they were answered. */
function repeat(scene: Scene): Deed | undefined {
  // A key is known for a day.
  const yesterday = plusMillis(scene.world.now(), -20 * hour)
  const wishes = scene.model.wishes.filter(({ at }) => at > yesterday)
  const open = wishes.filter(({ answered, refused }) => answered === null && refused === null)
  const wish = oneOf(scene, open.length > 0 ? open : wishes.slice(-5))
  return wish && wanted(scene, wish)
}

function wanted(scene: Scene, wish: Wish): Deed {
  const done = attempt(scene, requestMachine, wish.who, wish.input, {
    key: wish.key,
    answered: ({ id, state }) => {
      if (wish.answered !== null && wish.answered !== id)
        scene.fault(`${wish.purpose} was answered with ${wish.answered} and then with ${id}`)
      wish.answered = id
      return `${id} is ${state}`
    },
    refused: ({ code }) => {
      wish.refused = code
    },
  })
  return { says: `${wish.who} asks for ${wish.purpose}: ${JSON.stringify(wish.input)}`, done }
}

function decide(verb: 'approve' | 'deny' | 'cancel'): Act {
  return (scene) => {
    const { requests } = scene.seen
    const pending = requests.filter(({ state }) => state === 'pending')
    // At times long after it was decided.
    const request = oneOf(scene, pending.length > 0 && scene.world.random.next() < 0.85 ? pending : requests)
    if (request === undefined) return undefined
    const approver = oneOf(scene, request.approvers)?.user ?? 'bob'
    const usual = verb === 'cancel' ? request.requester : approver
    const who = scene.world.random.next() < 0.9 ? usual : somebody(scene)
    const { id } = request
    const verdict = ({ approve: 'approved', deny: 'denied', cancel: 'cancelled' } as const)[verb]
    const answered = ({ state }: { state: string }) => {
      scene.model.decisions.set(id, verdict)
      return `it is ${state}`
    }
    const done =
      verb === 'approve'
        ? approve(scene, who, request, answered)
        : attempt(
            scene,
            verb === 'deny' ? denyRequest : cancelRequest,
            who,
            { id, reason: 'no' },
            { answered },
          )
    return { says: `${who} would ${verb} ${id}`, done }
  }
}

/** What became dearer is mostly approved at the new price, with a second press. */
async function approve(
  scene: Scene,
  who: string,
  { id, quote }: Request,
  answered: (answer: { state: string }) => string,
): Promise<string> {
  const shown = scene.world.random.next() < 0.7 ? { quote: quote.id } : {}
  let accepted: string | undefined
  const refused = ({ extras }: Refusal) => {
    accepted = extras.quote?.id
  }
  const first = await attempt(scene, approveRequest, who, { id, ...shown }, { answered, refused })
  if (accepted === undefined || scene.world.random.next() < 0.2) return first
  return attempt(scene, approveRequest, who, { id, acceptQuote: accepted }, { answered })
}

function edit(scene: Scene): Deed | undefined {
  const { random } = scene.world
  const request = oneOf(
    scene,
    scene.seen.requests.filter(({ state }) => state === 'pending'),
  )
  if (request === undefined) return undefined
  const { id, requester: who } = request
  const changes = random.pick<{ days?: number; cpus?: number; count?: number; budget?: string }>([
    { days: 1 + random.below(20) },
    { cpus: 1 + random.below(4) },
    { count: 1 + random.below(3) },
    { budget: random.pick(['T-1', 'T-2', 'T-3']) },
  ])
  const done = attempt(
    scene,
    editRequest,
    who,
    { id, ...changes },
    { answered: ({ state }) => `it is ${state}` },
  )
  return { says: `${who} edits ${id}: ${JSON.stringify(changes)}`, done }
}

function aMachine(scene: Scene): { who: string; machine: Machine } | undefined {
  const own = scene.seen.machines.filter(({ pool }) => pool === null)
  const alive = own.filter(({ state }) => !['deleted', 'failed'].includes(state))
  const machine = oneOf(scene, scene.world.random.next() < 0.9 ? alive : own)
  if (machine === undefined) return undefined
  const who = scene.world.random.next() < 0.9 ? (machine.owner ?? 'olga') : somebody(scene)
  return { who, machine }
}

function extend(scene: Scene): Deed | undefined {
  const found = aMachine(scene)
  if (found === undefined) return undefined
  const { who, machine } = found
  const days = 1 + scene.world.random.below(10)
  const done = attempt(
    scene,
    extendMachine,
    who,
    { name: machine.id, days },
    {
      answered: (answer) => {
        if ('request' in answer) return `${answer.request} has to be approved`
        scene.model.ends.set(machine.ref, answer.expiresAt)
        return `it lasts until ${answer.expiresAt}`
      },
    },
  )
  return { says: `${who} extends ${machine.id} by ${days} d`, done }
}

function resize(scene: Scene): Deed | undefined {
  const found = aMachine(scene)
  if (found === undefined) return undefined
  const { who, machine } = found
  const size = { cpus: 1 + scene.world.random.below(4), memoryGb: 1 + scene.world.random.below(8) }
  const done = attempt(
    scene,
    resizeMachine,
    who,
    { name: machine.id, ...size },
    {
      answered: (answer) => JSON.stringify(answer),
    },
  )
  return { says: `${who} resizes ${machine.id} to ${size.cpus} CPUs, ${size.memoryGb} GB`, done }
}

const verbs = ['start', 'shutdown', 'power-off', 'reset', 'save', 'resume'] as const

function power(scene: Scene): Deed | undefined {
  const found = aMachine(scene)
  if (found === undefined) return undefined
  const { who, machine } = found
  const verb = scene.world.random.pick(verbs)
  const done = attempt(scene, controlMachine[verb], who, { name: machine.id })
  return { says: `${who} would ${verb} ${machine.id}`, done }
}

function remove(scene: Scene): Deed | undefined {
  const found = aMachine(scene)
  if (found === undefined) return undefined
  const { who, machine } = found
  const done = attempt(
    scene,
    deleteMachine,
    who,
    { name: machine.id },
    {
      answered: ({ job }) => {
        scene.model.deletions.add(machine.ref)
        return job
      },
    },
  )
  return { says: `${who} deletes ${machine.id}`, done }
}

function letGo(scene: Scene): Deed | undefined {
  const found = aMachine(scene)
  if (found === undefined) return undefined
  const { who, machine } = found
  return {
    says: `${who} lets ${machine.id} go`,
    done: attempt(scene, letGoMachine, who, { name: machine.id }),
  }
}

function transfer(scene: Scene): Deed | undefined {
  const found = aMachine(scene)
  if (found === undefined) return undefined
  const { who, machine } = found
  const { random } = scene.world
  const to = random.pick<{ owner?: string; budget?: string }>([
    { owner: somebody(scene) },
    { budget: random.pick(['T-1', 'T-2', 'T-3']) },
    { owner: somebody(scene), budget: random.pick(['T-1', 'T-2', 'T-3']) },
  ])
  const done = attempt(
    scene,
    transferMachine,
    who,
    { name: machine.id, ...to },
    {
      answered: (answer) => ('request' in answer ? `${answer.request} has to be approved` : 'done'),
    },
  )
  return { says: `${who} transfers ${machine.id}: ${JSON.stringify(to)}`, done }
}

function open(scene: Scene, files: Files): Deed {
  const who = somebody(scene)
  const pool = scene.world.random.pick(['own', 'public', 'public'])
  const done = attempt(
    scene,
    openDesktop,
    who,
    { pool },
    {
      answered: ({ lease, state, desktop, rdp }) => {
        scene.model.leases.set(lease, { user: who, at: scene.world.now(), ended: null })
        if (rdp !== undefined) files.set(who, rdp)
        return `${lease} is ${state} on ${desktop ?? 'nothing yet'}`
      },
    },
  )
  return { says: `${who} opens a desktop of ${pool}`, done }
}

function dial(scene: Scene, files: Files): Deed | undefined {
  const who = oneOf(scene, [...files.keys()])
  const rdp = who === undefined ? undefined : files.get(who)
  if (who === undefined || rdp === undefined) return undefined
  const done = carefully(scene, async () => `connected to ${await scene.service.router.dial(rdp)}`)
  return { says: `${who} dials with a file kept`, done }
}

function hangUp(scene: Scene): Deed | undefined {
  const lease = oneOf(scene, [...scene.service.router.connections.keys()])
  if (lease === undefined) return undefined
  const done = carefully(scene, async () => {
    await scene.service.router.hangUp(lease)
    return 'done'
  })
  return { says: `a connection of ${lease} is over`, done }
}

function aLease(scene: Scene): { who: string; lease: Lease } | undefined {
  const open = scene.seen.leases.filter(({ state }) => state !== 'ended')
  const lease = oneOf(scene, scene.world.random.next() < 0.9 ? open : scene.seen.leases)
  if (lease === undefined) return undefined
  return { lease, who: scene.world.random.next() < 0.8 ? lease.user : 'olga' }
}

function endLease(scene: Scene): Deed | undefined {
  const found = aLease(scene)
  if (found === undefined) return undefined
  const { who, lease } = found
  const done = attempt(
    scene,
    endLeaseNow,
    who,
    { id: lease.id },
    {
      answered: ({ endReason, endedAt }) => {
        const ended = { at: endedAt ?? 'never', reason: endReason ?? 'none' }
        scene.model.leases.set(lease.id, { user: lease.user, at: lease.createdAt, ended })
        return `it ended, ${ended.reason}`
      },
    },
  )
  return { says: `${who} ends ${lease.id}`, done }
}

function extendLease(scene: Scene): Deed | undefined {
  const found = aLease(scene)
  if (found === undefined) return undefined
  const { who, lease } = found
  const done = attempt(scene, extendLeaseTime, who, { id: lease.id, minutes: 30 })
  return { says: `${who} extends ${lease.id}`, done }
}

/** A button of any card that anybody ever got, however old; at times twice at once. */
function press(scene: Scene): Deed | undefined {
  const { world, service } = scene
  const posts = [...world.platform.posts.values()]
  const post = oneOf(scene, world.random.next() < 0.6 ? posts.slice(-6) : posts)
  const buttons = post?.card.parts.flatMap((part) => (part.kind === 'buttons' ? part.buttons : [])) ?? []
  const button = oneOf<Button>(scene, buttons)
  if (post === undefined || button === undefined) return undefined
  const { action, value, label, ask: asks } = button
  const who = world.random.next() < 0.95 ? post.user : somebody(scene)
  const times = world.random.next() < 0.25 ? 2 : 1
  const once = async () => {
    const caller = { ...(await service.as(who)), via: 'web' as const }
    const cards = await service.conversation.press(caller, {
      ...{ action, value, key: `${post.key}-${post.at}-${label}` },
      ...(asks === undefined ? {} : { answer: 'because' }),
    })
    return cards.map(({ summary }) => summary).join(' / ')
  }
  const done = carefully(scene, async () =>
    (await Promise.all(Array.from({ length: times }, once))).join(' // '),
  )
  return { says: `${who} presses ${times === 1 ? '' : 'twice '}[${label}] (${action} ${value})`, done }
}

async function carefully(scene: Scene, work: () => Promise<string>): Promise<string> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof Refusal) return `refused, ${error.code}`
    if (error instanceof Outage) return `outage, ${error.code}`
    scene.fault(`threw ${String(error)}`)
    return `threw ${String(error)}`
  }
}
