import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { openRegistrars, RegistrationRule } from '../../src/registration/open.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'jackdaw-registration-'))
})
afterEach(() => rm(folder, { recursive: true }))

const secret = 'c2VjcmV0IG9mIGEgbmFtZSBzZXJ2ZXI='

function opened(secrets: { dns: object; webhook: object }, env: Record<string, string> = {}) {
  const rules = [
    { kind: 'dns', server: 'ns1', zone: 'example.test', key: { name: 'k', secret: secrets.dns } },
    { kind: 'webhook', url: 'https://lan.example.org/in', secret: secrets.webhook },
  ].map((rule) => RegistrationRule.parse(rule))
  return openRegistrars(rules, { env, clock: systemClock })
}

test('registrations are opened in the order of the file, with secrets of a file and of the environment', async () => {
  const file = join(folder, 'dns.key')
  await writeFile(file, `${secret}\n`)

  const found = await opened(
    { dns: { file }, webhook: { env: 'LAN' } },
    { LAN: 'a secret that is long enough' },
  )

  expect(found.map(({ name }) => name)).toEqual([
    'the name server ns1',
    'the registration at lan.example.org',
  ])
})

test.each([
  ['a variable that is not set', { env: 'NOWHERE' }, 'The variable NOWHERE holds no secret.'],
  ['a file that is not there', { file: '/nowhere/dns.key' }, 'The file /nowhere/dns.key cannot be read.'],
])('%s is said, and the service does not start', async (_what, dns, message) => {
  await expect(
    opened({ dns, webhook: { env: 'LAN' } }, { LAN: 'a secret that is long enough' }),
  ).rejects.toMatchObject({
    ...{ code: 'secret_missing', message },
  })
})

test.each([
  ['a secret in the file itself', { kind: 'webhook', url: 'https://lan.example.org', secret: 'plain' }],
  [
    'an address that is none of the web',
    { kind: 'webhook', url: 'file:///etc/passwd', secret: { env: 'A' } },
  ],
  [
    'a zone that is none',
    { kind: 'dns', server: 'ns1', zone: 'a b', key: { name: 'k', secret: { env: 'A' } } },
  ],
  [
    'a server with a line end',
    { kind: 'dns', server: 'ns1\nsend', zone: 'a', key: { name: 'k', secret: { env: 'A' } } },
  ],
])('%s is no rule', (_what, rule) => {
  expect(RegistrationRule.safeParse(rule).success).toBe(false)
})
