import { refuse } from '../base/errors.ts'
import { move } from '../base/states.ts'
import { counted, list } from '../base/text.ts'
import type { Administrator, MachineSpec } from '../hypervisors/hypervisor.ts'
import { macOf } from '../machines/adapter.ts'
import { type Machine, machineStates } from '../machines/machine.ts'
import { settleMachine } from '../operations/holding.ts'
import { dropCopies } from '../operations/images.ts'
import { fail, fulfil, type Request } from '../requests/request.ts'
import type { Transaction } from '../store/store.ts'
import { changeMachine, deskOf, driverOf, machineOf, verified, withStatus } from './facts.ts'
import { type Desk, enqueue, redrawCards, tell } from './outbox.ts'
import { announceAddress, isRegistered, registering, registerMachine } from './register-machine.ts'
import type { Tools, Trade, Work } from './trade.ts'

/** Makes a machine, stage by stage, as its driver names them; it is ready when the driver says that it runs. */
export const provisionMachine: Trade<'provision-machine'> = {
  kind: 'provision-machine',
  deadlineMillis: 30 * 60_000,
  attempts: 5,
  async run(work) {
    const machine = await machineOf(work, work.job.input.machine)
    if (machine.state !== 'provisioning') return notAnyMore(work, machine)
    await build(work, machine)
    const status = await verified(driverOf(work, machine), machine, 'running', work.signal)
    await work.store.transact(async (tx) => {
      const desk = deskOf(work, tx)
      const ready = await changeMachine(tx, machine.id, (known) => withStatus(known, status, desk.now))
      if (ready !== undefined) await announceAddress(desk, ready)
      if (ready?.request !== undefined && ready.request !== null) await concludeRequest(desk, ready.request)
      await redrawCards(desk, `machine:${machine.id}`)
    })
  },
  async failed(tx, job, why, tools) {
    await abandon(deskOf(tools, tx), job.input.machine, why)
  },
}

/** A machine that was ordered and will not be: its money and its room go back, and whoever asked is told. */
export async function abandon(desk: ReturnType<typeof deskOf>, name: string, why: string): Promise<void> {
  const machine = await failMachine(desk.tx, desk, name, why)
  if (machine === undefined) return
  await settleMachine(desk, machine, 'nothing')
  if (machine.request !== null) await concludeRequest(desk, machine.request)
}

/** An earlier run has made it and could not say so, or it has been deleted meanwhile: it must not be made anew. */
async function notAnyMore(work: Tools, { request }: Machine): Promise<void> {
  if (request === null) return
  await work.store.transact((tx) => concludeRequest(deskOf(work, tx), request))
}

/** Has the driver make a machine: each stage is shown, and done once even when the job comes again. */
export async function build(
  work: Work<'provision-machine' | 'make-desktop' | 'restore-machine'>,
  machine: Machine,
): Promise<void> {
  const driver = driverOf(work, machine)
  const spec = await specOf(work, machine)
  const isKnown = isRegistered(work, machine)
  await work.plan(isKnown ? [registering, ...driver.stages] : driver.stages)
  if (isKnown) {
    await work.stage(registering, async () => {
      await showProgress(work, machine)
      await registerMachine(work, machine)
    })
  }
  for (const stage of driver.stages) {
    await work.stage(stage, async () => {
      await showProgress(work, machine)
      await driver.provision(spec, stage, work.signal)
    })
  }
}

/** The cards of the machine and of its request say which stage it is at. */
async function showProgress(work: Tools, { id, request }: Machine): Promise<void> {
  await work.store.transact(async (tx) => {
    const desk = deskOf(work, tx)
    await redrawCards(desk, `machine:${id}`)
    if (request !== null) await redrawCards(desk, `request:${request}`)
  })
}

/** Administrators are resolved now, so that whoever is in the group on this day gets in. */
async function specOf(tools: Tools, machine: Machine): Promise<MachineSpec> {
  const { directory } = tools
  const groups = await Promise.all(machine.administrators.map((name) => directory.members(name)))
  const users = [...(machine.owner === null ? [] : [machine.owner]), ...groups.flat().map(({ user }) => user)]
  return {
    ref: machine.ref,
    name: machine.id,
    host: machine.host ?? '',
    template: machine.template,
    os: machine.os,
    cpus: machine.cpus,
    memoryGb: machine.memoryGb,
    administrators: await Promise.all([...new Set(users)].map((user) => withKeys(tools, user))),
    mac: macOf(machine.ref),
    ...(machine.image === undefined ? {} : { image: await imageRef(tools, machine.image) }),
    ...(machine.data === undefined ? {} : { data: await imageRef(tools, machine.data) }),
    ...(machine.blank === undefined || machine.image !== undefined ? {} : { blank: machine.blank }),
    ...(machine.isolated === undefined ? {} : { isolated: machine.isolated }),
  }
}

/** With the keys that the directory gives, and those that somebody has set for themselves. */
async function withKeys({ directory, store }: Tools, user: string): Promise<Administrator> {
  const settings = await store.read((tx) => tx.settings.get(user))
  return { user, keys: [...new Set([...(await directory.keysOf(user)), ...(settings?.sshKeys ?? [])])] }
}

async function imageRef({ store }: Tools, id: string): Promise<string> {
  const image = await store.read((tx) => tx.images.get(id))
  return image?.ref ?? refuse('not_found', `Image ${id} is not in the library any more.`)
}

/**
 * Marks a machine as failed, which frees its room, and leaves behind the removal of what there is of it. Nothing happens
 * to one that is not in the making any more.
 */
export async function failMachine(
  tx: Transaction,
  desk: Desk,
  name: string,
  why: string,
): Promise<Machine | undefined> {
  const known = await tx.machines.get(name)
  if (known?.state !== 'provisioning') return undefined
  const machine: Machine = {
    ...move(machineStates, known, 'failed', { at: desk.now, reason: why }),
    attentionAt: null,
  }
  await tx.machines.put(machine)
  await enqueue(
    desk,
    'delete-machine',
    { machine: name, reason: why },
    { subject: `machine:${name}`, by: 'jackdaw' },
  )
  await redrawCards(desk, `machine:${name}`)
  return machine
}

/** Once none of its machines is in the making, a request is fulfilled or has failed, and its requester is told. */
async function concludeRequest(desk: Desk & { site: Tools['site'] }, id: string): Promise<void> {
  const { tx, now } = desk
  const request = await tx.requests.get(id)
  if (request?.state !== 'approved') return
  const machines = (await Promise.all(request.machines.map((name) => tx.machines.get(name)))).filter(
    (machine) => machine !== undefined,
  )
  if (machines.some(({ state }) => state === 'provisioning')) return
  const failed = machines.filter(({ state }) => state === 'failed')
  const concluded = conclude(request, machines, failed, now)
  await tx.requests.put(concluded)
  await dropCopies(desk, request)
  await redrawCards(desk, `request:${id}`)
  // Whoever deleted them before they were ready need not hear that they are.
  if (machines.every(({ state }) => state === 'deleting' || state === 'deleted')) return
  const about = { kind: 'request', id } as const
  const kind = concluded.state === 'failed' ? 'request-failed' : 'machine-ready'
  await tell(desk, {
    kind,
    about,
    to: [request.requester],
    ...(concluded.failure === null ? {} : { text: concluded.failure }),
  })
}

function conclude(request: Request, machines: Machine[], failed: Machine[], now: string): Request {
  if (failed.length === 0) return fulfil(request, now)
  const reasons = [
    ...new Set(failed.map((machine) => machine.history.at(-1)?.reason ?? 'no reason was given')),
  ]
  const text = `${list(failed.map(({ id }) => id))} could not be made: ${list(reasons)}. The money held for ${failed.length === 1 ? 'it' : 'them'} is back on ${request.budget}.`
  if (failed.length === machines.length) return fail(request, now, text)
  const running = counted(machines.length - failed.length, 'machine')
  return { ...fulfil(request, now), failure: `${running} of ${machines.length} run. ${text}` }
}
