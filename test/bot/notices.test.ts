import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Card } from '../../bot/card.ts'
import { teller } from '../../bot/notices.ts'
import { silentLog } from '../../src/base/log.ts'
import type { Delivery, Notice, Teller } from '../../src/notices/notice.ts'
import { day } from '../operations/core.ts'
import { buttonsOf, giveServer, keptChat, openRig, requestLine, type Rig } from './rig.ts'

let rig: Rig
let chat: ReturnType<typeof keptChat>
let tells: Teller
beforeEach(async () => {
  rig = await openRig()
  chat = keptChat()
  const { operations, clock, config } = rig
  tells = teller({ chats: [chat], operations, site: config.site, clock, log: silentLog })
})
afterEach(() => rig.close())

/** Tells the latest notice of a kind, and gives the card and its copy. */
async function tellLatest(
  kind: Notice['kind'],
  user: string,
): Promise<{ notice: Notice; copy: Delivery; card: Card }> {
  const notice = rig.told.notices.findLast((told) => told.notice.kind === kind)?.notice
  if (notice === undefined) throw new Error(`nobody was told ${kind}`)
  const [ref] = (await tells.tell(notice, user, [])).copies
  const card = chat.cards.get(ref?.message ?? '')
  if (ref === undefined || card === undefined) throw new Error('no copy was sent')
  return { notice, copy: { ...ref, user, at: rig.clock.now() }, card }
}

test('an approver is asked with buttons, and the copy shows the outcome after the decision', async () => {
  await rig.say('alice', requestLine('webafs20'))
  await rig.settle()

  const { notice, copy, card } = await tellLatest('approval-wanted', 'bob')
  await rig.say('bob', 'deny R-1 because not now')
  await tells.redraw(notice, copy)

  expect(buttonsOf(card).map(({ label }) => label)).toEqual(['Approve', 'Deny'])
  const after = chat.cards.get(copy.message)
  expect(after?.summary).toMatch(/^You denied R-1 of alice on .*: not now$/)
  expect(buttonsOf(after)).toEqual([])
})

test('the requester is told the outcome in a sentence, and how to connect once it is ready', async () => {
  await giveServer(rig, 'webafs20')

  const decided = await tellLatest('request-decided', 'alice')
  const ready = await tellLatest('machine-ready', 'alice')

  expect(decided.card.summary).toBe('bob approved R-1.')
  expect(ready.card.summary).toBe('webafs20 is ready (R-1).')
  expect(JSON.stringify(ready.card.parts)).toContain('"text":"ssh alice@')
})

test('a reminder has its price on the button, and shows that it was answered', async () => {
  await giveServer(rig, 'webafs20')
  await rig.pass(47 * day)

  const { notice, copy, card } = await tellLatest('machine-expiring', 'alice')
  const [shown, said] = await rig.press('alice', card, 'Extend 30 days', { key: 'm1' })
  await tells.redraw(notice, copy)

  expect(buttonsOf(card).map(({ label }) => label)).toEqual([
    'Extend 30 days (111.00 CHF)',
    'Save',
    'Let it go',
    'Remind me tomorrow',
  ])
  expect(said?.summary).toContain('111.00 CHF is held')
  expect(chat.cards.get(copy.message)).toEqual(shown)
  expect(shown?.summary).toMatch(/^webafs20 was extended and is kept until /)
  expect(buttonsOf(shown)).toEqual([])
})

test('a second administrator who presses an answered reminder extends nothing', async () => {
  await giveServer(rig, 'webafs20')
  await rig.pass(47 * day)

  const { card } = await tellLatest('machine-expiring', 'alice')
  await rig.press('alice', card, 'Extend 30 days', { key: 'm1' })
  const [shown] = await rig.press('alice', card, 'Extend 30 days', { key: 'm2' })

  expect(shown?.summary).toMatch(/^webafs20 was extended/)
  expect((await rig.store.read((tx) => tx.machines.get('webafs20')))?.extensions).toBe(1)
})

test('what was let go says so, and can still be extended', async () => {
  await giveServer(rig, 'webafs20')
  await rig.pass(47 * day)

  const { card } = await tellLatest('machine-expiring', 'alice')
  const [shown] = await rig.press('alice', card, 'Let it go')

  expect(shown?.summary).toMatch(/^webafs20 is let go/)
  expect(buttonsOf(shown).map(({ label }) => label)).toEqual(['Extend 30 days (111.00 CHF)', 'Save'])
})

test('after its end a press on Extend brings a server back', async () => {
  await giveServer(rig, 'webafs20')
  await rig.pass(61 * day)

  const { card } = await tellLatest('machine-expired', 'alice')
  await rig.press('alice', card, 'Extend 30 days')

  expect(card.summary).toMatch(
    /^webafs20 has expired and is kept until .* at least: Extend brings it back\.$/,
  )
  expect((await rig.store.read((tx) => tx.machines.get('webafs20')))?.state).toBe('saved')
})

test('whoever cannot steer a server sees its card without buttons', async () => {
  await giveServer(rig, 'webafs20')
  const about = { kind: 'machine', id: 'webafs20' } as const
  const notice: Notice = {
    id: 'N-1',
    kind: 'shown',
    about,
    to: ['bob'],
    at: rig.clock.now(),
    deliveries: [],
    text: null,
  }

  const [ref] = (await tells.tell(notice, 'bob', [])).copies

  expect(buttonsOf(chat.cards.get(ref?.message ?? ''))).toEqual([])
})

test('a platform that holds a copy already is left alone', async () => {
  await rig.say('alice', requestLine('webafs20'))
  await rig.settle()
  const { notice, copy } = await tellLatest('approval-wanted', 'bob')

  const again = await tells.tell(notice, 'bob', [copy])

  expect(again).toEqual({ copies: [], waiting: [] })
})

test('something that is no longer kept is said to be gone', async () => {
  const about = { kind: 'machine', id: 'long-gone' } as const
  const at = rig.clock.now()
  const notice: Notice = { id: 'N-1', kind: 'shown', about, to: ['alice'], at, deliveries: [], text: null }

  const [ref] = (await tells.tell(notice, 'alice', [])).copies

  expect(chat.cards.get(ref?.message ?? '')?.summary).toBe('The machine long-gone is no longer kept.')
})
