import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Card } from '../../bot/card.ts'
import { cardAsText } from '../../bot/cards/text.ts'
import { day } from '../operations/core.ts'
import { ordered, shown } from '../operations/ordered.ts'
import { buttonNamed, buttonsOf, errorsOf, formOf, giveServer, openRig, type Rig } from './rig.ts'

let rig: Rig
beforeEach(async () => {
  rig = await openRig()
  await giveServer(rig, 'webafs20')
})
afterEach(() => rig.close())

async function said(line: string, user = 'alice'): Promise<Card | undefined> {
  const [card] = await rig.say(user, line)
  expect(Card.safeParse(card).error?.issues).toBeUndefined()
  return card
}

/** Bob agrees to the one request that waits. */
async function agreed(): Promise<void> {
  const [card] = await rig.say('bob', 'approve')
  const [button] = buttonsOf(card)
  await rig.press('bob', card, button?.label ?? '')
  await rig.settle()
}

const text = (card: Card | undefined) => (card === undefined ? '' : cardAsText(card))

describe('snapshots', () => {
  test('are named by the minute, and the last is what one goes back to, after a question', async () => {
    await said('snapshot webafs20')
    await rig.settle()
    const question = await said('revert webafs20')
    await rig.press('alice', question, 'Go back')
    await rig.settle()

    const [{ name } = { name: '' }] = (await shown(rig)).snapshots
    expect(name).toMatch(/^2026-11-23-09\d\d$/)
    expect(question?.summary).toBe(`Take webafs20 back to ${name}? What was changed on it since is lost.`)
    expect((await shown(rig)).state).toBe('running')
  })

  test('that are not there are answered with those that are', async () => {
    await said('snapshot webafs20 first')
    await rig.settle()

    const question = await said('revert webafs20 second')

    expect(question?.summary).toBe('webafs20 has no snapshot second. Which one?')
    expect(buttonNamed(question, 'first').value).toBe('revert webafs20 first')
  })

  test('of a server that has none are said to be none', async () => {
    expect((await said('revert webafs20'))?.summary).toBe('webafs20 has no snapshot to go back to.')
  })
})

describe('the five sentences', () => {
  test('an image replicated ten times is one request for ten, once it is said for how long', async () => {
    const form = await said('I need an image of webafs20 replicated 10 times')
    const [request] = await rig.submit('alice', form, { term: 'one month' })
    await agreed()
    await rig.settle()

    expect(formOf(form).fields.map(({ name, value }) => [name, value])).toEqual([
      ['term', ''],
      ['count', '10'],
      ['name', ''],
      ['template', ''],
      ['budget', 'T-1042'],
    ])
    expect(request?.summary).toContain('10')
    const machines = await rig.store.read((tx) => tx.machines.find('owner', 'alice'))
    expect(machines.filter(({ image, state }) => image !== undefined && state === 'running')).toHaveLength(10)
  })

  test('what is not needed for two months is put away after a question, and is back by itself', async () => {
    const line = 'I do not need webafs20 for 1 month, give me an image I can reuse later'
    const question = await said(line)
    await rig.press('alice', question, 'Archive webafs20')
    await rig.settle()
    const away = await said('show webafs20')
    await rig.pass(32 * day)

    expect(question?.summary).toMatch(/^Put webafs20 into the library\? It is shut down and frees its host\./)
    expect(text(question)).toContain('It comes back on')
    expect(away?.summary).toContain('is archived')
    expect(buttonsOf(away).map(({ label }) => label)).toContain('Restore')
    expect((await shown(rig)).state).toBe('running')
  })

  test('a test environment on a newer template is a request for one, isolated, for two weeks', async () => {
    const form = await said('I need a test environment for webafs20 on w2008r2')
    const [request] = await rig.submit('alice', form, {})
    await rig.settle()
    await agreed()

    expect(text(form)).toContain('webafs20 is shut down while its disk is copied, and then started again.')

    expect(text(request)).toContain('w2008r2')
    expect(text(request)).toContain('Test environment for webafs20')
    const machines = await rig.store.read((tx) => tx.machines.find('owner', 'alice'))
    expect(machines.find(({ template }) => template === 'w2008r2')).toMatchObject({
      isolated: true,
      state: 'running',
    })
  })

  test('twenty servers for one month, and more memory, are what they say', async () => {
    const twenty = await said('I need 20 servers with slc5 for one month on T-1042')
    const more = await said('I need more memory for webafs20')

    expect(formOf(twenty).fields.find(({ name }) => name === 'count')?.value).toBe('20')
    expect(formOf(more).fields.find(({ name }) => name === 'memory')?.value).toBe('8')
  })
})

describe('images', () => {
  test('are asked for by name as templates are, and are in the list of these', async () => {
    const question = await said('capture webafs20 image webafs')
    const [, made] = await rig.press('alice', question, 'Make webafs')
    await rig.settle()

    const quote = await said('quote webafs for 60d')
    const list = await said('templates')
    const strangers = await said('quote webafs for 60d', 'carol')

    expect(made?.summary).toBe('Image webafs is being made of webafs20. You are told when it is ready.')
    expect(text(quote)).toContain('107.30')
    expect(text(list)).toContain('webafs')
    expect(strangers?.title).not.toBe(quote?.title)
  })

  test('of copies whose term cannot be read show what was typed, with the fault', async () => {
    const form = await said('clone webafs20')

    const [again] = await rig.submit('alice', form, { term: 'a while', count: '2' })

    expect(errorsOf(again)).toHaveProperty('term')
    expect(formOf(again).fields.map(({ value }) => value)).toEqual(['a while', '2', '', '', 'T-1042'])
  })
})

test('a server in the library comes back when it is asked for', async () => {
  const question = await said('archive webafs20')
  await rig.press('alice', question, 'Archive webafs20')
  await rig.settle()

  await said('restore webafs20')
  await rig.settle()

  expect(question?.summary).toContain('It comes back when you say so')
  expect((await shown(rig)).state).toBe('running')
})

test('an operator empties a host after a question, and takes it back from the list of hosts', async () => {
  const { host } = await shown(rig)
  const question = await said(`drain ${host ?? ''}`, 'olga')
  await rig.press('olga', question, 'Empty')
  await rig.pass(600_000)
  const hosts = await said('hosts', 'olga')
  const [back] = await rig.press('olga', hosts, 'Return and bring back')
  await rig.settle()

  expect(question?.summary).toContain('1 machine is on it.')
  expect(text(hosts)).toContain('empty for maintenance')
  expect(back?.summary).toBe(`${host ?? ''} is in use again. On the way back: webafs20.`)
  expect((await shown(rig)).host).toBe(host)
})

test('an operator is shown what could be moved, and has it moved by the button', async () => {
  await ordered(rig, { name: 'web', count: 2 })
  const hostsOf = async () =>
    new Set(await Promise.all(['web01', 'web02'].map(async (id) => (await shown(rig, id)).host)))
  const before = await hostsOf()

  const card = await said('rebalance consolidate', 'olga')
  const [answer] = await rig.press('olga', card, 'Move 1 server')
  await rig.pass(600_000)

  expect(card?.summary).toMatch(/^1 server could be moved\. cernwod0\d could be switched off then\.$/)
  expect(answer?.summary).toMatch(/^web0\d is being moved\./)
  expect([before.size, (await hostsOf()).size]).toEqual([2, 1])
})

test.each([
  ['olga', 'explain slc5 2cpu x20', /^There is room for 20 servers of 2 CPUs and 1 GB with slc5\.$/, 'Stars'],
  ['alice', 'explain slc5 3cpu 32gb x9', /^There is no room for 9 servers/, 'Why not'],
])('%s may ask where servers would go: %s', async (user, line, summary, column) => {
  const card = await said(line, user)

  expect(card?.summary).toMatch(summary)
  expect(text(card)).toContain(column)
})
