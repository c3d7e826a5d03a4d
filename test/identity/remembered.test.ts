import { expect, test } from 'vitest'
import { Outage, Refusal } from '../../src/base/errors.ts'
import { accountTrouble } from '../../src/identity/ldap/reasons.ts'
import { local, LocalUser } from '../../src/identity/local.ts'
import { remembered } from '../../src/identity/remembered.ts'
import { signIn } from '../../src/identity/sign-in.ts'
import { throttle } from '../../src/identity/throttle.ts'

const alice = LocalUser.parse({ user: 'alice', name: 'Alice', password: 'alice' })
const memory = { freshMillis: 1_000, staleMillis: 10_000, most: 2 }

/** A directory that counts how often it is asked, and may be down. */
function asked() {
  let now = 0
  const inner = local([alice])
  const seen: string[] = []
  const state = { isDown: false }
  const find = async (user: string) => {
    seen.push(user)
    if (state.isDown) throw new Outage('directory_unreachable', 'down', { transient: true })
    return inner.find(user)
  }
  const directory = remembered({ ...inner, find }, memory, () => now)
  return { directory, seen, state, pass: (millis: number) => (now += millis) }
}

test('an answer is used again while it is fresh, whatever the case of the name', async () => {
  const { directory, seen, pass } = asked()

  await Promise.all([directory.find('alice'), directory.find('Alice')])
  pass(999)
  await directory.find('alice')
  pass(1)
  await directory.find('alice')

  expect(seen).toEqual(['alice', 'alice'])
})

test('while the directory is down, what it said last holds for a while', async () => {
  const { directory, state, pass } = asked()
  await directory.find('alice')
  state.isDown = true

  pass(9_999)
  const person = await directory.find('alice')
  pass(1)

  expect(person?.user).toBe('alice')
  await expect(directory.find('alice')).rejects.toMatchObject({ code: 'directory_unreachable' })
  await expect(directory.find('bob')).rejects.toMatchObject({ code: 'directory_unreachable' })
})

test('it forgets who was asked about longest ago', async () => {
  const { directory, seen } = asked()

  for (const user of ['alice', 'bob', 'carol', 'alice']) await directory.find(user)

  expect(seen).toEqual(['alice', 'bob', 'carol', 'alice'])
})

test.each([
  ['532', 'has expired'],
  ['533', 'switched off'],
  ['773', 'must change your password'],
  ['775', 'locked'],
])('code %s of Active Directory is said in words: %s', (data, words) => {
  const message = `80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data ${data}, v2580`

  const trouble = accountTrouble(message)

  expect(trouble?.code).toBe('account_unusable')
  expect(trouble?.message).toContain(words)
})

test('a wrong password and an unknown account are told apart by nothing', () => {
  const messages = ['data 52e, v1db1', 'data 525, v1db1', 'Invalid Credentials']

  expect(messages.map(accountTrouble)).toEqual([undefined, undefined, undefined])
})

test('whoever is told what is the matter with an account is slowed down like anybody who guesses', async () => {
  const trouble = accountTrouble('data 775')
  const directory = { ...local([alice]), authenticate: () => Promise.reject(trouble ?? new Error('none')) }
  const clock = { now: () => '2026-03-02T08:00:00.000Z' }
  const passwords = signIn({ directory, throttle: throttle(), clock })
  const attempt = () =>
    passwords.check({ user: 'alice', password: 'x', address: '192.0.2.1' }, new AbortController().signal)

  const codes: unknown[] = []
  for (let i = 0; i < 10; i++) {
    codes.push(await attempt().catch((error: unknown) => (error instanceof Refusal ? error.code : error)))
  }

  expect(codes[0]).toBe('account_unusable')
  expect(codes.at(-1)).toBe('too_many_attempts')
})
