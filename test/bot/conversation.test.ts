import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Card } from '../../bot/card.ts'
import { answer } from '../../bot/commands.ts'
import { openTalk } from '../../bot/commands/talk.ts'
import { type Command, parseLine } from '../../bot/grammar.ts'
import { usages } from '../../bot/grammar/usage.ts'
import { Outage } from '../../src/base/errors.ts'
import { silentLog } from '../../src/base/log.ts'
import { openConversation } from '../../bot/conversation.ts'
import {
  buttonNamed,
  buttonsOf,
  errorsOf,
  formOf,
  giveServer,
  openRig,
  requestLine,
  type Rig,
} from './rig.ts'

let rig: Rig
beforeEach(async () => {
  rig = await openRig()
})
afterEach(() => rig.close())

describe('requests', () => {
  test('a whole line asks at once, and says the price and who must agree', async () => {
    const [card] = await rig.say('alice', requestLine('webafs20'))

    expect(card).toMatchObject({ about: 'request:R-1', tone: 'wait' })
    expect(card?.summary).toBe('Your request R-1 for 1 slc5 server costs 107.30 CHF and waits for bob.')
  })

  test('what is missing is asked for in a form that knows the rest and the price', async () => {
    const [card] = await rig.say('alice', 'request slc5 2cpu 4gb for 60d budget T-1042')

    expect(card?.summary).toBe('This costs 107.30 CHF. Still needed: what it is for.')
    const fields = Object.fromEntries(formOf(card).fields.map(({ name, value }) => [name, value]))
    expect(fields).toMatchObject({ template: 'slc5', term: '60d', cpus: '2', memory: '4', budget: 'T-1042' })
    expect(rig.told.notices).toEqual([])
  })

  test('a form that is being filled in shows its price, and asks for nothing yet', async () => {
    const caller = await rig.web('alice')
    const fields = { template: 'slc5', term: '60d', cpus: '2', memory: '4', purpose: '' }

    const [card] = await rig.conversation.preview(caller, { action: 'request', value: '', fields })
    const [waiting] = await rig.say('bob', 'approve')

    expect(card?.parts[0]).toMatchObject({ kind: 'facts', rows: [{ value: '107.30 CHF for 60 days' }, {}] })
    expect(formOf(card).fields.find(({ name }) => name === 'cpus')?.value).toBe('2')
    expect(buttonsOf(waiting)).toEqual([])
  })

  test.each([
    ['run', '', { line: 'list' }, { line: 'list' }],
    ['resize', 'webafs20', { cpus: '3', memory: '' }, { cpus: '3', memory: '' }],
    ['deny-request', 'R-1', {}, { reason: '' }],
  ])(
    'the form "%s" about "%s" can be drawn anew with what is typed',
    async (action, value, fields, shown) => {
      await giveServer(rig, 'webafs20')
      await rig.say('alice', requestLine('webafs21'))
      const reader = await rig.web(action === 'deny-request' ? 'bob' : 'alice')
      const about = action === 'deny-request' ? 'R-2' : value

      const [card] = await rig.conversation.preview(reader, { action, value: about, fields })

      const known = formOf(card).fields.map((field) => [field.name, field.value])
      expect(Object.fromEntries(known)).toEqual(shown)
    },
  )

  test('a form that is filled in wrong says where, before it is sent', async () => {
    const caller = await rig.web('alice')
    const fields = { template: 'slc5', term: 'soon', cpus: '' }

    const [card] = await rig.conversation.preview(caller, { action: 'request', value: '', fields })

    expect(Object.keys(errorsOf(card))).toEqual(['term'])
  })

  test('a form that is sent whole asks for the server', async () => {
    const [form] = await rig.say('alice', 'request slc5 for 60d')

    const [card] = await rig.submit('alice', form, {
      purpose: 'AFS',
      budget: 'T-1042',
      administrators: '@web-services',
    })

    expect(card).toMatchObject({ about: 'request:R-1' })
    expect(JSON.stringify(card?.parts)).toContain('web-services')
  })

  test.each([
    [{ term: '30' }, 'term'],
    [{ term: 'until 01/02/2027' }, 'term'],
    [{ cpus: 'many' }, 'cpus'],
    [{ cpus: '99' }, 'cpus'],
    [{ count: '0' }, 'count'],
    [{ name: 'No Good' }, 'name'],
    [{ administrators: 'nobody-here' }, 'administrators'],
    [{ budget: 'T-9999' }, 'budget'],
  ])('a form with %j comes back with what was typed and the fault beside it', async (wrong, name) => {
    const [form] = await rig.say('alice', 'request')

    const [again] = await rig.submit('alice', form, {
      template: 'slc5',
      term: '60d',
      budget: 'T-1042',
      purpose: 'AFS',
      ...wrong,
    })

    expect(Object.keys(errorsOf(again))).toEqual([name])
    expect(formOf(again).fields.find((field) => field.name === name)?.value).toBe(Object.values(wrong)[0])
  })

  test('a budget that is not theirs is said at its field', async () => {
    const [card] = await rig.say('carol', 'request slc5 for 60d budget T-9999 why AFS')

    expect(card?.tone).toBe('warn')
    expect(JSON.stringify(card)).toContain('T-9999')
  })

  test('a quote prices without asking, and its button asks', async () => {
    const [card] = await rig.say('alice', 'quote slc5 2cpu 4gb for 60d')
    const [form] = await rig.press('alice', card, 'Request it')

    expect(card?.summary).toBe('1 slc5 server for 60 days costs 107.30 CHF.')
    expect(formOf(form).action).toBe('request')
  })

  test('twenty servers are one request', async () => {
    const [form] = await rig.say('alice', 'I need 20 servers with slc5 for one month on T-1042')
    const [card] = await rig.submit('alice', form, { purpose: 'a course' })

    expect(card?.title).toBe('R-1 · 20 slc5 servers')
  })
})

describe('decisions', () => {
  beforeEach(() => rig.say('alice', requestLine('webafs20')))

  test('the holder approves with a button, and the card then shows the outcome without buttons', async () => {
    const [card] = await rig.say('bob', 'show R-1')
    const [after] = await rig.press('bob', card, 'Approve')

    expect(buttonsOf(card).map(({ label }) => label)).toEqual(['Approve', 'Deny'])
    expect(after).toMatchObject({ about: 'request:R-1', tone: 'good' })
    expect(after?.summary).toMatch(/^You approved R-1 of alice on /)
    expect(buttonsOf(after)).toEqual([])
  })

  test('a double press is one decision, and answers the same', async () => {
    const [card] = await rig.say('bob', 'show R-1')

    const first = await rig.press('bob', card, 'Approve', { key: 'm1' })
    const second = await rig.press('bob', card, 'Approve', { key: 'm1' })

    expect(second).toEqual(first)
    const { items } = await rig.store.read((tx) => tx.machines.page({ limit: 10 }))
    expect(items.filter(({ id }) => id === 'webafs20')).toHaveLength(1)
  })

  test('a stranger who presses Approve is told who decides, and nothing happens', async () => {
    const [card] = await rig.say('bob', 'show R-1')
    const [refused] = await rig.press('carol', card, 'Approve')

    expect(refused).toMatchObject({ title: 'Not yours to decide', tone: 'warn' })
    expect((await rig.store.read((tx) => tx.requests.get('R-1')))?.state).toBe('pending')
  })

  test('the requester cannot approve their own', async () => {
    const [refused] = await rig.say('alice', 'approve R-1')

    expect(refused?.title).toBe('Your own request')
  })

  test('a denial asks for its reason, and gives it to the requester', async () => {
    const [form] = await rig.say('bob', 'deny R-1')
    const [denied] = await rig.submit('bob', form, { reason: 'the old one still works' })

    expect(formOf(form)).toMatchObject({ action: 'deny-request', value: 'R-1' })
    expect(denied?.summary).toContain('the old one still works')
  })

  test('a denial without a reason comes back as its form', async () => {
    const [card] = await rig.say('bob', 'show R-1')
    const [form] = await rig.press('bob', card, 'Deny', { answer: ' ' })

    expect(Object.keys(errorsOf(form))).toEqual(['reason'])
  })

  test('who asked can take it back', async () => {
    const [cancelled] = await rig.say('alice', 'cancel R-1')

    expect(cancelled?.summary).toBe('You took back R-1. Nothing was charged.')
  })

  test('the second of two approvers reads who decided and when', async () => {
    await rig.say('bob', 'deny R-1 because no')
    const [late] = await rig.say('bob', 'approve R-1')

    expect(late?.title).toBe('Already decided')
    expect(late?.summary).toContain('denied by bob')
  })
})

describe('machines', () => {
  beforeEach(() => giveServer(rig, 'webafs20'))

  test('the card of a running machine says how to connect and what may be done', async () => {
    const [card] = await rig.say('alice', 'show webafs20')

    expect(JSON.stringify(card?.parts)).toContain('"text":"ssh alice@')
    expect(buttonsOf(card).map(({ label }) => label)).toEqual([
      'Shut down',
      'Console',
      'Save',
      'Extend 30 days',
      'Reset',
      'Power off',
      'Hand on',
      'Delete',
    ])
  })

  test('stop shows the work in hand, and start brings it back', async () => {
    const [stopping] = await rig.say('alice', 'stop webafs20')
    await rig.settle()
    const [card] = await rig.say('alice', 'show webafs20')
    await rig.press('alice', card, 'Start')
    await rig.settle()

    expect(stopping?.tone).toBe('wait')
    expect(card?.summary).toMatch(/^webafs20 is shut down/)
    expect((await rig.say('alice', 'show webafs20'))[0]?.summary).toMatch(/^webafs20 is running/)
  })

  test('several names are answered with one card and an outcome each', async () => {
    await giveServer(rig, 'webafs21')

    const [card] = await rig.say('alice', 'save webafs20 webafs21 webafs22x')

    expect(card?.parts).toContainEqual(
      expect.objectContaining({
        kind: 'table',
        rows: [
          ['webafs20', 'on its way'],
          ['webafs21', 'on its way'],
          ['webafs22x', expect.stringContaining('There is no machine webafs22x')],
        ],
      }),
    )
  })

  test.each([
    ['delete webafs20', 'Delete webafs20', 'deleting'],
    ['off webafs20', 'Power off webafs20', 'stopped'],
  ])('"%s" does nothing until its button is pressed', async (line, label, state) => {
    const [question] = await rig.say('alice', line)
    await rig.settle()
    const before = (await rig.store.read((tx) => tx.machines.get('webafs20')))?.state
    await rig.press('alice', question, label)
    if (state === 'stopped') await rig.settle()

    expect(before).toBe('running')
    expect((await rig.store.read((tx) => tx.machines.get('webafs20')))?.state).toBe(state)
  })

  test('a reset asks whether it may lose what was not written', async () => {
    const [question] = await rig.say('alice', 'reset webafs20')

    expect(buttonNamed(question, 'Reset webafs20')).toMatchObject({
      action: 'reset-machine',
      style: 'danger',
    })
    expect(buttonNamed(question, 'Shut down instead').action).toBe('run')
  })

  test.each([
    ['extend webafs20 30d', /^webafs20 is now kept until .*\. 111\.00 CHF is held for it\.$/],
    ['extend webafs20 until 2027-03-01', /^webafs20 is now kept until Tue 2 Mar 2027, 00:00/],
    ['extend webafs20 8h', /^webafs20 is now kept until /],
    ['extend webafs20 by 1mo', /^webafs20 is now kept until /],
  ])('"%s" moves the end and says what is held', async (line, says) => {
    const [card] = await rig.say('alice', line)

    expect(card?.summary).toMatch(says)
  })

  test('the same line told twice by a platform extends once', async () => {
    await rig.say('alice', 'extend webafs20 30d', 'event-1')
    await rig.say('alice', 'extend webafs20 30d', 'event-1')

    expect((await rig.store.read((tx) => tx.machines.get('webafs20')))?.extensions).toBe(1)
  })

  test('a third extension becomes a request, and the answer says its number', async () => {
    await rig.say('alice', 'extend webafs20 30d')
    await rig.say('alice', 'extend webafs20 30d')
    const [card] = await rig.say('alice', 'extend webafs20 30d')

    expect(card?.summary).toContain('request R-2')
    expect(card?.tone).toBe('wait')
  })

  test('a bare number is asked about, and the press extends', async () => {
    const [question] = await rig.say('alice', 'extend webafs20 30')
    const [card] = await rig.press('alice', question, '30 days')

    expect(card?.summary).toMatch(/^webafs20 is now kept until /)
  })

  test('another size becomes a request with its number', async () => {
    const [card] = await rig.say('alice', 'resize webafs20 4cpu')

    expect(card).toMatchObject({ about: 'request:R-2', title: 'R-2 · another size' })
  })

  test('the form for more time says what it would cost before it is sent', async () => {
    const caller = await rig.web('alice')
    const ask = (term: string) =>
      rig.conversation.preview(caller, { action: 'extend', value: 'webafs20', fields: { term } })

    const [priced] = await ask('30d')
    const [wrong] = await ask('soon')
    const [empty] = await ask('')

    expect(JSON.stringify(priced?.parts[0])).toContain('111.00 CHF')
    expect(errorsOf(wrong)).toHaveProperty('term')
    expect(empty?.tone).toBe('neutral')
  })

  test('"I need more memory" opens the form for another size', async () => {
    const [form] = await rig.say('alice', 'I need more memory for webafs20')
    const [card] = await rig.submit('alice', form, {})

    expect(formOf(form)).toMatchObject({ action: 'resize', value: 'webafs20' })
    expect(card?.about).toBe('request:R-2')
  })

  test('a size beyond the template is said at its field', async () => {
    const [form] = await rig.say('alice', 'resize webafs20')
    const [again] = await rig.submit('alice', form, { cpus: '99' })

    expect(Object.keys(errorsOf(again))).toEqual(['cpus'])
  })

  test('somebody else learns nothing of a machine, not even by a near miss', async () => {
    const [unknown] = await rig.say('carol', 'show webafs20')
    const [missing] = await rig.say('carol', 'show webafs99')

    expect(unknown?.summary.replace('webafs20', '')).toBe(missing?.summary.replace('webafs99', ''))
  })

  test('a slip of the finger is put right at a press', async () => {
    const [card] = await rig.say('alice', 'show webafs2')
    const [shown] = await rig.press('alice', card, 'show webafs20')

    expect(card?.tone).toBe('warn')
    expect(shown?.about).toBe('machine:webafs20')
  })

  test('a slip in what destroys is never run at a press', async () => {
    const [card] = await rig.say('alice', 'delete webafs2')

    expect(buttonsOf(card)).toEqual([])
    expect(formOf(card).fields[0]?.value).toBe('delete webafs20')
  })
})

describe('desktops', () => {
  test('a desktop is opened, kept longer, and given back', async () => {
    await rig.settle()

    const [opened] = await rig.say('carol', 'desktop public')
    const [longer] = await rig.press('carol', opened, 'Extend 30 min')
    const [ended] = await rig.say('carol', 'desktop end')

    expect(opened?.summary).toMatch(/^Your desktop public-\d+ is ready until .* \(in 2 hours\)\.$/)
    expect(longer?.summary).toMatch(/\(in 3 hours\)|\(in 2 hours\)/)
    expect(ended?.summary).toMatch(/has ended: you gave it back\.$/)
  })

  test('nothing secret of a session is on its card', async () => {
    await rig.settle()

    const [opened] = await rig.say('carol', 'desktop public')

    expect(JSON.stringify(opened)).not.toMatch(/loadbalanceinfo|msts|ticket/i)
  })

  test('without a session there is none to end', async () => {
    const [card] = await rig.say('carol', 'desktop end')

    expect(card?.summary).toBe('You have no session open. Say "desktop" to open one.')
  })
})

describe('the rest', () => {
  const commands: Command[] = usages.map(({ names, verb }) => bare(names[0] ?? verb))

  test.each(commands.map((command) => [command.verb, command] as const))(
    '"%s" on its own is answered with cards',
    async (_verb, command) => {
      const services = { operations: rig.operations, site: rig.config.site, clock: rig.clock }
      const talk = openTalk(services, await rig.web('olga'), { key: undefined, zone: undefined })

      const cards = await answer(talk, command).catch((error: unknown) => error)

      const drawn = Array.isArray(cards) ? cards : []
      const refused = command.verb === 'desktop-end' || command.verb === 'desktop-extend'
      expect(drawn.length > 0).toBe(!refused)
      for (const card of drawn) expect(Card.safeParse(card).error?.issues).toBeUndefined()
    },
  )

  test('help shows operators what is theirs, and others nothing of it', async () => {
    const [hers] = await rig.say('olga', 'help')
    const [his] = await rig.say('alice', 'help')

    expect(JSON.stringify(hers)).toContain('drain')
    expect(JSON.stringify(his)).not.toContain('drain')
    expect(Card.safeParse(hers).success).toBe(true)
  })

  test('a console is a link to a page that asks who is there, and carries no ticket', async () => {
    await giveServer(rig, 'webafs20')

    const [card] = await rig.say('alice', 'console webafs20 serial')

    const links = (card?.parts ?? []).filter((part) => part.kind === 'link').map(({ url }) => url)
    expect(links).toEqual([
      'http://127.0.0.1:8080/console/webafs20/serial',
      'http://127.0.0.1:8080/console/webafs20/screen',
    ])
  })

  test('nonsense is answered with help', async () => {
    const [card] = await rig.say('alice', 'xyzzy')

    expect(card?.title).toBe('Not understood')
    expect(buttonNamed(card, 'help').value).toBe('help')
  })

  test('an outage is a calm card', async () => {
    const operations = {
      perform: () => Promise.reject(new Outage('store_full', '/data is full', { transient: true })),
    }
    const { site } = rig.config
    const broken = openConversation({ operations, site, clock: rig.clock, log: silentLog })

    const [card] = await broken.say(await rig.web('alice'), 'list', { verb: '/vm' })

    expect(card?.title).toBe('Not just now')
    expect(card?.summary).not.toContain('/data')
  })

  test('a fault of ours tells nothing of its insides', async () => {
    const operations = { perform: () => Promise.reject(new TypeError('secret is undefined')) }
    const { site } = rig.config
    const broken = openConversation({ operations, site, clock: rig.clock, log: silentLog })

    const [card] = await broken.say(await rig.web('alice'), 'list', { verb: '/vm' })

    expect(card?.title).toBe('Our mistake')
    expect(JSON.stringify(card)).not.toContain('secret')
  })

  test('a button that nobody knows does nothing', async () => {
    const [card] = await rig.conversation.press(await rig.web('alice'), {
      action: 'format-disks',
      value: 'x',
    })

    expect(card?.title).toBe('Not found')
  })
})

/** What is understood of a verb alone. */
function bare(name: string): Command {
  const lexicon = { templates: [], machines: [], budgets: [], pools: [], hosts: [] }
  const context = {
    verbs: 'mention',
    now: '2026-11-23T08:00:00.000Z',
    zone: 'Europe/Zurich',
    lexicon,
  } as const
  const understood = parseLine(name, context)
  if (understood.kind !== 'command') throw new Error(`${name} is no command`)
  return understood.command
}
