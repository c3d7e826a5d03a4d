import type { Hypervisor } from '../hypervisors/hypervisor.ts'
import type { LibraryImage } from '../machines/image.ts'
import { isAlive } from '../machines/machine.ts'
import { changeMachine, deskOf, driverOf, machineOf, withStatus } from './facts.ts'
import { enqueue, redrawCards, tell } from './outbox.ts'
import { abandon } from './provision-machine.ts'
import type { Trade, Work } from './trade.ts'

const [halting, copying, starting] = ['shutting down', 'copying the disk', 'starting again'] as const

/** Makes an image of a machine's disk: it is shut down for that, since a disk in motion makes a bad copy. */
export const captureMachine: Trade<'capture-machine'> = {
  kind: 'capture-machine',
  deadlineMillis: 60 * 60_000,
  attempts: 3,
  async run(work) {
    const { machine: name, image: id, runs } = work.job.input
    const machine = await machineOf(work, name)
    const driver = driverOf(work, machine)
    await work.plan(runs ? [halting, copying, starting] : [copying])
    if (runs) await work.stage(halting, () => driver.shutdown(machine.ref, work.signal))
    await work.stage(copying, () => copyDisk(work, driver, { ref: machine.ref, id }))
    if (runs) await work.stage(starting, () => driver.start(machine.ref, work.signal))
    const status = await driver.status(machine.ref, work.signal)
    await work.store.transact(async (tx) => {
      const desk = deskOf(work, tx)
      await changeMachine(tx, name, (known) =>
        withStatus(known, status, desk.now, `image ${id} was made of it`),
      )
      await redrawCards(desk, `machine:${name}`)
      const image = await tx.images.get(id)
      if (image === undefined) return
      await makeWaiting(desk, image, work.job.by)
      if (image.use !== 'image') return
      const about = { kind: 'machine', id: name } as const
      const text = `Image ${id} was made of ${name}. Ask for servers with it as with a template: request ${id}.`
      await tell(desk, { kind: 'machine-changed', about, to: [work.job.by], text })
    })
  },
  async failed(tx, job, why, tools) {
    const desk = deskOf(tools, tx)
    const { machine: name, image: id, runs } = job.input
    const image = await tx.images.get(id)
    await tx.images.remove(id)
    for (const waiting of image?.waiting ?? []) await abandon(desk, waiting, `its image was not made: ${why}`)
    const machine = await tx.machines.get(name)
    if (runs && machine !== undefined && isAlive(machine)) {
      const facts = { subject: `machine:${name}`, by: job.by }
      await enqueue(desk, 'control-machine', { machine: name, verb: 'start' }, facts)
    }
    const text = `No image was made of ${name}: ${why}.`
    await tell(desk, { kind: 'machine-failed', about: { kind: 'machine', id: name }, to: [job.by], text })
    await redrawCards(desk, `machine:${name}`)
  },
}

/** Copies a stopped machine's disk into the library, and notes what it takes up. */
export async function copyDisk(
  work: Work<'capture-machine' | 'archive-machine'>,
  driver: Hypervisor,
  { ref, id }: { ref: string; id: string },
): Promise<void> {
  const image = await work.store.read((tx) => tx.images.get(id))
  if (image === undefined) return
  await driver.capture(ref, image.ref, work.signal)
  const kept = (await driver.images(work.signal)).find((known) => known.ref === image.ref)
  await work.store.transact(async (tx) => {
    const known = await tx.images.get(id)
    if (known !== undefined) await tx.images.put({ ...known, state: 'ready', sizeGb: kept?.sizeGb ?? null })
  })
}

/** Has the machines made that wait for an image. */
async function makeWaiting(desk: ReturnType<typeof deskOf>, image: LibraryImage, by: string): Promise<void> {
  for (const name of image.waiting) {
    const job = await enqueue(
      desk,
      'provision-machine',
      { machine: name },
      { subject: `machine:${name}`, by },
    )
    await changeMachine(desk.tx, name, (known) => ({ ...known, job: job.id }))
    await redrawCards(desk, `machine:${name}`)
  }
  await desk.tx.images.put({ ...image, waiting: [] })
}
