import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { keyFacts, PublicKey } from '../../src/identity/ssh-key.ts'
import { component } from '../components.ts'

const blob = 'AAAAC3NzaC1lZDI1NTE5AAAAIAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g'
const key = `ssh-ed25519 ${blob} alice@laptop`

test('a key is known by its type, its comment and the fingerprint that OpenSSH prints', () => {
  expect(keyFacts(key)).toEqual({
    type: 'ssh-ed25519',
    comment: 'alice@laptop',
    fingerprint: 'SHA256:mKqU+0K8OhKmA8bBQi9Rz0Q5l7/g160hIP+rJYSTNj4',
  })
})

test.each([
  ['an option before it', `command="/bin/sh" ${key}`],
  ['two lines', `${key}\nssh-ed25519 ${blob}`],
  ['a control character in its comment', `ssh-ed25519 ${blob} a\u0007b`],
  ['another type than the blob says', `ssh-rsa ${blob}`],
  ['a blob that was cut', `ssh-ed25519 ${blob.slice(0, 40)}`],
  ['a type that OpenSSH takes no more', `ssh-dss ${blob}`],
  ['characters that base64 has not', `ssh-ed25519 ${blob.slice(0, 60)}$(id)`],
  ['a secret key', '-----BEGIN OPENSSH PRIVATE KEY-----'],
  ['nothing', ''],
])('with %s it is refused', (_, line) => {
  expect(PublicKey.safeParse(line).success).toBe(false)
})

const found = await component('openssh', { install: true })

describe.runIf(found.available)(
  `beside OpenSSH${found.available ? '' : ` (missing: ${found.remedy})`}`,
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'jackdaw-keys-'))
    afterAll(() => rmSync(folder, { recursive: true }))

    test.each(['ed25519', 'ecdsa', 'rsa'])(
      'a new %s key is taken, and has the same fingerprint there',
      (type) => {
        const file = join(folder, type)
        execFileSync('ssh-keygen', ['-q', '-t', type, '-N', '', '-C', 'alice', '-f', file])
        const printed = execFileSync('ssh-keygen', ['-l', '-f', `${file}.pub`], { encoding: 'utf8' })

        const facts = keyFacts(readFileSync(`${file}.pub`, 'utf8').trim())

        expect(printed).toContain(`${facts?.fingerprint ?? 'none'} alice`)
      },
    )
  },
)
