import { isIP } from 'node:net'
import type { Machine } from '../machines/machine.ts'
import { macOf } from '../machines/adapter.ts'
import type { Entry } from '../registration/registrar.ts'
import { changeMachine, deskOf } from './facts.ts'
import { type Desk, enqueue, tell } from './outbox.ts'
import type { Tools, Trade, Work } from './trade.ts'

/** The stage that comes before the driver's own where the site registers its machines. */
export const registering = 'registering the name'

/** A network that does not answer is asked for about a day. */
const patience = { attempts: 300, longestPauseMillis: 300_000 }

function entryOf({ id, ref, owner }: Machine, address: string | null): Entry {
  return { name: id, ref, mac: macOf(ref), address, owner }
}

/** Whether a machine is to be known on the site's network. */
export function isRegistered({ registrars }: Pick<Tools, 'registrars'>, { isolated }: Machine): boolean {
  return registrars.length > 0 && isolated !== true
}

/** Makes a machine known before it first boots. It is marked first: what is half done has to be taken back too. */
export async function registerMachine(
  work: Tools & Pick<Work<'make-desktop'>, 'signal'>,
  machine: Machine,
): Promise<void> {
  const mine = (change: (known: Machine) => Machine) => (known: Machine) =>
    known.ref === machine.ref ? change(known) : known
  await work.store.transact((tx) =>
    changeMachine(
      tx,
      machine.id,
      mine((known) => ({ registered: { address: null, asked: null }, ...known })),
    ),
  )
  for (const registrar of work.registrars) {
    const { address } = await registrar.register(entryOf(machine, null), work.signal)
    if (address === null) continue
    const given = mine((known) => ({ ...known, address: known.address ?? address }))
    await work.store.transact((tx) => changeMachine(tx, machine.id, given))
  }
}

/** Whether a registered machine has an address that its registration has not been asked to know. */
export function isElsewhere({ registered, address }: Machine): boolean {
  return registered !== undefined && address !== null && isIP(address) !== 0 && registered.asked !== address
}

/** Leaves behind the work of making its address known, where it has another than before. */
export async function announceAddress(desk: Desk, machine: Machine): Promise<void> {
  const { id, ref, registered, address } = machine
  if (registered === undefined || !isElsewhere(machine)) return
  await desk.tx.machines.put({ ...machine, registered: { ...registered, asked: address } })
  const facts = { subject: `address:${id}`, by: 'jackdaw' }
  await enqueue(desk, 'announce-address', { machine: id, ref }, facts)
}

/** Leaves behind the work of taking a machine's name back. Until that is done the name is not free. */
export async function deregisterMachine(desk: Desk, machine: Machine): Promise<void> {
  const { id, ref, registered, owner } = machine
  if (registered === undefined) return
  const input = { machine: id, ref, address: registered.address ?? registered.asked, owner }
  await enqueue(desk, 'deregister-machine', input, { subject: `machine:${id}`, by: 'jackdaw' })
}

/** Makes a machine's address known, as it is now. */
export const announceMachine: Trade<'announce-address'> = {
  kind: 'announce-address',
  deadlineMillis: 120_000,
  ...patience,
  async run(work) {
    const { machine: id, ref } = work.job.input
    const machine = await work.store.read((tx) => tx.machines.get(id))
    const { registered, address = null } = machine ?? {}
    if (machine?.ref !== ref || registered === undefined || address === null || isIP(address) === 0) return
    const formerly = registered.address === address ? null : registered.address
    for (const registrar of work.registrars) {
      await registrar.locate({ ...entryOf(machine, address), address, formerly }, work.signal)
    }
    await work.store.transact((tx) =>
      changeMachine(tx, id, (known) =>
        known.ref === ref ? { ...known, registered: { address, asked: address } } : known,
      ),
    )
  },
  failed: (tx, job, why, tools) =>
    tellOperators(
      deskOf(tools, tx),
      job.input.machine,
      `The address of ${job.input.machine} could not be made known: ${why}`,
    ),
}

/** Takes a machine's name back, once nothing is left of it. */
export const forgetMachine: Trade<'deregister-machine'> = {
  kind: 'deregister-machine',
  deadlineMillis: 120_000,
  ...patience,
  async run(work) {
    const { machine: name, ref, address, owner } = work.job.input
    for (const registrar of work.registrars) {
      await registrar.deregister({ name, ref, mac: macOf(ref), address, owner }, work.signal)
    }
  },
  failed: (tx, job, why, tools) =>
    tellOperators(
      deskOf(tools, tx),
      job.input.machine,
      `${job.input.machine} is deleted, and its name could not be taken back: ${why}`,
    ),
}

async function tellOperators(desk: ReturnType<typeof deskOf>, id: string, text: string): Promise<void> {
  const to = [...desk.site.roles.operator]
  await tell(desk, { kind: 'machine-failed', about: { kind: 'machine', id }, to, text })
}
