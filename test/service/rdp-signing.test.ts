import { X509Certificate } from 'node:crypto'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { randomIds } from '../../src/base/ids.ts'
import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import type { Config } from '../../src/config.ts'
import { openRdpFiles } from '../../src/main/rdp-files.ts'
import type { Store } from '../../src/store/store.ts'
import { memoryFiles } from '../fakes/memory-files.ts'
import { demoConfig } from '../operations/core.ts'
import { openOn } from '../store/opened.ts'

let folder: string
let store: Store
let config: Config
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'jackdaw-signing-'))
  store = await openOn(memoryFiles(), { clock: systemClock })
  config = await demoConfig()
})
afterEach(async () => {
  await store.close()
  await rm(folder, { recursive: true })
})

const at = (name: string): string => join(folder, name)
const open = (rdp: Partial<Config['rdp']> = {}) =>
  openRdpFiles(
    { ...config, rdp: { ...config.rdp, ...rdp } },
    { store, clock: systemClock, ids: randomIds, log: silentLog },
  )

test('a site without a certificate of its own signs with the one that was made at its first start', async () => {
  const [first, second] = [await open(), await open()]

  expect(second.signer.certificate).toBe(first.signer.certificate)
  expect(new X509Certificate(first.signer.certificate).subject).toBe(
    'CN=CERN Virtual Infrastructure (demo) (RDP files)',
  )
})

test('files that are named and not there are made, and used from then on; nobody else reads the key', async () => {
  const signing = { certificate: at('rdp.crt'), key: at('rdp.key') }

  const [first, second] = [await open({ signing }), await open({ signing })]

  expect(second.signer.thumbprint).toBe(first.signer.thumbprint)
  expect(await readFile(at('rdp.crt'), 'utf8')).toBe(first.signer.certificate)
  expect((await stat(at('rdp.key'))).mode & 0o077).toBe(0)
})

test.each([
  ['a certificate without its key', 'rdp.crt', '', 'rdp.key is missing'],
  ['something else for a certificate', 'rdp.crt', 'key', 'no certificate in it'],
])('%s stops the start', async (_, name, rest, why) => {
  await writeFile(at(name), 'nothing')
  if (rest !== '') await writeFile(at('rdp.key'), 'nothing')

  const opening = open({ signing: { certificate: at('rdp.crt'), key: at('rdp.key') } })

  await expect(opening).rejects.toMatchObject({ code: 'rdp_signing_unusable', transient: false })
  await expect(opening).rejects.toThrow(why)
})

test('a gateway whose key is too short stops the start', async () => {
  await writeFile(at('rdpgw.key'), 'short')
  const gateway = { address: 'gw.example.org:443', keyFile: at('rdpgw.key'), bindClient: true }

  await expect(open({ gateway })).rejects.toMatchObject({ code: 'rdp_gateway_unusable' })
})
