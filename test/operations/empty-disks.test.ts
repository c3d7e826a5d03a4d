import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { editRequest } from '../../src/operations/edit-request.ts'
import { importDisk } from '../../src/operations/import-disk.ts'
import { listTemplates } from '../../src/operations/list-templates.ts'
import { requestMachine } from '../../src/operations/request-machine.ts'
import { demoConfig } from './core.ts'
import { ordered, shown } from './ordered.ts'
import { buttonsOf, formOf, openRig, type Rig } from '../bot/rig.ts'

const templates = `templates:
  - { name: empty, title: Empty disk, kind: empty, os: other, cpus: { default: 1, max: 4 }, memoryGb: { default: 1, max: 8 }, diskGb: { default: 10, max: 100 } }
  - { name: own, title: A disk of your own, kind: import, os: other, cpus: { default: 1, max: 4 }, memoryGb: { default: 1, max: 8 } }
`
let rig: Rig
let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'jackdaw-library-'))
  await mkdir(join(folder, 'alice'))
  rig = await openRig(
    await demoConfig((yaml) =>
      `${yaml}\nlibrary: { folder: ${folder} }\n`
        .replace('templates:\n', templates)
        .replace('    stage: PT0.2S', '    stage: PT0.2S\n    discs: { debian: /isos/debian.iso }'),
    ),
  )
})
afterEach(async () => {
  await rig.close()
  await rm(folder, { recursive: true, force: true })
})

const asked = async (wish: object) =>
  rig.operations.perform(requestMachine, await rig.as('alice'), {
    ...{ template: 'empty', days: 30, budget: 'T-1042', purpose: 'to try' },
    ...wish,
  })
const inFarm = async () => {
  const machine = await rig.store.read((tx) => tx.machines.get('webafs20'))
  return rig.hypervisor.machine(machine?.ref ?? '')
}

describe('an empty disk', () => {
  test('is made as large as it is asked for, and boots from the disc that is named', async () => {
    await ordered(rig, { template: 'empty', diskGb: 40, boot: 'debian' })

    expect((await shown(rig)).blank).toEqual({ gb: 40, boot: 'debian' })
    expect((await inFarm())?.disk).toContain('an empty disk, from debian')
  })

  test('is shown to whoever approves it, and stays as it was when the rest is changed', async () => {
    const { id, wanted } = await asked({ diskGb: 40 })

    const edited = await rig.operations.perform(editRequest, await rig.as('alice'), { id, cpus: 2 })
    const [card] = await rig.say('bob', `show ${id}`)

    expect(wanted?.disk).toEqual({ gb: 40, boot: 'network' })
    expect(edited.wanted?.disk).toEqual({ gb: 40, boot: 'network' })
    expect(JSON.stringify(card)).toContain('with an empty disk of 40 GB that boots from the network')
  })

  test('is asked for in a line', async () => {
    const line =
      'request empty disk 20gb boot debian for 30d budget T-1042 name webafs20 why "to install it myself"'

    const [card] = await rig.say('alice', line)

    expect(card?.tone).not.toBe('warn')
    const [request] = await rig.store.read((tx) => tx.requests.find('requester', 'alice'))
    expect(request?.ask).toMatchObject({ blank: { diskGb: 20, disc: 'debian' } })
  })

  test('is asked about in the form of its template alone', async () => {
    const [empty] = await rig.say('alice', 'request empty')
    const [other] = await rig.say('alice', 'request slc5')

    const names = (card: typeof empty) => formOf(card).fields.map(({ name }) => name)
    expect(names(empty)).toEqual(expect.arrayContaining(['diskGb', 'boot']))
    expect(names(other)).not.toContain('diskGb')
    expect(buttonsOf(other)).toEqual([])
  })

  test.each([
    [{ diskGb: 101 }, 'bad_size'],
    [{ boot: 'windows' }, 'not_found'],
    [{ boot: '../debian' }, 'invalid_input'],
    [{ template: 'slc5', diskGb: 20 }, 'invalid_input'],
  ])('with %o is refused: %s', async (wish, code) => {
    await expect(asked(wish)).rejects.toMatchObject({ code })
  })
})

describe('a disk of their own', () => {
  test('has to be taken in first, which a refusal says', async () => {
    await expect(asked({ template: 'own' })).rejects.toThrow('take a file in first')
  })

  test('is what a machine is made from, and its template is found by itself', async () => {
    await writeFile(join(folder, 'alice', 'old.vhdx'), 'jackdaw simulated disk\nold machine\n')
    const alice = await rig.as('alice')
    await rig.operations.perform(importDisk, alice, { file: 'old.vhdx' })
    await rig.settle()

    const refused = asked({ template: 'own' })
    await expect(refused).rejects.toMatchObject({ extras: { suggestions: ['old'] } })
    await ordered(rig, { template: 'old' })

    expect(await shown(rig)).toMatchObject({ template: 'own', image: 'old', blank: null })
    expect((await inFarm())?.disk).toContain('old machine')
  })
})

test('templates say of what kind they are', async () => {
  const { items } = await rig.operations.perform(listTemplates, await rig.as('alice'), {})

  expect(items.map(({ name, kind }) => [name, kind]).slice(0, 3)).toEqual([
    ['empty', 'empty'],
    ['own', 'import'],
    ['slc5', 'image'],
  ])
})
