import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Directory } from '../../src/identity/directory.ts'

/**
 * Who a directory must know before it is tried: Alice (alice@example.org) in `developers` and `web-services`, Carol
 * (carol@example.org) in `developers`, Bob (no e-mail address) in no group. The password of each is their account name
 * and `-Straße`.
 */
export interface DirectoryFixture {
  directory: Directory
  close(): Promise<void>
}

/** Somebody who waits as long as it takes. Each has a signal of their own, as each request to the service has. */
const patience = () => new AbortController().signal

/** What every directory must do. */
export function directoryContract(name: string, open: () => Promise<DirectoryFixture>): void {
  describe(`${name} is a directory`, () => {
    let fixture: DirectoryFixture
    let directory: Directory
    beforeAll(async () => {
      fixture = await open()
      directory = fixture.directory
    })
    afterAll(async () => {
      await directory.close()
      await fixture.close()
    })

    test('the right password gives the person', async () => {
      const person = await directory.authenticate('alice', 'alice-Straße', patience())

      expect(person).toEqual({
        user: 'alice',
        name: 'Alice',
        email: 'alice@example.org',
        groups: ['developers', 'web-services'],
      })
    })

    test.each([
      ['a wrong password', 'alice', 'alice'],
      ['the password of another', 'alice', 'carol-Straße'],
      ['another case of the password', 'alice', 'ALICE-STRASSE'],
      ['the right password and more', 'alice', 'alice-Straße '],
      // An LDAP server takes a bind without a password for an anonymous one, and agrees (RFC 4513 §5.1.2).
      ['no password', 'alice', ''],
      ['a password of a megabyte', 'alice', 'x'.repeat(1_000_000)],
      ['somebody unknown', 'mallory', 'mallory-Straße'],
      ['nobody', '', ''],
      ['a name that is a search expression', '*', 'alice-Straße'],
      ['a name that ends a search expression', 'alice)(uid=*', 'alice-Straße'],
      ['a name that objects have by themselves', 'constructor', 'constructor-Straße'],
    ])('%s gives nobody', async (_, user, password) => {
      const person = await directory.authenticate(user, password, patience())

      expect(person).toBeUndefined()
    })

    test('account names are compared without regard to case and given in lower case', async () => {
      const signedIn = await directory.authenticate('ALICE', 'alice-Straße', patience())
      const found = await directory.find('Alice')

      expect([signedIn?.user, found?.user]).toEqual(['alice', 'alice'])
    })

    test('accents typed in two keys are those typed in one', async () => {
      const person = await directory.authenticate('bob', 'bob-Straße'.normalize('NFD'), patience())

      expect(person?.user).toBe('bob')
    })

    test('people are found without their password, and nothing secret comes with them', async () => {
      const [bob, mallory] = [await directory.find('bob'), await directory.find('mallory')]

      expect(bob).toEqual({ user: 'bob', name: 'Bob', email: null, groups: [] })
      expect(mallory).toBeUndefined()
    })

    test.each([
      ['a group', 'Developers', ['alice', 'carol']],
      ['an account', 'BOB', ['bob']],
      ['neither', 'strangers', []],
      ['everything', '*', []],
    ])('the members of %s', async (_, group, expected) => {
      const members = await directory.members(group)

      expect(members.map(({ user }) => user).sort()).toEqual(expected)
    })

    test('many may sign in at once', async () => {
      const attempts = Array.from({ length: 20 }, (_, i) =>
        directory.authenticate(i % 2 === 0 ? 'alice' : 'mallory', 'alice-Straße', patience()),
      )

      const people = await Promise.all(attempts)

      expect(people.map((person) => person?.user ?? null)).toEqual(
        Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? 'alice' : null)),
      )
    })

    test('it does not answer whoever has stopped waiting', async () => {
      const gone = AbortSignal.abort(new Error('gone'))

      await expect(directory.authenticate('alice', 'alice-Straße', gone)).rejects.toThrow('gone')
    })

    test('it closes twice', async () => {
      const another = await open()

      await another.directory.close()
      await another.directory.close()
      await expect(another.close()).resolves.toBeUndefined()
    })
  })
}
