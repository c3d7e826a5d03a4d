import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Directory } from '../../src/identity/directory.ts'
import { LdapRule } from '../../src/identity/ldap/rule.ts'
import { IdentityRule, openDirectory } from '../../src/identity/open.ts'
import { component } from '../components.ts'
import { directoryContract } from '../contracts/directory-contract.ts'
import { dnOf, groupDnOf, type Slapd, startSlapd } from './slapd.ts'

const found = await component('slapd', { install: true })
const remedy = found.available ? '' : ` (missing: ${found.remedy})`
const aKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g dora@laptop'
const patience = () => new AbortController().signal

let folder: string
let slapd: Slapd
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'jackdaw-ldap-'))
  if (!found.available) return
  const person = (user: string, name: string, email?: string) => ({
    ...{ user, name, password: `${user}-Straße` },
    ...(email === undefined ? {} : { email }),
  })
  slapd = await startSlapd(
    found.path,
    [
      person('Alice', 'Alice', 'alice@example.org'),
      person('carol', 'Carol', 'carol@example.org'),
      person('bob', 'Bob'),
      { ...person('dora', 'Dora'), note: aKey },
      { ...person('eve', 'Eve'), note: 'command="/bin/sh" ssh-ed25519 AAAA' },
    ].map((one) => ({ ...one, password: `${one.user.toLowerCase()}-Straße` })),
    {
      Developers: [dnOf('Alice'), dnOf('carol')],
      'web-services': [dnOf('Alice')],
      inner: [dnOf('dora')],
      middle: [groupDnOf('inner')],
      // It holds itself, as directories do once somebody is careless.
      outer: [groupDnOf('middle'), groupDnOf('outer')],
    },
  )
  await writeFile(join(folder, 'password'), `${slapd.bindPassword}\n`)
})
afterAll(async () => {
  if (found.available) await slapd.stop()
  await rm(folder, { recursive: true })
})

function ruleFor(changes: Partial<Record<keyof LdapRule, unknown>> = {}) {
  return IdentityRule.parse({
    ldap: {
      url: slapd.url,
      caFile: slapd.ca,
      baseDn: slapd.baseDn,
      bindDn: slapd.bindDn,
      bindPasswordFile: join(folder, 'password'),
      rememberSeconds: 0,
      ...changes,
    },
  })
}

async function withDirectory<T>(
  changes: Parameters<typeof ruleFor>[0],
  work: (directory: Directory) => Promise<T>,
): Promise<T> {
  const directory = await openDirectory(ruleFor(changes))
  try {
    return await work(directory)
  } finally {
    await directory.close()
  }
}

describe.runIf(found.available)(`beside OpenLDAP${remedy}`, () => {
  directoryContract('OpenLDAP over TLS', async () => ({
    directory: await openDirectory(ruleFor()),
    close: () => Promise.resolve(),
  }))

  test('groups hold groups, however deep, and even themselves', async () => {
    const [dora, outer] = await withDirectory({}, (directory) =>
      Promise.all([directory.find('dora'), directory.members('outer')]),
    )

    expect(dora?.groups).toEqual(['inner', 'middle', 'outer'])
    expect(outer.map(({ user }) => user)).toEqual(['dora'])
  })

  test('people are found by their address, and by the chat account that the directory gives them', async () => {
    const accountAttributes = { mattermost: 'cn' }
    const answers = await withDirectory({ accountAttributes }, (directory) =>
      Promise.all([
        directory.withEmail('ALICE@example.org'),
        directory.withEmail('*'),
        directory.withAccount('mattermost', 'Dora'),
        directory.withAccount('slack', 'Dora'),
        directory.accountsOf('dora'),
      ]),
    )

    const [byEmail, anything, byAccount, elsewhere, accounts] = answers
    expect(byEmail.map(({ user }) => user)).toEqual(['alice'])
    expect(anything).toEqual([])
    expect(byAccount.map(({ user }) => user)).toEqual(['dora'])
    expect(elsewhere).toEqual([])
    expect(accounts).toEqual({ mattermost: 'Dora' })
  })

  test("people's keys are those of their entry, and what is no key is left out", async () => {
    const keys = await withDirectory({ keyAttribute: 'description' }, (directory) =>
      Promise.all(['dora', 'eve', 'bob', 'nobody'].map((user) => directory.keysOf(user))),
    )

    expect(keys).toEqual([[aKey], [], [], []])
  })

  test('many who ask at once share one connection', async () => {
    let connections = 0
    const front = createServer((socket) => {
      connections += 1
      const behind = connect(Number(new URL(slapd.plainUrl).port), '127.0.0.1')
      socket.pipe(behind).pipe(socket)
      for (const end of [socket, behind]) end.on('error', () => end.destroy())
    }).listen(0, '127.0.0.1')
    await once(front, 'listening')
    const address = front.address()
    const port = typeof address === 'object' ? address?.port : 0

    const found = await withDirectory({ url: `ldap://127.0.0.1:${port}` }, (directory) =>
      Promise.all(Array.from({ length: 50 }, () => directory.find('dora'))),
    )

    front.close()
    expect(found.every((person) => person?.user === 'dora')).toBe(true)
    expect(connections).toBe(1)
  })

  test('a plain connection is made safe before a password goes over it', async () => {
    const person = await withDirectory({ url: slapd.plainUrl, startTls: true }, (directory) =>
      directory.authenticate('alice', 'alice-Straße', patience()),
    )

    expect(person?.user).toBe('alice')
  })

  test.each([
    ['a certificate that nobody vouches for', { caFile: undefined }, 'directory_unreachable', true],
    ['a wrong password of our own', { bindDn: 'cn=other,dc=lab,dc=test' }, 'directory_refused', false],
    ['a directory that is not there', { url: 'ldaps://127.0.0.1:1' }, 'directory_unreachable', true],
  ])('%s is an outage, not a wrong password', async (_, changes, code, transient) => {
    const attempt = withDirectory(changes, (directory) =>
      directory.authenticate('alice', 'alice-Straße', patience()),
    )

    await expect(attempt).rejects.toMatchObject({ code, transient })
  })

  test('people of the file come before those of the directory', async () => {
    const rule = IdentityRule.parse({
      ...ruleFor(),
      local: [{ user: 'alice', name: 'Alice of the file', password: 'local', groups: ['inner'] }],
    })
    const directory = await openDirectory(rule)

    const [alice, theirs, dora, inner] = await Promise.all([
      directory.authenticate('alice', 'local', patience()),
      directory.authenticate('alice', 'alice-Straße', patience()),
      directory.authenticate('dora', 'dora-Straße', patience()),
      directory.members('inner'),
    ])

    await directory.close()
    expect(alice?.name).toBe('Alice of the file')
    expect(theirs).toBeUndefined()
    expect(dora?.user).toBe('dora')
    expect(inner.map(({ user }) => user)).toEqual(['alice', 'dora'])
  })
})

test.each([
  ['ldap://dc1.example.org', false],
  ['ldaps://dc1.example.org', true],
  ['ldap://127.0.0.1:10389', true],
  ['ldap://user:secret@127.0.0.1', false],
])('%s may carry passwords: %s', (url, may) => {
  const rule = { url, baseDn: 'dc=x', bindDn: 'cn=x', bindPasswordFile: 'x' }

  expect(LdapRule.safeParse(rule).success).toBe(may)
})
