import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Card } from '../../bot/card.ts'
import { teller } from '../../bot/notices.ts'
import { silentLog } from '../../src/base/log.ts'
import { editRequest } from '../../src/operations/edit-request.ts'
import { day, demoConfig } from '../operations/core.ts'
import {
  buttonNamed,
  buttonsOf,
  errorsOf,
  formOf,
  giveServer,
  keptChat,
  openRig,
  requestLine,
  type Rig,
} from './rig.ts'

let rig: Rig
beforeEach(async () => {
  rig = await openRig()
})
afterEach(() => rig.close())

const text = (card: Card | undefined): string => JSON.stringify(card?.parts)

describe('costs', () => {
  test('of a budget are a chart of facts and forecasts, with a table that says the same', async () => {
    await giveServer(rig, 'webafs20')
    await rig.pass(40 * day)

    const [card] = await rig.say('bob', 'costs t-1042')

    expect(Card.safeParse(card).error?.issues).toBeUndefined()
    expect(card?.summary).toBe(
      'T-1042: 33.30 CHF charged since December 2026, and 74.00 CHF to come up to January 2027 if nothing changes.',
    )
    const chart = card?.parts.find((part) => part.kind === 'chart')
    expect(chart?.bars.slice(-2)).toEqual([
      { month: '2026-12', facts: [29_600], forecasts: [0] },
      { month: '2027-01', facts: [3_700], forecasts: [74_000] },
    ])
    expect(text(card)).toContain('["January 2027","3.70","74.00","77.70"]')
    expect(text(card)).toContain('/costs?of=T-1042')
  })

  test('on its own is about one’s own servers, and for a holder without any about the budgets', async () => {
    await giveServer(rig, 'webafs20')

    const [hers] = await rig.say('alice', 'costs')
    const [his] = await rig.say('bob', 'costs')

    expect(hers?.title).toBe('Costs of your servers')
    expect(his?.title).toBe('Costs of your budgets')
    expect(buttonNamed(his, 'Costs of T-1042').value).toBe('costs "T-1042"')
  })

  test('of a month are its statement, with the page to print', async () => {
    await giveServer(rig, 'webafs20')
    await rig.pass(40 * day)

    const [closed] = await rig.say('bob', 'costs T-1042 2026-12')
    const [open] = await rig.press('bob', closed, 'November 2026')
    const [both] = await rig.say('bob', 'costs 2026-12')

    expect(closed?.summary).toBe('29.60 CHF were charged to T-1042 in December 2026.')
    expect(text(closed)).toContain('["webafs20","alice","31","23","29.60"]')
    expect(text(closed)).toContain('/budgets/T-1042/2026-12')
    expect(open?.summary).toBe('Nothing was charged to T-1042 in November 2026.')
    expect(buttonsOf(both).map(({ label }) => label)).toEqual(['T-1042', 'T-2000'])
  })

  test('are nothing to a stranger', async () => {
    const strict = await openRig(
      await demoConfig((yaml) => yaml.replace('members: [developers]', 'members: [web-services]')),
    )
    await giveServer(strict, 'webafs20')

    const cards = [
      await strict.say('carol', 'costs T-1042'),
      await strict.say('carol', 'costs T-1042 2026-11'),
      await strict.say('carol', 'costs'),
      await strict.say('carol', 'budget T-1042'),
    ]
    await strict.close()

    expect(JSON.stringify(cards)).not.toMatch(/webafs20|107\.30/)
    expect(cards.map(([card]) => card?.title)).toEqual([
      ...['Not found', 'Not found', 'Costs of your budgets', 'Not found'],
    ])
  })

  test('of a month that has not begun are refused', async () => {
    const [card] = await rig.say('bob', 'costs T-1042 2027-01')

    expect(card?.summary).toBe('2027-01 has not begun. Ask for a month up to 2026-11.')
  })
})

describe('a budget that runs low', () => {
  test('is told to its holder with what stands on it and what can be done', async () => {
    const tight = await openRig(
      await demoConfig((yaml) => yaml.replace("limit: '2000.00'", "limit: '130.00'")),
    )
    await giveServer(tight, 'webafs20')
    const { operations, clock, config } = tight
    const chat = keptChat()
    const told = tight.told.notices.find(({ notice }) => notice.kind === 'budget-warning')

    if (told === undefined) throw new Error('nobody was warned')
    await teller({ chats: [chat], operations, site: config.site, clock, log: silentLog }).tell(
      told.notice,
      told.user,
      [],
    )
    await tight.close()

    const [card] = chat.cards.values()
    expect(told.user).toBe('bob')
    expect(card).toMatchObject({
      summary: '80 % of T-1042 are held or spent: 107.30 of 130.00 CHF. 22.70 CHF are left.',
      title: 'T-1042 · Detector controls',
      tone: 'warn',
    })
    expect(text(card)).toContain('before requests are refused')
  })
})

describe('a price that went up since it was quoted', () => {
  let dear: Rig
  beforeEach(async () => {
    const later = `  - { name: dearer, from: 2026-11-24, freeDays: 0, base: '2.000', perGb: '1.000', perCpu: '1.000' }`
    const edit = (yaml: string): string => yaml.replace('# Who may spend', `${later}\n\n# Who may spend`)
    dear = await openRig(await demoConfig(edit))
    await dear.say('alice', requestLine('webafs20'))
  })
  afterEach(() => dear.close())

  test('is shown at the press with the difference, and approved with the next one', async () => {
    const [card] = await dear.say('bob', 'show R-1')
    await dear.pass(day)

    const [asked] = await dear.press('bob', card, 'Approve', { key: 'm1' })
    const [after] = await dear.press('bob', asked, 'Approve for', { key: 'm2' })

    expect(asked).toMatchObject({ about: 'request:R-1', tone: 'warn' })
    expect(asked?.summary).toBe(
      'The price of R-1 went up by 6.00 CHF, from 354.00 to 360.00 CHF. Nothing is approved yet.',
    )
    expect(buttonsOf(asked).map(({ label }) => label)).toEqual(['Approve for 360.00 CHF', 'Deny'])
    expect(after?.summary).toMatch(/^You approved R-1 of alice/)
  })

  test('is shown as well when the approval is typed, and can be denied', async () => {
    await dear.pass(day)

    const [asked] = await dear.say('bob', 'approve R-1')
    const [after] = await dear.press('bob', asked, 'Deny', { answer: 'too dear now' })

    expect(buttonNamed(asked, 'Approve for').value).toMatch(/^R-1 Q-[\w-]{16}$/)
    expect(after?.summary).toMatch(/^You denied R-1 of alice on .*: too dear now$/)
  })

  test('that went up once more is asked about once more', async () => {
    await dear.pass(day)
    const [asked] = await dear.say('bob', 'approve R-1')
    const value = buttonNamed(asked, 'Approve for').value.replace(/.$/, '0')

    const [again] = await dear.conversation.press(await dear.web('bob'), { action: 'approve-request', value })

    expect(again?.summary).toContain('Nothing is approved yet.')
  })
})

describe('a deletion', () => {
  test('is asked about with what it saves and what comes back', async () => {
    await giveServer(rig, 'webafs20')
    await rig.pass(40 * day)

    const [asked] = await rig.say('alice', 'delete webafs20')

    expect(asked?.summary).toBe(
      'Delete webafs20? webafs20 and its disks are deleted for good. That saves 3.70 CHF a day. ' +
        'Of what is held for it, 70.30 CHF come back to T-1042 (on 2 Jan 2027). ' +
        'Saving it to disk instead saves nothing a day: a saved server costs the same.',
    )
  })
})

test('a form for servers offers no budget that is closed', async () => {
  const closing = (yaml: string): string =>
    yaml.replace('title: Detector controls', 'title: Detector controls\n    closed: 2026-11-23')
  const closed = await openRig(await demoConfig(closing))

  const [form] = await closed.say('alice', 'request slc5 for 30d')
  const [card] = await closed.say('alice', 'budget T-1042')
  await closed.close()

  const offered = formOf(form).fields.find(({ name }) => name === 'budget')?.choices
  expect(offered?.map(({ value }) => value)).toEqual(['T-2000'])
  expect(text(card)).toContain('It is closed since 2026-11-23: nothing new is put on it')
})

describe('a form to hand a server on', () => {
  test('says what its days to come cost, and asks the other budget', async () => {
    await giveServer(rig, 'webafs20')
    await rig.pass(40 * day)
    const [shown] = await rig.say('alice', 'show webafs20')

    const [form] = await rig.press('alice', shown, 'Hand on')
    const [asked] = await rig.submit('alice', form, { owner: '@carol', budget: 'T-2000', reason: 'hers now' })

    expect(form?.summary).toBe('webafs20 belongs to alice and is paid from T-1042. Who is to have it?')
    expect(text(form)).toContain('74.00 CHF for 20 days; another budget has to agree to that')
    expect(asked?.summary).toContain('costs 74.00 CHF and waits for bob or carol')
  })

  test('is done at once on the same budget, and says whose it is then', async () => {
    await giveServer(rig, 'webafs20')
    const [form] = await rig.say('alice', 'transfer webafs20')

    const [wrong] = await rig.submit('alice', form, { owner: 'nobody-here' })
    const [done] = await rig.submit('alice', wrong, { owner: 'carol' })

    expect(errorsOf(wrong)).toEqual({ owner: 'The directory knows nobody called nobody-here.' })
    expect(done?.summary).toBe('webafs20 belongs to carol and is paid from T-1042 from today on.')
  })

  test('is offered with the budget that was said, and asks for the server that was not', async () => {
    await giveServer(rig, 'webafs20')

    const [form] = await rig.say('alice', 'transfer webafs20 budget T-2000')
    const [which] = await rig.say('alice', 'transfer')

    expect(formOf(form).fields.find(({ name }) => name === 'budget')?.value).toBe('T-2000')
    expect(buttonNamed(which, 'webafs20').value).toBe('transfer "webafs20"'.replaceAll('"', ''))
  })
})

describe('a form to change a request', () => {
  test('knows what it asks for, changes what is different, and is priced anew', async () => {
    const [asked] = await rig.say('alice', requestLine('webafs20'))

    const [form] = await rig.press('alice', asked, 'Change')
    const [changed] = await rig.submit('alice', form, { cpus: '1', term: '90d' })
    const [again] = await rig.submit('alice', form, { cpus: '1', term: '90d' })

    expect(form?.title).toBe('Change R-1')
    expect(formOf(form).fields.find(({ name }) => name === 'term')?.value).toBe('60d')
    expect(changed?.summary).toContain('R-1')
    expect(changed?.summary).toContain('waits for bob')
    expect(JSON.stringify(again)).toContain('says that already')
  })

  test('shows what is wrong beside its field, and is nobody else’s', async () => {
    await rig.say('alice', requestLine('webafs20'))
    const [form] = await rig.say('alice', 'edit R-1')

    const [wrong] = await rig.submit('alice', form, { cpus: '99', term: 'soon' })
    const [refused] = await rig.say('bob', 'edit R-1')

    expect(Object.keys(errorsOf(wrong))).toEqual(['term'])
    expect(formOf(wrong).fields.find(({ name }) => name === 'cpus')?.value).toBe('99')
    expect(refused?.summary).toContain("R-1 is alice's to change")
  })

  test('asks which one where none is said', async () => {
    const [none] = await rig.say('alice', 'edit')
    await rig.say('alice', requestLine('webafs20'))

    const [which] = await rig.say('alice', 'edit')

    expect(none?.summary).toBe('No request of yours waits that could be changed.')
    expect(buttonNamed(which, 'R-1').value).toBe('edit R-1')
  })
})

test('to save a server is asked about with what that saves', async () => {
  await giveServer(rig, 'webafs20')
  const [shown] = await rig.say('alice', 'show webafs20')

  expect(buttonNamed(shown, 'Save').confirm).toEqual({
    title: 'Save webafs20 to disk?',
    text: 'webafs20 stops, and goes on where it was when it is resumed. That saves nothing a day: a saved server costs the same.',
    yes: 'Save',
  })
})

describe('a card of a request that was changed since', () => {
  const edit = async (changes: object) =>
    rig.operations.perform(editRequest, await rig.web('alice'), { id: 'R-1', ...changes })

  test('approves nothing, but shows the request as it is now, with what is different', async () => {
    await rig.say('alice', requestLine('webafs20'))
    const [old] = await rig.say('bob', 'show R-1')
    await edit({ memoryGb: 8 })

    const [asked] = await rig.press('bob', old, 'Approve', { key: 'm1' })
    const [after] = await rig.press('bob', asked, 'Approve for', { key: 'm2' })

    expect(asked).toMatchObject({ about: 'request:R-1', tone: 'warn' })
    expect(asked?.summary).toBe(
      'R-1 was changed since you were shown it: GB 4 is 8. Its price went from 107.30 to 186.76 CHF. Nothing is approved yet.',
    )
    expect(text(asked)).toContain('As you were shown it')
    expect(after?.summary).toMatch(/^You approved R-1 of alice/)
  })

  test('says so also where the price is the same, and after a second change once more', async () => {
    await rig.say('alice', requestLine('webafs20'))
    const [old] = await rig.say('bob', 'show R-1')
    await edit({ purpose: 'a mail server' })
    const [asked] = await rig.press('bob', old, 'Approve', { key: 'm1' })
    await edit({ memoryGb: 1 })

    const [again] = await rig.press('bob', asked, 'Approve for', { key: 'm2' })

    expect(asked?.summary).toContain('It still costs 107.30 CHF. Nothing is approved yet.')
    expect(again?.summary).toContain('GB 4 is 1. Its price went from 107.30 to')
    expect(buttonNamed(again, 'Approve for').value).toMatch(/^R-1 Q-[\w-]{16}-3$/)
  })
})
