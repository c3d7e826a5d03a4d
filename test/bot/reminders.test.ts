import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Card } from '../../bot/card.ts'
import { cardAsText } from '../../bot/cards/text.ts'
import { teller } from '../../bot/notices.ts'
import { silentLog } from '../../src/base/log.ts'
import type { Notice } from '../../src/notices/notice.ts'
import { changeSettings } from '../../src/operations/settings.ts'
import { snoozeReminder } from '../../src/operations/snooze-reminder.ts'
import { day, demoConfig, hour } from '../operations/core.ts'
import { buttonsOf, keptChat, openRig, type Rig } from './rig.ts'

let rig: Rig
beforeEach(async () => {
  rig = await openRig()
})
afterEach(() => rig.close())

/** Servers of alice that end in 30 days, from Monday 23 November 2026, 09:00 in Zurich. */
async function servers(count: number): Promise<void> {
  await rig.say('alice', `request slc5 x${count} for 30d budget T-1042 name web why tests`)
  await rig.say('bob', 'approve R-1')
  await rig.settle()
}

function reminders(): Notice[] {
  const told = rig.told.notices.filter(({ notice }) => notice.kind === 'machine-expiring')
  return told.map(({ notice }) => notice)
}

/** The card of a notice for somebody. */
async function cardOf(notice: Notice, user: string): Promise<Card> {
  const { operations, clock, config } = rig
  const chat = keptChat()
  const services = { chats: [chat], operations, site: config.site, clock, log: silentLog }
  await teller(services).tell(notice, user, [])
  return Card.parse([...chat.cards.values()][0])
}

describe('reminders', () => {
  test('about several servers of one owner are one card, with buttons for each', async () => {
    await servers(3)
    await rig.pass(16 * day + hour)

    const [notice, second] = reminders()
    if (notice === undefined) throw new Error('nobody was reminded')
    const card = await cardOf(notice, 'alice')

    expect(second).toBeUndefined()
    expect(notice.also).toHaveLength(2)
    expect(card.summary).toMatch(/^3 of these servers end, .* first: /)
    expect(buttonsOf(card)).toHaveLength(12)
    expect(new Set(buttonsOf(card).map(({ value }) => value.split(' ')[0])).size).toBe(3)
    expect(cardAsText(card)).toMatch(/: Extend 30 days/)
  })

  test('are marked as told for each of the servers', async () => {
    await servers(2)
    await rig.pass(16 * day + hour)

    const machines = await rig.store.read((tx) => tx.machines.find('owner', 'alice'))
    expect(machines.map((machine) => machine.reminders.at(-1)?.deliveredAt)).toEqual([
      ...['2026-12-09T08:00:00.000Z', '2026-12-09T08:00:00.000Z'],
    ])
  })

  test('that are due on a Sunday come on Monday, when that is early enough', async () => {
    await servers(1)
    await rig.pass(29 * day)

    const told = (await rig.store.read((tx) => tx.machines.find('owner', 'alice')))[0]?.reminders
    expect(told?.map(({ deliveredAt }) => deliveredAt)).toContain('2026-12-21T07:00:00.000Z')
    expect(told?.map(({ dueAt }) => dueAt)).toContain('2026-12-20T08:00:00.000Z')
  })

  test('wait for the digest of whoever wants one', async () => {
    await rig.operations.perform(changeSettings, await rig.as('alice'), {
      digest: true,
      hours: '07:00-15:00',
    })
    await servers(1)
    await rig.pass(17 * day)

    const told = (await rig.store.read((tx) => tx.machines.find('owner', 'alice')))[0]?.reminders
    expect(told?.[0]?.deliveredAt).toBe('2026-12-10T06:00:00.000Z')
  })

  test('that were put off come when they were put off to, and no sooner', async () => {
    await servers(1)
    await rig.pass(16 * day + hour)
    const [name = ''] = (await rig.store.read((tx) => tx.machines.find('owner', 'alice'))).map(({ id }) => id)
    const alice = await rig.as('alice')
    await rig.operations.perform(snoozeReminder, alice, { name, hours: 8 * 24 })
    const before = reminders().length

    await rig.pass(8 * day - 2 * hour)
    const meanwhile = reminders().length
    await rig.pass(3 * hour)

    expect(meanwhile).toBe(before)
    expect(reminders().length).toBe(before + 1)
  })

  test('cannot be put off beyond the end', async () => {
    await servers(1)
    const [name = ''] = (await rig.store.read((tx) => tx.machines.find('owner', 'alice'))).map(({ id }) => id)
    const work = rig.operations.perform(snoozeReminder, await rig.as('alice'), { name, hours: 720 })

    await expect(work).rejects.toMatchObject({ code: 'bad_term' })
  })
})

describe('a channel of the site', () => {
  beforeEach(async () => {
    await rig.close()
    const config = await demoConfig()
    rig = await openRig({ ...config, site: { ...config.site, announces: true } })
  })

  test('is told of a request once, without buttons and without what is left on the budget', async () => {
    await rig.say('alice', 'request slc5 2cpu 4gb for 60d budget T-1042 name web why "AFS <!channel>"')
    await rig.settle()
    const notices = await rig.store.read((tx) => tx.notices.find('about', 'request:R-1'))
    const announced = notices.filter(({ kind }) => kind === 'announced')
    const [notice] = announced
    if (notice === undefined) throw new Error('nothing was announced')

    const { chat, tells } = channel()
    await tells.announce(notice, [])
    await rig.say('bob', 'deny R-1 because not now')
    const [ref = ''] = chat.shown.keys()
    await tells.redraw(notice, { platform: 'web', channel: 'servers', message: ref, user: '', at: notice.at })

    expect(announced).toHaveLength(1)
    const [first, then] = chat.history
    expect(first?.summary).toBe('alice asks for 1 slc5 server: 107.30 CHF from T-1042. bob may decide.')
    expect(buttonsOf(first)).toEqual([])
    expect(JSON.stringify(first)).not.toMatch(/Left on|1892/)
    expect(then?.summary).toMatch(/^bob denied R-1 of alice on .*: not now/)
  })

  test.each([
    ['channel', 'approval-wanted', 'announced'],
    ['direct', 'approval-wanted', 'posted'],
  ] as const)('is where whoever chose %s is told %s', async (notify, kind, how) => {
    await rig.operations.perform(changeSettings, await rig.as('bob'), { notify })
    await rig.say('alice', 'request slc5 for 60d budget T-1042 name web why tests')
    await rig.settle()
    const told = rig.told.notices.find(({ notice }) => notice.kind === kind)
    if (told === undefined) throw new Error(`nobody was told ${kind}`)

    const { chat, tells } = channel()
    await tells.tell(told.notice, 'bob', [])

    expect([chat.shown.size, chat.cards.size]).toEqual(how === 'announced' ? [1, 0] : [0, 1])
  })

  /** A platform that has a channel. */
  function channel() {
    const shown = new Map<string, Card>()
    const history: Card[] = []
    const chat = {
      ...{ ...keptChat(), shown, history },
      async announce(card: Card, key: string) {
        shown.set(key, card)
        history.push(card)
        return { platform: 'web', channel: 'servers', message: key }
      },
      async update(_ref: unknown, card: Card) {
        history.push(card)
      },
    }
    const { operations, clock, config } = rig
    return { chat, tells: teller({ chats: [chat], operations, site: config.site, clock, log: silentLog }) }
  }
})
