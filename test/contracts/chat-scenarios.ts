import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { system } from '../../src/identity/person.ts'
import { showMachine } from '../../src/operations/show-machine.ts'
import { showRequest } from '../../src/operations/show-request.ts'
import { day } from '../operations/core.ts'
import type { StorySite } from '../stories/site.ts'

/** A card or a form as somebody sees it on their platform, whatever it is made of there. */
export interface SeenCard {
  /** The same for as long as it is the same message. */
  id: string
  /** All that can be read on it, in reading order and as it is read: what the platform escapes is unescaped. */
  text: string
  /** The labels of its buttons, in order. */
  buttons: readonly string[]
  /** Its fields, where it is a form or opens one. */
  fields: readonly { name: string; value: string; error?: string }[]
  /** The alternative text of its chart, where it shows one as a picture or drawn. */
  chart: string | null
}

/**
 * A platform with the whole service behind it, on the demo site and on its clock. Alice, bob, carol and olga have accounts
 * on it that are linked to them.
 */
export interface ChatStage {
  readonly platform: 'web' | 'slack' | 'mattermost'
  site: StorySite
  /** Says a line to the bot, without a slash or a mention, and waits for the answer. */
  say(user: string, line: string): Promise<void>
  /**
   * Presses a button as this person, whoever was shown the card, and waits for the answer. What the platform asks first
   * is agreed to, and a reason is typed where one is asked for.
   */
  press(user: string, card: SeenCard, label: string, answer?: string): Promise<void>
  /** Sends the form that a card is, or that it opens, with these fields changed. */
  submit(user: string, card: SeenCard, fields: Record<string, string>): Promise<void>
  /** All that the bot shows this person now, oldest first: messages as they are now, and a form that is open. */
  cards(user: string): Promise<SeenCard[]>
  close(): Promise<void>
}

const wish = 'request slc5 for 60d budget T-1042 name webafs20 2cpu 4gb why “AFS web server”'

/** What everybody can do in chat, wherever it is. */
export function chatScenarios(name: string, open: () => Promise<ChatStage>): void {
  describe(`in ${name}`, () => {
    let stage: ChatStage
    beforeEach(async () => {
      stage = await open()
    })
    afterEach(() => stage.close())

    /** The latest card that says this. */
    async function seen(user: string, says: string | RegExp): Promise<SeenCard> {
      const cards = await stage.cards(user)
      const found = cards.findLast(({ text }) =>
        typeof says === 'string' ? text.includes(says) : says.test(text),
      )
      if (found === undefined) {
        throw new Error(
          `${user} sees no "${String(says)}" on:\n${cards.map(({ text }) => text).join('\n---\n')}`,
        )
      }
      return found
    }

    async function latest(user: string): Promise<SeenCard> {
      const card = (await stage.cards(user)).at(-1)
      if (card === undefined) throw new Error(`${user} sees nothing`)
      return card
    }

    /** Says a line, and gives the last card that answers. */
    async function answer(user: string, line: string): Promise<SeenCard> {
      await stage.say(user, line)
      return latest(user)
    }

    const request = (id: string) => stage.site.service.operations.perform(showRequest, system(), { id })
    const machine = (machineName: string) =>
      stage.site.service.operations.perform(showMachine, system(), { name: machineName })

    /** Alice's running server, which bob approved. */
    async function server(line = wish): Promise<void> {
      await stage.say('alice', line)
      await stage.site.settle()
      await stage.press('bob', await seen('bob', 'alice asks for'), 'Approve')
      await stage.site.settle()
    }

    describe('a server', () => {
      test('is asked for in a line, approved with a button, and every copy of the card says so', async () => {
        await stage.say('alice', wish)
        await stage.site.settle()
        const asked = await seen('alice', 'R-1')
        const wanted = await seen('bob', 'alice asks for 1 slc5 server: 107.30 CHF from T-1042.')

        await stage.press('bob', wanted, 'Approve')
        await stage.site.settle()

        expect(asked.text).toContain('waits for bob')
        expect(wanted.text).toContain('Holder of T-1042')
        expect(wanted.text).toContain('1892.70 CHF')
        expect(wanted.buttons).toEqual(['Approve', 'Deny'])
        const decided = (await stage.cards('bob')).find(({ id }) => id === wanted.id)
        expect(decided?.text).toMatch(/You approved R-1 of alice on Mon 23 Nov 2026/)
        expect(decided?.buttons).not.toContain('Approve')
        expect((await seen('alice', 'webafs20 is ready')).text).toMatch(/ssh alice@10\./)
        expect((await stage.cards('alice')).some(({ text }) => text.includes('waits for bob'))).toBe(false)
      })

      test('is asked for with a form, which keeps what was typed when something is wrong', async () => {
        const form = await answer('alice', 'request slc5 for 60d budget T-1042')
        await stage.submit('alice', form, { purpose: 'AFS web server', cpus: '99' })
        const corrected = await seen('alice', /AFS web server|Request servers/)
        const nothing = await request('R-1').catch((error: unknown) => error)
        await stage.submit('alice', corrected, { purpose: 'AFS web server', cpus: '2', memory: '4' })
        await stage.site.settle()

        expect(form.fields.find(({ name: field }) => field === 'template')?.value).toBe('slc5')
        expect(form.text).toContain('Still needed: what it is for.')
        expect(corrected.fields.find(({ name: field }) => field === 'cpus')?.error).toMatch(/4/)
        expect(nothing).toMatchObject({ code: 'not_found' })
        expect(await request('R-1')).toMatchObject({ state: 'pending', cpus: 2, purpose: 'AFS web server' })
        await seen('bob', 'alice asks for 1 slc5 server')
      })

      test('is priced without being asked for, and asked for from there', async () => {
        const priced = await answer('alice', 'quote w2008r2 4gb 2cpu for 60d')
        await stage.press('alice', priced, 'Request it')
        const form = await latest('alice')

        expect(priced.text).toContain('1 w2008r2 server for 60 days costs 107.30 CHF.')
        expect(form.fields.find(({ name: field }) => field === 'memory')?.value).toBe('4')
        await expect(request('R-1')).rejects.toMatchObject({ code: 'not_found' })
      })
    })

    describe('a decision', () => {
      test('to deny takes a reason, and every copy shows who, when and why', async () => {
        await stage.say('alice', wish)
        await stage.site.settle()
        const wanted = await seen('bob', 'alice asks for')

        await stage.press('bob', wanted, 'Deny', 'the old one still works')
        await stage.site.settle()

        const copies = [
          await seen('bob', 'the old one still works'),
          await seen('alice', 'the old one still works'),
        ]
        expect(copies.map(({ buttons }) => buttons.includes('Approve'))).toEqual([false, false])
        expect(copies[0]?.text).toMatch(/You denied R-1 of alice on Mon 23 Nov 2026/)
        expect(copies[1]?.text).toMatch(/bob denied/)
        expect(await request('R-1')).toMatchObject({ state: 'denied', decisions: [{ via: stage.platform }] })
      })

      test('that is pressed twice is made once', async () => {
        await stage.say('alice', wish)
        await stage.site.settle()
        const wanted = await seen('bob', 'alice asks for')

        await Promise.all([stage.press('bob', wanted, 'Approve'), stage.press('bob', wanted, 'Approve')])
        await stage.site.settle()
        await stage.press('bob', wanted, 'Approve')

        const { decisions, machines } = await request('R-1')
        expect(decisions).toHaveLength(1)
        expect(machines).toEqual(['webafs20'])
        expect((await stage.cards('bob')).filter(({ text }) => /went wrong|failed/i.test(text))).toEqual([])
      })

      test('is not for strangers, in words or by the card of another', async () => {
        await stage.say('alice', wish)
        await stage.site.settle()
        const wanted = await seen('bob', 'alice asks for')

        await stage.press('carol', wanted, 'Approve')
        const said = await answer('carol', 'approve R-1')
        await stage.site.settle()

        expect(said.text).toMatch(/R-1/)
        expect(await request('R-1')).toMatchObject({ state: 'pending', decisions: [] })
      })

      test('is not for whoever asked, though they hold the budget', async () => {
        await stage.say('carol', 'request slc5 2cpu 4gb for 60d budget T-2000 name webafs20 why tests')
        await stage.site.settle()

        const said = await answer('carol', 'approve R-1')

        expect(said.text).toMatch(/your own|you asked|yourself/i)
        expect(await request('R-1')).toMatchObject({ state: 'pending', decisions: [] })
        await stage.press('bob', await seen('bob', 'carol asks for'), 'Approve')
        expect((await request('R-1')).state).not.toBe('pending')
      })
    })

    describe('a server about to end', () => {
      beforeEach(async () => {
        await server('request slc5 for 30d budget T-1042 name webafs20 why tests')
        await stage.site.pass(17 * day)
      })

      test('is announced to its owner with what can be done, and one press keeps it', async () => {
        const reminder = await seen('alice', /webafs20 ends on .*2026/)
        await stage.press('alice', reminder, 'Extend 30 days')
        await stage.site.settle()
        await stage.site.pass(20 * day)

        expect(reminder.buttons.map((label) => label.replace(/ \(.*/, ''))).toEqual([
          ...['Extend 30 days', 'Save', 'Let it go', 'Remind me tomorrow'],
        ])
        expect(await machine('webafs20')).toMatchObject({ state: 'running' })
      })

      test('is extended once, however often an old reminder is pressed', async () => {
        const reminder = await seen('alice', /webafs20 ends on .*2026/)
        await stage.press('alice', reminder, 'Extend 30 days')
        await stage.site.settle()
        const { expiresAt } = await machine('webafs20')

        await stage.press('alice', reminder, 'Extend 30 days')
        await stage.site.settle()

        expect((await machine('webafs20')).expiresAt).toBe(expiresAt)
      })

      test('is saved with a press', async () => {
        await stage.press('alice', await seen('alice', /webafs20 ends on .*2026/), 'Save')
        await stage.site.settle()

        expect(await machine('webafs20')).toMatchObject({ state: 'saved' })
      })

      test('is spoken of again tomorrow when that is asked for, and not before', async () => {
        await stage.press('alice', await seen('alice', /webafs20 ends on .*2026/), 'Remind me tomorrow')
        await stage.site.settle()
        const before = (await stage.cards('alice')).filter(({ text }) => /webafs20 ends on/.test(text)).length
        await stage.site.pass(day + 1)

        const after = (await stage.cards('alice')).filter(({ text }) => /webafs20 ends on/.test(text)).length
        expect(after).toBe(before + 1)
      })

      test('that was let go is not spoken of again until it ends', async () => {
        await stage.press('alice', await seen('alice', /webafs20 ends on .*2026/), 'Let it go')
        await stage.site.settle()
        const before = (await stage.cards('alice')).length
        await stage.site.pass(10 * day)

        expect((await stage.cards('alice')).length).toBe(before)
      })

      test('comes back when Extend is pressed too late', async () => {
        await stage.site.pass(14 * day)
        const expired = await machine('webafs20')

        await stage.press('alice', await seen('alice', 'webafs20 has expired'), 'Extend 30 days')
        await stage.site.settle()

        expect(expired.state).toBe('expired')
        expect(['saved', 'running']).toContain((await machine('webafs20')).state)
      })
    })

    describe('a question', () => {
      test('lists the servers of the person, and no others', async () => {
        await server()

        const [hers, his] = [await answer('alice', 'list'), await answer('carol', 'list mine')]

        expect(hers.text).toContain('webafs20')
        expect(hers.text).toContain('2 CPUs, 4 GB')
        expect(his.text).not.toContain('webafs20')
      })

      test('shows costs with a chart that is said in words too', async () => {
        await server()

        const costs = await answer('bob', 'costs T-1042')

        expect(costs.text).toMatch(/T-1042: \d+\.\d\d CHF charged/)
        expect(costs.chart).toMatch(/T-1042|Costs/)
      })

      test('is answered with help for a word, and in general', async () => {
        const [general, word] = [await answer('alice', 'help'), await answer('alice', 'help extend')]

        expect(general.text).toContain('request')
        expect(word.text).toMatch(/extend webafs20|extend NAME/i)
      })

      test('that is misspelt is asked back: what loses nothing runs at a press, what does waits in a field', async () => {
        await server()
        const safe = await answer('alice', 'shwo webafs20')
        await stage.press('alice', safe, 'show webafs20')
        const shown = await latest('alice')
        const careful = await answer('alice', 'delte webafs20')

        expect(safe.text).toContain('Did you mean show?')
        expect(shown.text).toMatch(/webafs20 .*(is running|runs)|running/i)
        expect(careful.buttons.filter((label) => label.includes('delete'))).toEqual([])
        expect(careful.fields.map(({ value }) => value)).toEqual(['delete webafs20'])
      })
    })

    test('how somebody is told things is asked and changed in a line', async () => {
      const [first, changed] = [
        await answer('alice', 'settings'),
        await answer('alice', 'settings digest=on hours=7-15'),
      ]

      expect(first.text).toContain(
        'You are told in a conversation of your own; what can wait, from 08:00 to 18:00',
      )
      expect(changed.text).toContain('what can wait, once a day')
      expect(changed.fields.find(({ name: field }) => field === 'hours')?.value).toBe('07:00-15:00')
    })

    test('a desktop is a line away', async () => {
      const opened = await answer('carol', 'desktop public')
      await stage.site.settle()
      const listed = await answer('carol', 'desktop list')

      expect(opened.text).toMatch(/Your desktop public-001 is ready/)
      expect(opened.buttons.some((label) => label.startsWith('Extend'))).toBe(true)
      expect(listed.text).toContain('public')
    })

    test('nothing that people type mentions anybody, makes a link or breaks a card', async () => {
      const purpose = '<!channel> @all *bold* [x](http://evil.example) <script>&amp;'
      await stage.say('alice', `request slc5 for 60d budget T-1042 name webafs20 why "${purpose}"`)
      await stage.site.settle()

      const wanted = await seen('bob', 'alice asks for')

      expect(wanted.text).toContain((await request('R-1')).purpose)
      expect(wanted.buttons).toEqual(['Approve', 'Deny'])
    })

    describe('a sentence', () => {
      test.each([
        [
          'I need 20 servers with slc5 for one month on T-1042',
          'could I please get twenty slc5 machines for a month, budget T-1042?',
        ],
        ['I need an image of webafs20 replicated 10 times', 'make 10 copies of webafs20'],
        ['I need more memory for webafs20', 'webafs20 needs more memory'],
        [
          'I do not need webafs20 for 2 months, give me an image I can reuse later',
          'archive webafs20 for 2 months',
        ],
        ['I need a test environment for webafs20 on w2008r2', 'clone webafs20 onto w2008r2'],
      ])('"%s" means the same as "%s"', async (sentence, paraphrase) => {
        await server()

        const [first, second] = [await answer('alice', sentence), await answer('alice', paraphrase)]

        expect(first.text).not.toMatch(/not understood|I do not know/i)
        expect(second.text).toBe(first.text)
      })
    })
  })
}
