import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { nobody, system } from '../../src/identity/person.ts'
import { findTerminal } from '../../src/operations/find-terminal.ts'
import {
  enrolTerminal,
  importTerminals,
  listTerminals,
  removeTerminal,
  sightTerminal,
} from '../../src/operations/manage-terminals.ts'
import { openAtTerminal } from '../../src/operations/route-connection.ts'
import { openDesktop } from '../../src/operations/open-desktop.ts'
import { type Core, minute, openCore } from './core.ts'

let core: Core
beforeEach(async () => {
  core = await openCore()
})
afterEach(() => core.close())

const device = (address: string) => nobody('rest', address)
const mac = '00:0b:3c:00:00:77'

async function enrol(
  fields: Parameters<typeof core.operations.perform<object, object, unknown, unknown>>[2],
) {
  return core.operations.perform(enrolTerminal, await core.as('olga'), { name: 'lobby-2', ...fields })
}

async function listed(standing?: 'enrolled' | 'filed' | 'waiting') {
  const { items } = await core.operations.perform(
    listTerminals,
    await core.as('olga'),
    standing === undefined ? {} : { standing },
  )
  return items
}

test('a terminal that an operator enrols is known by its MAC and by its address', async () => {
  await enrol({ mac, address: '10.0.0.7', pool: 'public', location: 'hall' })

  const byMac = await core.operations.perform(findTerminal, device('10.9.9.9'), { mac: '000B3C000077' })
  const byAddress = await core.operations.perform(findTerminal, device('::ffff:10.0.0.7'), {})

  expect(byMac.terminal).toMatchObject({ name: 'lobby-2', pool: 'public' })
  expect(byAddress).toEqual(byMac)
})

test.each([
  ['a name of the site’s file', { name: 'lobby-1' }, 'already_exists'],
  ['a MAC of the site’s file', { mac: '00:0b:3c:00:00:11' }, 'already_exists'],
  ['an address of the site’s file', { address: '127.0.0.17' }, 'already_exists'],
  ['a pool that is not there', { pool: 'nowhere' }, 'not_found'],
])('%s is refused', async (_, fields, code) => {
  await expect(enrol(fields)).rejects.toMatchObject({ code })
})

test('only operators see and enrol terminals', async () => {
  const carol = await core.as('carol')

  await expect(core.operations.perform(listTerminals, carol, {})).rejects.toMatchObject({ code: 'forbidden' })
  await expect(core.operations.perform(enrolTerminal, carol, { name: 'x' })).rejects.toMatchObject({
    code: 'forbidden',
  })
})

describe('a device that nobody knows', () => {
  const sight = (said: { mac?: string; kind?: string }, address = '10.0.0.8') =>
    core.operations.perform(sightTerminal, device(address), said)

  test('waits to be confirmed, and changes nothing until it is', async () => {
    await sight({ mac, kind: 'wyse' })
    const before = await core.operations.perform(findTerminal, device('10.0.0.8'), { mac })
    const [waiting] = await listed('waiting')
    await enrol({ waiting: waiting?.name, pool: 'public' })

    const after = await core.operations.perform(findTerminal, device('10.1.1.1'), { mac })
    expect(before.terminal).toBeNull()
    expect(waiting).toMatchObject({ mac, kind: 'wyse', address: '10.0.0.8' })
    expect(after.terminal).toMatchObject({ name: 'lobby-2', pool: 'public' })
    expect(await listed('waiting')).toEqual([])
  })

  test('may be turned down', async () => {
    await sight({ mac })
    await core.operations.perform(removeTerminal, await core.as('olga'), { name: `?${mac}` })

    expect(await listed('waiting')).toEqual([])
  })

  test('without a MAC does not wait, or every browser would', async () => {
    await sight({ kind: 'browser' })

    expect(await listed('waiting')).toEqual([])
  })

  test('cannot fill the queue', async () => {
    for (let i = 0; i < 520; i++)
      await sight({
        mac: `00:00:00:00:${(i >> 8).toString(16).padStart(2, '0')}:${(i & 255).toString(16).padStart(2, '0')}`,
      })

    expect(await listed('waiting')).toHaveLength(500)
  })
})

test('a list enrols, corrects and leaves alone; doing it again changes nothing', async () => {
  const olga = await core.as('olga')
  const take = (csv: string) => core.operations.perform(importTerminals, olga, { csv })
  const first = await take(
    `mac,name,pool\n${mac},lobby-2,public\n00:0b:3c:00:00:78,lobby-3,\n00:0b:3c:00:00:11,x,\n`,
  )
  const again = await take(`mac,name,pool\n${mac},lobby-2,public\n`)
  const renamed = await take(`mac,name,pool\n${mac},hall-1,developers\n`)

  expect(first).toMatchObject({ imported: 2, refused: [{ line: 4 }] })
  expect(again).toMatchObject({ imported: 0, changed: 0, unchanged: 1, refused: [] })
  expect(renamed).toMatchObject({ changed: 1 })
  expect((await listed('enrolled')).map(({ name, pool }) => [name, pool])).toEqual([
    ['hall-1', 'developers'],
    ['lobby-3', null],
  ])
})

test('a terminal of the registry that stands for a pool gets a desktop of it by connecting', async () => {
  await enrol({ address: '10.0.0.7', pool: 'public' })
  const source = { address: '10.0.0.7', localPort: 3389 }

  const { lease } = await core.operations.perform(openAtTerminal, system('router'), {
    terminal: 'lobby-2',
    source,
  })

  expect(await core.store.read((tx) => tx.leases.get(lease))).toMatchObject({
    pool: 'public',
    terminal: { name: 'lobby-2', address: '10.0.0.7' },
  })
})

test('it shows who sits where, and when a terminal was last seen', async () => {
  const carol = await core.as('carol')
  await core.operations.perform(sightTerminal, device('127.0.0.17'), {})
  await core.operations.perform(openDesktop, carol, { pool: 'public', terminal: { name: 'lobby-1' } })
  await core.pass(minute)

  const [lobby, office] = await listed('filed')

  expect(lobby).toMatchObject({
    name: 'lobby-1',
    session: { user: 'carol', pool: 'public', state: 'offered' },
  })
  expect(lobby?.lastSeenAt).toBe('2026-11-23T08:00:00.000Z')
  expect(office).toMatchObject({ session: null, lastSeenAt: null })
})
