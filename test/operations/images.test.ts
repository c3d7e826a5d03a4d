import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { approveRequest } from '../../src/operations/approve-request.ts'
import { captureMachine } from '../../src/operations/capture-machine.ts'
import { cloneMachine } from '../../src/operations/clone-machine.ts'
import { denyRequest } from '../../src/operations/deny-request.ts'
import { listImages } from '../../src/operations/list-images.ts'
import { listMachines } from '../../src/operations/list-machines.ts'
import { makeQuote } from '../../src/operations/make-quote.ts'
import { removeImage } from '../../src/operations/remove-image.ts'
import { requestMachine } from '../../src/operations/request-machine.ts'
import { showBudget } from '../../src/operations/show-budget.ts'
import { type Core, openCore } from './core.ts'
import { ordered, shown } from './ordered.ts'

let core: Core
beforeEach(async () => {
  core = await openCore()
  await ordered(core, { cpus: 2, memoryGb: 4 })
})
afterEach(() => core.close())

async function captured(image = 'webafs', user = 'alice') {
  const answer = await core.operations.perform(captureMachine, await core.as(user), {
    name: 'webafs20',
    image,
  })
  await core.settle()
  return answer
}

async function images(user = 'alice') {
  return (await core.operations.perform(listImages, await core.as(user), {})).items
}

async function cloned(input: object) {
  const alice = await core.as('alice')
  return core.operations.perform(cloneMachine, alice, { machine: 'webafs20', ...input })
}

async function approved(id: string) {
  await core.operations.perform(approveRequest, await core.as('bob'), { id })
  await core.settle()
}

const disks = async () =>
  Promise.all((await mine()).map(({ name }) => core.store.read((tx) => tx.machines.get(name)))).then(
    (machines) => machines.map((machine) => core.hypervisor.machine(machine?.ref ?? '')),
  )
const mine = async () => (await core.operations.perform(listMachines, await core.as('alice'), {})).items
const inFarm = async () => core.hypervisor.images(new AbortController().signal)

describe('an image of a machine', () => {
  test('is made while the machine is shut down, and the machine runs again', async () => {
    await captured()

    expect(await images()).toMatchObject([{ name: 'webafs', state: 'ready', from: 'webafs20', sizeGb: 10 }])
    expect((await shown(core)).state).toBe('running')
    expect(core.told.notices.at(-1)).toMatchObject({ user: 'alice', notice: { kind: 'machine-changed' } })
  })

  test('is asked for as a template is, at the size of its machine where none is said', async () => {
    await captured()
    const order = { template: 'webafs', count: 10, days: 30, budget: 'T-1042', purpose: 'ten more' }

    const quote = await core.operations.perform(makeQuote, await core.as('alice'), order)
    const request = await core.operations.perform(requestMachine, await core.as('alice'), order)
    await approved(request.id)

    expect(request).toMatchObject({ template: 'slc5', cpus: 2, memoryGb: 4 })
    expect(request.quote.total).toBe(quote.total)
    const copies = (await mine()).filter(({ image }) => image === 'webafs')
    expect(copies).toHaveLength(10)
    expect(new Set(copies.map(({ state }) => state))).toEqual(new Set(['running']))
    const farm = await disks()
    expect(farm.filter((machine) => machine?.disk.startsWith('slc5 > '))).toHaveLength(11)
  })

  test('is not for strangers: to them it is no template at all', async () => {
    await captured()
    const order = { template: 'webafs', days: 30, budget: 'T-2000', purpose: 'curious' }

    const asking = core.operations.perform(requestMachine, await core.as('carol'), order)

    await expect(asking).rejects.toMatchObject({ code: 'unknown_template' })
    expect(await images('carol')).toEqual([])
  })

  test.each([
    ['the name of a template', 'slc5', 'name_taken'],
    ['a name that is none', 'No Name', 'bad_name'],
  ])('%s is refused', async (_case, image, code) => {
    await expect(captured(image)).rejects.toMatchObject({ code })
    expect(await images()).toEqual([])
  })

  test('is gone once it is removed, at the hypervisor too', async () => {
    await captured()

    await core.operations.perform(removeImage, await core.as('alice'), { name: 'webafs' })
    await core.settle()

    expect(await images()).toEqual([])
    expect(await inFarm()).toEqual([])
  })

  test('is not made of a guest that does not shut down, which goes on running', async () => {
    const outage = { code: 'guest_ignored', transient: true } as const
    core.hypervisor.fault({ on: 'shutdown', times: 3, outage })

    await captured()
    await core.pass(300_000)

    expect(await images()).toEqual([])
    expect((await shown(core)).state).toBe('running')
    expect(core.told.notices.at(-1)?.notice.text).toContain('No image was made of webafs20')
  })
})

describe('copies of a machine', () => {
  test('are one request, made as soon as image and approval are there, and the image goes with it', async () => {
    const { request } = await cloned({ count: 3, days: 30 })
    await approved(request.id)

    const copies = (await mine()).filter(({ name }) => name !== 'webafs20')
    expect(copies.map(({ state, budget }) => `${state} ${budget ?? ''}`)).toEqual(
      Array(3).fill('running T-1042'),
    )
    expect(await images()).toEqual([])
    expect(await inFarm()).toEqual([])
  })

  test('that are approved before their image is ready wait for it', async () => {
    const { request } = await cloned({ days: 30, name: 'webafs21' })
    await core.operations.perform(approveRequest, await core.as('bob'), { id: request.id })
    expect((await shown(core, 'webafs21')).state).toBe('provisioning')

    await core.settle()

    expect((await shown(core, 'webafs21')).state).toBe('running')
  })

  test('whose image cannot be made fail, and their money is back', async () => {
    core.hypervisor.fault({ on: 'capture', outage: { code: 'hypervisor_refused', transient: false } })
    const before = await core.operations.perform(showBudget, await core.as('bob'), { code: 'T-1042' })
    const { request } = await cloned({ days: 60, name: 'webafs21' })
    await core.operations.perform(approveRequest, await core.as('bob'), { id: request.id })

    await core.settle()

    expect((await shown(core, 'webafs21')).state).toBe('failed')
    const after = await core.operations.perform(showBudget, await core.as('bob'), { code: 'T-1042' })
    expect(after.held).toBe(before.held)
    expect((await shown(core)).state).toBe('running')
  })

  test('that nobody agrees to leave no image behind', async () => {
    const { request } = await cloned({ days: 30 })
    const reason = 'one is enough'

    await core.operations.perform(denyRequest, await core.as('bob'), { id: request.id, reason })
    await core.settle()

    expect(await images()).toEqual([])
    expect(await inFarm()).toEqual([])
  })

  test('onto another template are a test environment: isolated, short, with the disk of the original beside', async () => {
    const { request } = await cloned({ template: 'w2008r2', name: 'webafs-test' })
    await approved(request.id)

    const made = await shown(core, 'webafs-test')
    expect(made).toMatchObject({ state: 'running', template: 'w2008r2', isolated: true })
    expect(made.expiresAt?.slice(0, 10)).toBe('2026-12-07')
    const [farm] = (await disks()).filter((machine) => machine?.name === 'webafs-test')
    expect(farm?.data).toMatch(/^slc5 > vm/)
  })
})
