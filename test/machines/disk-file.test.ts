import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DiskFileName, type DiskFormat, diskFormats, inspectDisk } from '../../src/machines/disk-file.ts'
import { component } from '../components.ts'

const inspect = (format: DiskFormat, bytes: Buffer) =>
  inspectDisk(format, bytes.length, async (at, length) => bytes.subarray(at, at + length))

test.each(['web.qcow2', 'Old_Server-2.vhd', 'a.b.vhdx'])('%s may be the name of a file', (name) => {
  expect(DiskFileName.safeParse(name).success).toBe(true)
})

test.each([
  '../web.qcow2',
  'a/b.qcow2',
  'a\\b.vhd',
  '.hidden.qcow2',
  'web.raw',
  'web.qcow2\n',
  'web',
  '-o.vhd',
  '',
  'web .vhd',
])('"%s" may not', (name) => {
  expect(DiskFileName.safeParse(name).success).toBe(false)
})

test('no bytes whatever are taken for a disk by chance, and none stop the look', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...diskFormats),
      fc.uint8Array({ maxLength: 2048 }),
      async (format, bytes) => {
        expect(await inspect(format, Buffer.from(bytes))).toHaveProperty('fault')
      },
    ),
  )
})

const qemuImg = await component('qemuImg', { install: true })
const name = `disks that QEMU made${qemuImg.available ? '' : ` (needs: ${qemuImg.remedy})`}`

describe.skipIf(!qemuImg.available)(name, () => {
  let folder: string
  const file = (name: string) => join(folder, name)
  const run = async (...words: string[]) => {
    await promisify(execFile)(qemuImg.available ? qemuImg.path : '', words)
  }
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'jackdaw-disks-'))
    await run('create', '-q', '-f', 'qcow2', file('whole.qcow2'), '64M')
    await run('create', '-q', '-f', 'vpc', '-o', 'force_size=on', file('dynamic.vhd'), '64M')
    await run('create', '-q', '-f', 'vpc', '-o', 'subformat=fixed,force_size=on', file('fixed.vhd'), '8M')
    await run('create', '-q', '-f', 'vhdx', file('whole.vhdx'), '64M')
  })
  afterAll(() => rm(folder, { recursive: true }))

  test.each([
    ['qcow2', 'whole.qcow2', 64],
    ['vhd', 'dynamic.vhd', 64],
    ['vhd', 'fixed.vhd', 8],
    ['vhdx', 'whole.vhdx', 64],
  ] as const)('a whole %s (%s) is one of %i MB', async (format, name, megabytes) => {
    const found = await inspect(format, await readFile(file(name)))

    expect(found).toEqual({ bytes: megabytes << 20 })
  })

  test.each([
    ['that has another beneath it', ['-b', 'whole.qcow2', '-F', 'qcow2', 'top.qcow2']],
    ['whose data is in another file', ['-o', 'data_file=data.raw', 'split.qcow2', '1M']],
  ])('a qcow2 %s is refused', async (_what, words) => {
    const path = file(words.find((word) => /^(top|split)/.test(word)) ?? '')
    await promisify(execFile)(
      qemuImg.available ? qemuImg.path : '',
      ['create', '-q', '-f', 'qcow2', ...words],
      { cwd: folder },
    )

    expect(await inspect('qcow2', await readFile(path))).toEqual({
      fault: 'needs another file beside it, and only whole disks are taken',
    })
  })

  test('a differencing VHD is refused, and one whose checksum is another', async () => {
    const bytes = await readFile(file('fixed.vhd'))
    const footer = bytes.subarray(bytes.length - 512)
    footer.writeUInt32BE(4, 60)
    const damaged = await inspect('vhd', bytes)
    footer.writeUInt32BE(0, 64)
    footer.writeUInt32BE(~footer.reduce((sum, byte) => sum + byte, 0) >>> 0, 64)

    expect(damaged).toEqual({ fault: 'is damaged: its checksum is another' })
    expect(await inspect('vhd', bytes)).toHaveProperty('fault', expect.stringContaining('another file'))
  })

  test('a VHDX with a parent is refused', async () => {
    const bytes = await readFile(file('whole.vhdx'))
    const parameters = bytes.indexOf(Buffer.from('3767a1ca36fa434db3b633f0aa44e76b', 'hex'))
    const metadata = bytes.lastIndexOf('metadata', parameters)
    const at = metadata + bytes.readUInt32LE(parameters + 16)
    bytes.writeUInt32LE(bytes.readUInt32LE(at + 4) | 2, at + 4)

    expect(await inspect('vhdx', bytes)).toHaveProperty('fault', expect.stringContaining('another file'))
  })

  test.each([
    ['qcow2', 'whole.vhdx'],
    ['vhdx', 'dynamic.vhd'],
    ['vhd', 'whole.qcow2'],
  ] as const)('what is called %s and is %s is refused', async (format, name) => {
    const bytes = await readFile(file(name))
    await writeFile(file('copy'), bytes)

    expect(await inspect(format, bytes)).toHaveProperty('fault')
  })
})
