import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { seedDisc, seedFiles } from '../../src/hypervisors/seed/disc.ts'
import type { Guest } from '../../src/hypervisors/seed/guest.ts'
import { component } from '../components.ts'
import { never } from './simulated.ts'

const run = promisify(execFile)
const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g alice@laptop'

function aGuest(changes: Partial<Guest> = {}): Guest {
  const administrators = [
    { user: 'alice', keys: [key] },
    { user: 'bob', keys: [] },
  ]
  return { ref: 'vm-1', name: 'webafs20', os: 'linux', administrators, ...changes }
}

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'jackdaw-seeds-'))
})
afterAll(() => rm(folder, { recursive: true }))

const xorriso = await component('xorriso', { install: true })
const remedyOf = (found: typeof xorriso) => (found.available ? '' : ` (missing: ${found.remedy})`)

describe.runIf(xorriso.available)(`beside xorriso${remedyOf(xorriso)}`, () => {
  test.each(['nocloud', 'unattend'] as const)(
    'a disc for %s holds its files as they were written',
    async (kind) => {
      const [disc, out] = [join(folder, `${kind}.iso`), join(folder, kind)]
      const files = seedFiles(aGuest({ os: kind === 'nocloud' ? 'linux' : 'windows' }), kind)

      await writeFile(disc, await seedDisc(files, never))
      const words = ['-indev', disc, '-pvd_info', '-osirrox', 'on', '-extract', '/', out]
      const { stdout } = await run('xorriso', words)

      const read = await Promise.all(
        (await readdir(out)).map(async (name) => [name, await readFile(join(out, name), 'utf8')] as const),
      )
      expect(Object.fromEntries(read)).toEqual(files)
      expect(stdout).toMatch(/^Volume Id +: CIDATA$/m)
    },
  )

  test('nothing of it is left behind, even when it is broken off', async () => {
    const left = async () => (await readdir(tmpdir())).filter((name) => name.startsWith('jackdaw-seed-'))
    const before = await left()
    const stop = AbortSignal.abort(new Error('the deadline has passed'))

    const making = seedDisc(seedFiles(aGuest(), 'nocloud'), stop)

    await expect(making).rejects.toThrow('the deadline has passed')
    expect(await left()).toEqual(before)
  })
})

// Not installed by a test: on a machine that is no test machine it would have a say in the next boot.
const cloudInit = await component('cloudInit', { install: false })

describe.runIf(cloudInit.available)(`beside cloud-init${remedyOf(cloudInit)}`, () => {
  test.each([
    ['people with and without a key', aGuest()],
    ['nobody', aGuest({ administrators: [] })],
  ])("%s are what cloud-init's own schema takes", async (_, guest) => {
    const file = join(folder, 'user-data')
    await writeFile(file, seedFiles(guest, 'nocloud')['user-data'] ?? '')

    // It ends with 1 for what it takes as well; what it says is what counts.
    const said = await run('sh', ['-c', 'cloud-init schema --config-file "$0" || true', file])

    expect(said.stdout).toContain('Valid cloud-config')
  })
})

const xmllint = await component('xmllint', { install: true })

test.runIf(xmllint.available)(
  `an answer file is XML with the name of the computer${remedyOf(xmllint)}`,
  async () => {
    const file = join(folder, 'Unattend.xml')
    await writeFile(
      file,
      seedFiles(aGuest({ os: 'windows', name: 'a-name-of-twenty-one-x' }), 'unattend')['Unattend.xml'] ?? '',
    )

    const { stdout } = await run('xmllint', ['--xpath', 'string(//*[local-name()="ComputerName"])', file])

    // NetBIOS takes fifteen letters of it.
    expect(stdout.trim()).toBe('a-name-of-twent')
  },
)

test.each<[string, Partial<Guest>]>([
  ['a name with a line end', { name: 'web\nruncmd' }],
  ['an account with a line end', { administrators: [{ user: 'alice\nroot', keys: [] }] }],
  ['an account that begins like an option', { administrators: [{ user: '-o', keys: [] }] }],
  ['a key with an option', { administrators: [{ user: 'alice', keys: [`command="/bin/sh" ${key}`] }] }],
  ['a key of two lines', { administrators: [{ user: 'alice', keys: [`${key}\n${key}`] }] }],
])('%s is refused, on Linux and on Windows', (_, changes) => {
  const onLinux = () => seedFiles(aGuest(changes), 'nocloud')
  const onWindows = () => seedFiles(aGuest({ ...changes, os: 'windows' }), 'unattend')

  for (const told of [onLinux, onWindows]) expect(told).toThrow(/cannot be the name|no public key/)
})
