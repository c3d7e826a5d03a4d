import { verify } from '@node-rs/argon2'
import { expect, test } from 'vitest'
import { hashPassword, local, LocalUser } from '../../src/identity/local.ts'
import { openDirectory } from '../../src/identity/open.ts'
import { directoryContract } from '../contracts/directory-contract.ts'

const people = [
  { user: 'Alice', name: 'Alice', email: 'alice@example.org', groups: ['Developers', 'web-services'] },
  { user: 'carol', name: 'Carol', email: 'carol@example.org', groups: ['developers'] },
  { user: 'bob', name: 'Bob' },
]

async function withHash(person: (typeof people)[number]): Promise<LocalUser> {
  return LocalUser.parse({
    ...person,
    passwordHash: await hashPassword(`${person.user.toLowerCase()}-Straße`),
  })
}

async function withPassword(person: (typeof people)[number]): Promise<LocalUser> {
  return LocalUser.parse({ ...person, password: `${person.user.toLowerCase()}-Straße` })
}

const nothingToClose = () => Promise.resolve()

directoryContract('a file of password hashes', async () => ({
  directory: await openDirectory({ local: await Promise.all(people.map(withHash)) }),
  close: nothingToClose,
}))

directoryContract('a file of readable passwords', async () => ({
  directory: await openDirectory({ local: await Promise.all(people.map(withPassword)) }),
  close: nothingToClose,
}))

test('a hash is argon2id, salted anew, and what the file accepts', async () => {
  const [first, second] = await Promise.all([hashPassword('secret'), hashPassword('secret')])

  expect(first).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  expect(first).not.toBe(second)
  await expect(verify(first, 'secret')).resolves.toBe(true)
  expect(LocalUser.safeParse({ ...people[0], passwordHash: first }).success).toBe(true)
})

test('somebody unknown costs as much as somebody known where passwords are hashed', async () => {
  const directory = local([await withHash({ user: 'alice', name: 'Alice' })])
  const signal = new AbortController().signal
  const timed = async (user: string) => {
    const before = performance.now()
    await directory.authenticate(user, 'guess', signal)
    return performance.now() - before
  }

  const rounds: { known: number; unknown: number }[] = []
  for (let i = 0; i < 8; i++) rounds.push({ known: await timed('alice'), unknown: await timed('mallory') })

  // Without the decoy it is hundreds of times less. The quickest of eight is what a busy machine disturbs least.
  const quickest = (kind: 'known' | 'unknown') => Math.min(...rounds.map((round) => round[kind]))
  expect(quickest('unknown')).toBeGreaterThan(quickest('known') / 4)
})

test('the password of the first person opens no door for somebody unknown', async () => {
  const directory = local([await withHash({ user: 'alice', name: 'Alice' })])

  const person = await directory.authenticate('mallory', 'alice-Straße', new AbortController().signal)

  expect(person).toBeUndefined()
})

test('somebody with a readable password beside hashed ones signs in with theirs only', async () => {
  const directory = local([
    await withHash({ user: 'alice', name: 'Alice' }),
    await withPassword({ user: 'bob', name: 'Bob' }),
  ])
  const signal = new AbortController().signal

  const right = await directory.authenticate('bob', 'bob-Straße', signal)
  const wrong = await directory.authenticate('bob', 'alice-Straße', signal)

  expect([right?.user, wrong]).toEqual(['bob', undefined])
})
