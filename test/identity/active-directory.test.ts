import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { IdentityRule, openDirectory } from '../../src/identity/open.ts'
import { component } from '../components.ts'
import { directoryContract } from '../contracts/directory-contract.ts'
import { type Samba, startSamba } from './samba.ts'

const found = await component('samba', { install: true })
const remedy = found.available ? '' : ` (missing: ${found.remedy})`
const patience = () => new AbortController().signal

let folder: string
let samba: Samba
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'jackdaw-ad-'))
  if (!found.available) return
  samba = await startSamba(found.path, async (tool) => {
    await tool('domain', 'passwordsettings', 'set', '--complexity=off', '--min-pwd-length=4')
    const people = [
      ['Alice', 'Alice', 'alice@example.org'],
      ['carol', 'Carol', 'carol@example.org'],
      ['bob', 'Bob', ''],
      ['dora', 'Dora', ''],
      ['eve', 'Eve', ''],
    ] as const
    for (const [user, name, email] of people) {
      const mail = email === '' ? [] : [`--mail-address=${email}`]
      await tool('user', 'create', user, `${user.toLowerCase()}-Straße`, `--given-name=${name}`, ...mail)
    }
    await tool('user', 'disable', 'eve')
    for (const group of ['Developers', 'web-services', 'inner', 'outer']) await tool('group', 'add', group)
    await tool('group', 'addmembers', 'Developers', 'Alice,carol')
    await tool('group', 'addmembers', 'web-services', 'Alice')
    await tool('group', 'addmembers', 'inner', 'dora')
    await tool('group', 'addmembers', 'outer', 'inner')
  })
  await writeFile(join(folder, 'password'), samba.administrator.password)
})
afterAll(async () => {
  if (found.available) await samba.stop()
  await rm(folder, { recursive: true })
})

async function open() {
  const { url, ca, baseDn, administrator } = samba
  const bind = { bindDn: administrator.dn, bindPasswordFile: join(folder, 'password') }
  return openDirectory(
    IdentityRule.parse({ ldap: { kind: 'ad', url, caFile: ca, baseDn, rememberSeconds: 0, ...bind } }),
  )
}

describe.runIf(found.available)(`beside Samba as Active Directory${remedy}`, () => {
  directoryContract('Active Directory', async () => ({
    directory: await open(),
    close: () => Promise.resolve(),
  }))

  test.each(['LAB\\alice', 'alice@ad.lab.test'])('somebody may call themselves %s', async (login) => {
    const directory = await open()

    const person = await directory.authenticate(login, 'alice-Straße', patience())

    await directory.close()
    expect(person?.user).toBe('alice')
  })

  test('groups hold groups', async () => {
    const directory = await open()

    const [dora, outer] = await Promise.all([directory.find('dora'), directory.members('outer')])

    await directory.close()
    expect(dora?.groups).toEqual(['inner', 'outer'])
    expect(outer.map(({ user }) => user)).toEqual(['dora'])
  })

  test('an account that is switched off is said to be, and is nobody to us', async () => {
    const directory = await open()

    const signIn = directory.authenticate('eve', 'eve-Straße', patience())

    await expect(signIn).rejects.toMatchObject({ code: 'account_unusable' })
    await expect(signIn).rejects.toThrow('switched off')
    await expect(directory.find('eve')).resolves.toBeUndefined()
    await directory.close()
  })
})
