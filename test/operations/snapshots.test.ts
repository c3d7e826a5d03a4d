import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { controlMachine } from '../../src/operations/control-machine.ts'
import { deleteSnapshot, revertSnapshot, takeSnapshot } from '../../src/operations/snapshots.ts'
import { showFigures } from '../../src/operations/show-figures.ts'
import { showJob } from '../../src/operations/show-job.ts'
import { type Core, openCore } from './core.ts'
import { ordered, shown } from './ordered.ts'

let core: Core
beforeEach(async () => {
  core = await openCore()
  await ordered(core)
})
afterEach(() => core.close())

async function taken(name: string, user = 'alice') {
  const { job } = await core.operations.perform(takeSnapshot, await core.as(user), {
    machine: 'webafs20',
    name,
  })
  await core.settle()
  return job
}

async function alice() {
  return core.as('alice')
}

describe('snapshots', () => {
  test('a machine goes back to what it was when the snapshot was taken', async () => {
    await taken('before-upgrade')
    await core.operations.perform(controlMachine.shutdown, await alice(), { name: 'webafs20' })
    await core.settle()
    const input = { machine: 'webafs20', snapshot: 'before-upgrade' }

    await core.operations.perform(revertSnapshot, await alice(), input)
    await core.settle()

    expect(await shown(core)).toMatchObject({
      state: 'running',
      snapshots: [{ name: 'before-upgrade', by: 'alice', takenAt: core.clock.now() }],
    })
  })

  test('a snapshot that is forgotten is listed no more, at its hypervisor neither', async () => {
    await taken('first')
    await taken('second')

    await core.operations.perform(deleteSnapshot, await alice(), { machine: 'webafs20', snapshot: 'first' })
    await core.settle()

    const figures = await core.operations.perform(showFigures, await alice(), { name: 'webafs20' })
    expect((await shown(core)).snapshots).toMatchObject([{ name: 'second' }])
    expect(figures.snapshots).toMatchObject([{ name: 'second' }])
  })

  test.each([
    ['the same name', 'first', 'name_taken'],
    ['a name that is none', 'Not a name!', 'invalid_input'],
  ])('%s is refused for a second one', async (_case, name, code) => {
    await taken('first')

    const taking = taken(name)

    await expect(taking).rejects.toMatchObject({ code })
    expect((await shown(core)).snapshots).toHaveLength(1)
  })

  test('the eleventh is refused until one is deleted', async () => {
    for (let n = 1; n <= 10; n++) await taken(`s-${n}`)

    const eleventh = taken('s-11')

    await expect(eleventh).rejects.toMatchObject({ code: 'wrong_state' })
  })

  test('there is no going back to what was never kept', async () => {
    const input = { machine: 'webafs20', snapshot: 'never' }

    const reverting = core.operations.perform(revertSnapshot, await alice(), input)

    await expect(reverting).rejects.toMatchObject({ code: 'not_found' })
  })

  test('a stranger keeps no state of a machine that is not theirs', async () => {
    await expect(taken('first', 'carol')).rejects.toMatchObject({ code: 'not_found' })
  })

  test('whoever asked is told why it did not work, and nothing is listed', async () => {
    const outage = { code: 'hypervisor_refused', transient: false } as const
    core.hypervisor.fault({ on: 'snapshot', outage })

    const job = await taken('first')

    expect((await core.operations.perform(showJob, await alice(), { id: job })).state).toBe('failed')
    expect((await shown(core)).snapshots).toEqual([])
    expect(core.told.notices.at(-1)).toMatchObject({ user: 'alice', notice: { kind: 'machine-failed' } })
  })
})

describe('figures', () => {
  test('a running machine says how long and how it is', async () => {
    const figures = await core.operations.perform(showFigures, await alice(), { name: 'webafs20' })

    expect(figures).toMatchObject({ name: 'webafs20', uptimeSeconds: 0, heartbeat: 'ok', problems: [] })
    expect(figures.disks).toMatchObject([{ name: 'disk', sizeGb: 10 }])
  })

  test('a hypervisor that gives no answer is a problem that is shown, not an error', async () => {
    const outage = { code: 'hypervisor_unreachable', transient: true } as const
    core.hypervisor.fault({ on: 'figures', outage })

    const figures = await core.operations.perform(showFigures, await alice(), { name: 'webafs20' })

    expect(figures.problems).toHaveLength(1)
    expect(figures.uptimeSeconds).toBeNull()
  })
})
