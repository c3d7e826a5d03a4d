import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { captureMachine } from '../../src/operations/capture-machine.ts'
import { listDiskFiles, readDiskFile, removeDiskFile } from '../../src/operations/disk-files.ts'
import { exportImage } from '../../src/operations/export-image.ts'
import { importDisk } from '../../src/operations/import-disk.ts'
import { listImages } from '../../src/operations/list-images.ts'
import { removeImage } from '../../src/operations/remove-image.ts'
import { showJob } from '../../src/operations/show-job.ts'
import { type Core, demoConfig, openCore } from './core.ts'
import { ordered } from './ordered.ts'

let core: Core
let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'jackdaw-library-'))
  core = await openCore({ config: await demoConfig((yaml) => `${yaml}\nlibrary: { folder: ${folder} }\n`) })
  await mkdir(join(folder, 'alice'))
})
afterEach(async () => {
  await core.close()
  await rm(folder, { recursive: true, force: true })
})

const simulated = 'jackdaw simulated disk\nold machine\n'
const put = (name: string, text: string, user = 'alice') => writeFile(join(folder, user, name), text)
const images = async (user = 'alice') =>
  (await core.operations.perform(listImages, await core.as(user), {})).items
const files = async (user = 'alice', input = {}) =>
  (await core.operations.perform(listDiskFiles, await core.as(user), input)).items

async function imported(input: object = {}, user = 'alice') {
  const wish = { file: 'old.vhdx', template: 'slc5', ...input }
  const answer = await core.operations.perform(importDisk, await core.as(user), wish)
  await core.settle()
  return answer
}

async function exported(input: object = {}, user = 'alice') {
  const answer = await core.operations.perform(exportImage, await core.as(user), { name: 'old', ...input })
  await core.settle()
  return answer
}

const jobOf = async (id: string) => core.operations.perform(showJob, await core.as('alice'), { id })
const working = () => readdir(join(folder, '.work')).catch(() => [])

describe('a file of a disk', () => {
  test('becomes an image of whoever takes it in, and machines are made of it', async () => {
    await put('old.vhdx', simulated)

    const { image, job } = await imported()
    await ordered(core, { template: image, name: 'webafs20' })

    expect(await images()).toMatchObject([
      { name: 'old', state: 'ready', owner: 'alice', from: null, template: 'slc5', sizeGb: 10 },
    ])
    expect((await jobOf(job)).stages.map(({ name, state }) => [name, state])).toEqual([
      ['copying the file', 'done'],
      ['checking the disk', 'done'],
      ['taking it into the library', 'done'],
    ])
    const machine = await core.store.read((tx) => tx.machines.get('webafs20'))
    expect(core.hypervisor.machine(machine?.ref ?? '')?.disk).toContain('old machine')
    expect(await working()).toEqual([])
  })

  test('that is no disk says so on the image, which can be removed', async () => {
    await put('old.vhdx', 'not a disk')

    const { job } = await imported()

    expect((await jobOf(job)).state).toBe('failed')
    expect(await images()).toMatchObject([{ state: 'failed', failure: 'old.vhdx is no VHDX.' }])
    expect(await working()).toEqual([])
    await core.operations.perform(removeImage, await core.as('alice'), { name: 'old' })
    await core.settle()
    expect(await images()).toEqual([])
  })

  test('that leads elsewhere is not there', async () => {
    await writeFile(join(folder, 'secret.vhdx'), simulated)
    await symlink(join(folder, 'secret.vhdx'), join(folder, 'alice', 'old.vhdx'))

    await expect(imported()).rejects.toMatchObject({ code: 'not_found' })
    expect(await files()).toEqual([])
  })

  test.each(['../bob/old.vhdx', '/etc/passwd', 'old.raw', '.work/x.vhdx'])(
    'is not looked for as %s',
    async (file) => {
      await expect(imported({ file })).rejects.toMatchObject({ code: 'invalid_input' })
    },
  )

  test('of somebody else only an operator may take in', async () => {
    await put('old.vhdx', simulated)

    await expect(imported({ of: 'alice' }, 'carol')).rejects.toMatchObject({ code: 'forbidden' })
    await expect(imported({}, 'carol')).rejects.toMatchObject({ code: 'not_found' })
    await imported({ of: 'alice' }, 'olga')
    expect(await images('olga')).toMatchObject([{ name: 'old', owner: 'olga' }])
  })

  test.each([
    [{ template: 'slc6' }, 'unknown_template'],
    [{ template: undefined }, 'unknown_template'],
    [{ image: 'slc5' }, 'name_taken'],
    [{ image: 'No' }, 'bad_name'],
    [{ hypervisor: 'elsewhere' }, 'not_found'],
  ])('with %o is refused: %s', async (wish, code) => {
    await put('old.vhdx', simulated)

    await expect(imported(wish)).rejects.toMatchObject({ code })
  })
})

describe('an image', () => {
  beforeEach(async () => {
    await put('old.vhdx', simulated)
    await imported()
  })

  test('is written to a file of whoever asks, whole or not at all', async () => {
    const { file } = await exported()

    expect(file).toBe('old.qcow2')
    expect(await readFile(join(folder, 'alice', 'old.qcow2'), 'utf8')).toBe(simulated)
    expect((await files()).map(({ name }) => name).sort()).toEqual(['old.qcow2', 'old.vhdx'])
    expect(await working()).toEqual([])
  })

  test('is not written over a file that is there', async () => {
    await expect(exported({ file: 'old.vhdx' })).rejects.toMatchObject({ code: 'already_exists' })
  })

  test('that two want under one name goes to the first', async () => {
    const alice = await core.as('alice')
    const ask = () => core.operations.perform(exportImage, alice, { name: 'old', file: 'same.vhd' })
    const [first, second] = [await ask(), await ask()]

    await core.settle()

    expect((await jobOf(first.job)).state).toBe('done')
    expect(await jobOf(second.job)).toMatchObject({ state: 'failed' })
    expect(await working()).toEqual([])
  })

  test('of a machine goes out and comes in again', async () => {
    await ordered(core)
    await core.operations.perform(captureMachine, await core.as('alice'), { name: 'webafs20', image: 'web' })
    await core.settle()

    await exported({ name: 'web', format: 'vhd' })
    await imported({ file: 'web.vhd', image: 'web-again' })

    expect(await images()).toContainEqual(expect.objectContaining({ name: 'web-again', state: 'ready' }))
  })

  test('that is not theirs is not there for others', async () => {
    await expect(exported({}, 'carol')).rejects.toMatchObject({ code: 'not_found' })
  })
})

test('a file is deleted by its owner, and fetched by nobody else', async () => {
  await put('old.vhdx', simulated)
  const [alice, carol] = [await core.as('alice'), await core.as('carol')]

  const fetched = core.operations.perform(readDiskFile, carol, { name: 'old.vhdx', of: 'alice' })
  await expect(fetched).rejects.toMatchObject({ code: 'forbidden' })
  await core.operations.perform(removeDiskFile, alice, { name: 'old.vhdx' })
  await core.settle()

  expect(await files()).toEqual([])
})

test('a site without a folder for disks says so, with the remedy', async () => {
  const other = await openCore()

  const asked = other.operations.perform(listDiskFiles, await other.as('alice'), {})

  await expect(asked).rejects.toMatchObject({ code: 'wrong_state' })
  await expect(asked).rejects.toThrow('library:')
  await other.close()
})
