import { afterEach, describe, expect, test } from 'vitest'
import { type Accounts, openAccounts } from '../../bot/accounts.ts'
import type { ChatAccount } from '../../src/identity/chat-account.ts'
import { confirmLink, listLinks, showLinkOffer, unlinkAccount } from '../../src/operations/links.ts'
import { type Core, demoConfig, minute, openCore } from '../operations/core.ts'

let core: Core
afterEach(() => core.close())

/** A site whose file says this of chat accounts and of alice. */
async function open({ chat = '', alice = '', carol = 'carol@example.org' } = {}): Promise<Accounts> {
  const config = await demoConfig((yaml) =>
    yaml
      .replace('email: alice@example.org', `email: alice@example.org${alice}`)
      .replace('carol@example.org', carol)
      .replace('  web: true', `  web: true\n${chat}`),
  )
  core = await openCore({ config })
  const { operations } = core
  const personNamed = async (user: string) => core.as(user).catch(() => undefined)
  return openAccounts({ operations, site: config.site, personNamed })
}

function anAccount(facts: Partial<ChatAccount> = {}): ChatAccount {
  return {
    ...{ platform: 'slack', id: 'T1.U1', name: 'ally' },
    ...{ email: 'alice@example.org', directoryName: 'alice' },
    ...facts,
  }
}

async function confirm(accounts: Accounts, account: ChatAccount, user: string): Promise<string> {
  const token = tokenOf(await accounts.linkUrl(account))
  await core.operations.perform(confirmLink, await core.as(user), { token })
  return token
}

function tokenOf(url: string): string {
  return new URL(url).pathname.split('/').at(-1) ?? ''
}

describe('whose an account is', () => {
  test('nobody says: it is nobody, whatever name and address the platform gives', async () => {
    const accounts = await open()

    const person = await accounts.personOf(anAccount())

    expect(person).toBeNull()
  })

  test('the person confirmed it: it is theirs, with their groups as they are now', async () => {
    const accounts = await open()
    await confirm(accounts, anAccount({ email: null, directoryName: null }), 'alice')

    const person = await accounts.personOf(anAccount({ directoryName: 'bob' }))

    expect(person).toMatchObject({ user: 'alice', groups: ['developers', 'web-services'] })
  })

  test('our directory gives it to one person', async () => {
    const accounts = await open({ alice: '\n      accounts: { slack: T1.U1 }' })

    const people = [
      await accounts.personOf(anAccount({ email: null, directoryName: null })),
      await accounts.personOf(anAccount({ id: 'T1.U2', email: null, directoryName: null })),
    ]

    expect(people.map((person) => person?.user)).toEqual(['alice', undefined])
  })

  test.each([
    ['the platform takes its people from our directory', '  accounts: { directory: true }', {}, 'alice'],
    [
      'it names nobody that we know',
      '  accounts: { directory: true }',
      { directoryName: 'mallory' },
      undefined,
    ],
    ['the site trusts addresses of that domain', '  accounts: { email: [Example.org] }', {}, 'alice'],
    [
      'the address only ends alike',
      '  accounts: { email: [example.org] }',
      { email: 'alice@evil-example.org' },
      undefined,
    ],
    ['the platform has not verified it', '  accounts: { email: [example.org] }', { email: null }, undefined],
  ])('%s', async (_, chat, facts, user) => {
    const accounts = await open({ chat })

    const person = await accounts.personOf(anAccount({ ...facts }))

    expect(person?.user).toBe(user)
  })

  test('an address that two people have is nobody', async () => {
    const accounts = await open({ chat: '  accounts: { email: [example.org] }', carol: 'alice@example.org' })

    const person = await accounts.personOf(anAccount({ directoryName: null }))

    expect(person).toBeNull()
  })

  test('a confirmed link whose person is gone is nobody, although the address is somebody', async () => {
    const accounts = await open({ chat: '  accounts: { email: [example.org] }' })
    const olga = await core.as('olga')
    const token = tokenOf(await accounts.linkUrl(anAccount()))
    await core.operations.perform(confirmLink, { ...olga, user: 'gone' }, { token })

    const person = await accounts.personOf(anAccount())

    expect(person).toBeNull()
  })
})

describe('where somebody is reached', () => {
  test('is where they confirmed, before where they were seen', async () => {
    const accounts = await open({ chat: '  accounts: { directory: true }' })
    await accounts.personOf(anAccount({ id: 'T1.U2' }))
    const seen = await accounts.accountOf('slack', 'alice')

    await confirm(accounts, anAccount(), 'alice')

    expect([seen, await accounts.accountOf('slack', 'alice')]).toEqual(['T1.U2', 'T1.U1'])
    expect(await accounts.accountOf('mattermost', 'alice')).toBeNull()
  })

  test('an address may be looked for only where the site trusts it', async () => {
    const accounts = await open({ chat: '  accounts: { email: [example.org] }' })

    const found = await accounts.emailOf('slack', 'alice')

    expect(found).toBe('alice@example.org')
    await core.close()
    expect(await (await open()).emailOf('slack', 'alice')).toBeNull()
  })
})

describe('a link to confirm', () => {
  test('says whose account it is, and that it was somebody else’s', async () => {
    const accounts = await open()
    await confirm(accounts, anAccount(), 'carol')
    const token = tokenOf(await accounts.linkUrl(anAccount()))

    const offer = await core.operations.perform(showLinkOffer, await core.as('alice'), { token })

    expect(offer).toMatchObject({ account: { id: 'T1.U1', name: 'ally' }, linkedTo: 'carol' })
  })

  test.each([
    ['was used', 0],
    ['is older than 15 minutes', 15 * minute],
  ])('that %s counts no more', async (_, wait) => {
    const accounts = await open()
    const token =
      wait === 0
        ? await confirm(accounts, anAccount(), 'alice')
        : tokenOf(await accounts.linkUrl(anAccount()))
    await core.pass(wait)

    const work = core.operations.perform(confirmLink, await core.as('carol'), { token })

    await expect(work).rejects.toMatchObject({ code: 'not_found' })
    expect((await accounts.personOf(anAccount()))?.user).toBe(wait === 0 ? 'alice' : undefined)
  })

  test('takes the place of an older account on that platform', async () => {
    const accounts = await open()
    await confirm(accounts, anAccount(), 'alice')

    await confirm(accounts, anAccount({ id: 'T1.U9' }), 'alice')

    expect(await accounts.personOf(anAccount())).toBeNull()
    expect(await accounts.accountOf('slack', 'alice')).toBe('T1.U9')
  })
})

describe('unlinking', () => {
  test('makes an account nobody’s at once', async () => {
    const accounts = await open()
    await confirm(accounts, anAccount(), 'alice')
    const alice = await core.as('alice')

    await core.operations.perform(unlinkAccount, alice, { platform: 'slack', account: 'T1.U1' })

    expect(await accounts.personOf(anAccount())).toBeNull()
    expect(await core.operations.perform(listLinks, alice, {})).toEqual({ items: [] })
  })

  test('is for its person and operators only', async () => {
    const accounts = await open()
    await confirm(accounts, anAccount(), 'alice')
    const unlink = async (user: string) =>
      core.operations.perform(unlinkAccount, await core.as(user), { platform: 'slack', account: 'T1.U1' })

    await expect(unlink('carol')).rejects.toMatchObject({ code: 'not_found' })

    await unlink('olga')
    expect(await accounts.personOf(anAccount())).toBeNull()
  })
})
