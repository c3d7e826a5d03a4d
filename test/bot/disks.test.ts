import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { demoConfig } from '../operations/core.ts'
import { giveServer, openRig, type Rig } from './rig.ts'

let rig: Rig
let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'jackdaw-library-'))
  await mkdir(join(folder, 'alice'))
  await writeFile(join(folder, 'alice', 'Old.vhdx'), 'jackdaw simulated disk\nold machine\n')
  rig = await openRig(await demoConfig((yaml) => `${yaml}\nlibrary: { folder: ${folder} }\n`))
})
afterEach(async () => {
  await rig.close()
  await rm(folder, { recursive: true, force: true })
})

test('a disk is taken in by a line, and written out by another', async () => {
  const [taken] = await rig.say('alice', 'import Old.vhdx as image old template slc5')
  await rig.settle()
  const [written] = await rig.say('alice', 'export old old.vhd')
  await rig.settle()

  expect(taken?.summary).toContain('Old.vhdx is being taken in as image old')
  expect(written?.summary).toContain('old is being written to old.vhd')
  expect((await readdir(join(folder, 'alice'))).sort()).toEqual(['Old.vhdx', 'old.vhd'])
})

test('whoever does not say which is asked', async () => {
  const [files] = await rig.say('alice', 'import')
  const [images] = await rig.say('alice', 'export')

  expect(files?.summary).toBe('Which file? Say: import Old.vhdx')
  expect(images?.summary).toContain('There is no image of yours.')
})

test('what a server does now is shown in figures, with its adapter', async () => {
  await giveServer(rig, 'webafs20')

  const [card] = await rig.say('alice', 'properties webafs20')

  expect(card?.title).toBe('webafs20 now')
  expect(JSON.stringify(card)).toMatch(/"[0-9a-f]{2}(:[0-9a-f]{2}){5}"/)
})

test('a stranger is told nothing of it', async () => {
  await giveServer(rig, 'webafs20')

  const [card] = await rig.say('carol', 'figures webafs20')

  expect(card?.summary).toContain('There is no machine webafs20')
})
