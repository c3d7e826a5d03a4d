import { messageOf, Outage } from '../base/errors.ts'
import { withDeadline } from '../base/retry.ts'
import { canMove, move } from '../base/states.ts'
import type { Hypervisor, Inventory, MachineStatus } from '../hypervisors/hypervisor.ts'
import type { Host } from '../machines/host.ts'
import { isAlive, type Machine, machineStates } from '../machines/machine.ts'
import { finishLease } from '../operations/desktops.ts'
import type { Transaction } from '../store/store.ts'
import { deskOf, withStatus } from './facts.ts'
import { enqueue, redrawCards } from './outbox.ts'
import { every } from './sweeps.ts'
import type { Tools } from './trade.ts'

const deadlineMillis = 20_000

/** Looks at what each hypervisor has, and brings our picture of hosts and machines in line. Reports; never reverts. */
export const observeHypervisors = (millis: number) =>
  every('observe-hypervisors', millis, async (tools) => {
    await Promise.all([...tools.hypervisors.values()].map((hypervisor) => observe(tools, hypervisor)))
  })

async function observe(tools: Tools, hypervisor: Hypervisor): Promise<void> {
  try {
    const inventory = await withDeadline(hypervisor.name, deadlineMillis, undefined, (signal) =>
      hypervisor.inventory(signal),
    )
    await tools.store.transact((tx) => record(tx, tools, hypervisor.name, inventory))
  } catch (error) {
    if (!(error instanceof Outage)) throw error
    tools.log.warn({ hypervisor: hypervisor.name, error: messageOf(error) }, 'hypervisor unreachable')
    await tools.store.transact((tx) => markDown(tx, hypervisor.name))
  }
}

async function record(tx: Transaction, tools: Tools, name: string, inventory: Inventory): Promise<void> {
  await recordHosts(tx, tools, name, inventory)
  const seen = new Map(inventory.machines.map((status) => [status.ref, status]))
  const down = new Set(inventory.hosts.filter(({ reachable }) => !reachable).map((host) => host.name))
  for (const host of inventory.hosts) {
    for (const machine of await tx.machines.find('host', host.name)) {
      if (machine.hypervisor === name) await recordMachine(tx, tools, machine, seen.get(machine.ref), down)
    }
  }
}

async function recordHosts(tx: Transaction, tools: Tools, name: string, { hosts }: Inventory): Promise<void> {
  const rule = tools.site.hypervisors.find((known) => known.name === name)
  const overcommit = rule?.overcommit ?? { cpus: 1, memory: 1 }
  for (const { name: id, reachable, ...facts } of hosts) {
    const known = await tx.hosts.get(id)
    const up = known?.drain === undefined ? 'up' : 'draining'
    const host: Host = {
      ...facts,
      id,
      hypervisor: name,
      overcommit,
      state: reachable ? up : 'down',
      seenAt: reachable ? tools.clock.now() : (known?.seenAt ?? tools.clock.now()),
      ...(known?.drain === undefined ? {} : { drain: known.drain }),
    }
    // That it was seen again is no news worth a write.
    if (known === undefined || !sameApartFromTime(known, host)) await tx.hosts.put(host)
  }
}

function sameApartFromTime(a: Host, b: Host): boolean {
  return JSON.stringify({ ...a, seenAt: '' }) === JSON.stringify({ ...b, seenAt: '' })
}

async function markDown(tx: Transaction, hypervisor: string): Promise<void> {
  for (const host of await tx.hosts.find('hypervisor', hypervisor)) {
    if (host.state !== 'down') await tx.hosts.put({ ...host, state: 'down' })
  }
}

/** A machine that does not answer is unreachable, never taken for deleted; one that its host no longer has is shown so. */
async function recordMachine(
  tx: Transaction,
  tools: Tools,
  machine: Machine,
  status: MachineStatus | undefined,
  down: ReadonlySet<string>,
): Promise<void> {
  const desk = deskOf(tools, tx)
  if (!isAlive(machine) || ['provisioning', 'deleting', 'expired', 'migrating'].includes(machine.state))
    return
  if ((await tx.jobs.count('subject', `machine:${machine.id}`)) > 0) return
  if (status === undefined && !(machine.host !== null && down.has(machine.host)) && isHalfDeleted(machine)) {
    return deleteAgain(desk, machine)
  }
  const next = nextFor(machine, status, machine.host !== null && down.has(machine.host), desk.now)
  if (JSON.stringify(next) === JSON.stringify(machine)) return
  await tx.machines.put(next)
  await redrawCards(desk, `machine:${machine.id}`)
  if (status === undefined && machine.pool !== null) await lose(tx, tools, machine)
}

function nextFor(machine: Machine, status: MachineStatus | undefined, down: boolean, at: string): Machine {
  if (status !== undefined && !down) return withStatus(machine, status, at, 'seen at its host')
  const reason = down ? 'its host does not answer' : 'its host has it no more'
  if (!canMove(machineStates, machine.state, 'unreachable')) return machine
  if (machine.state === 'unreachable') return machine
  return { ...move(machineStates, machine, 'unreachable', { at, reason }), rdp: null }
}

/** Whether its deletion was given up, perhaps with the machine gone and the answer lost. */
function isHalfDeleted({ state, history }: Machine): boolean {
  return (
    state === 'unreachable' && history.findLast((row) => row.state !== 'unreachable')?.state === 'deleting'
  )
}

/** Its host has it no more, so that the deletion only has to be put into the books. */
async function deleteAgain(desk: ReturnType<typeof deskOf>, machine: Machine): Promise<void> {
  const reason = machine.history.findLast((row) => row.state === 'deleting')?.reason ?? 'it was being deleted'
  const facts = { subject: `machine:${machine.id}`, by: 'jackdaw' }
  const job = await enqueue(desk, 'delete-machine', { machine: machine.id, reason }, facts)
  const deleting = move(machineStates, machine, 'deleting', { at: desk.now, reason })
  await desk.tx.machines.put({ ...deleting, job: job.id, attentionAt: null })
}

async function lose(tx: Transaction, tools: Tools, machine: Machine): Promise<void> {
  const desk = deskOf(tools, tx)
  const desktop = await tx.desktops.get(machine.id)
  if (desktop === undefined) return
  const lease = desktop.lease === null ? undefined : await tx.leases.get(desktop.lease)
  if (lease === undefined) await tx.desktops.remove(desktop.id)
  else await finishLease(desk, lease, 'desktop_lost')
}
