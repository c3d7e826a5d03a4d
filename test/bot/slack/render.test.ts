import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Card } from '../../../bot/card.ts'
import { card, code, facts, table, words } from '../../../bot/cards/parts.ts'
import { type Frame, renderCard } from '../../../bot/slack/render.ts'
import { inlines } from '../../../bot/slack/rich.ts'
import { messageFaults, viewFaults } from '../../../bot/slack/schema.ts'
import { askView, formOf, formView, homeView, noteView } from '../../../bot/slack/view.ts'
import { cards } from '../cards/every-card.ts'

const frame: Frame = { zone: 'Europe/Zurich', version: 'v1', tables: true, pictures: true }
const origin = { ephemeral: false, channel: 'D1', message: '1.2' }

const kept = [
  'approval wanted',
  'approval denied, for the other approver',
  'request being made',
  'machine running, for its owner',
  'machine list',
  'reminder',
  'costs of a budget',
  'order form with a fault',
  'refusal with hosts',
  'confirm',
  'connect to linux',
] as const

test.each(kept)('the message for %s is as it always was', async (name) => {
  const message = renderCard(known(name), frame)

  const text = `${JSON.stringify(message, null, 1)}\n`
  await expect(text).toMatchFileSnapshot(`kept/${name.replaceAll(/[^a-z]+/gi, '-')}.json`)
})

test('the window of an order is as it always was', async () => {
  const drawn = known('order form')

  const view = formView(drawn, formIn(drawn), origin, frame)

  await expect(`${JSON.stringify(view, null, 1)}\n`).toMatchFileSnapshot('kept/window-of-an-order.json')
})

describe('limits of Slack', () => {
  test.each(Object.entries(cards))('%s is taken, with tables and pictures and without', (_name, drawn) => {
    const frames = [frame, { ...frame, tables: false }, { ...frame, pictures: false, key: 'k.1' }]

    const faults = frames.flatMap((one) => messageFaults(renderCard(drawn, one)))

    expect(faults).toEqual([])
  })

  test('every form fits a window', () => {
    const forms = Object.values(cards).flatMap((drawn) => {
      const form = formOf(drawn)
      return form === undefined ? [] : [formView(drawn, form, origin, frame)]
    })

    expect(forms.flatMap(viewFaults)).toEqual([])
    expect(forms.length).toBeGreaterThanOrEqual(5)
  })

  test('App Home takes every card at once, as far as there is room', () => {
    const view = homeView(Object.values(cards), frame)

    expect(viewFaults(view)).toEqual([])
    expect(view.blocks).toHaveLength(100)
  })

  test('windows that ask or say something fit', () => {
    const asked = { value: 'R-12', title: 'D'.repeat(75), label: '', required: true, note: '' }
    const note = { title: 'T'.repeat(100), summary: 's', tone: 'wait' as const }

    const faults = [askView(asked, 'deny-request', origin), noteView(note, frame.zone)].flatMap(viewFaults)

    expect(faults).toEqual([])
  })

  test('a list that is longer than a table may be is letters instead', () => {
    const rows = Array.from({ length: 100 }, (_, index) => [`server-${index}`, 'x'.repeat(150)])
    const drawn = card({ summary: 's', title: 't', tone: 'neutral', parts: [table('all', ['a', 'b'], rows)] })

    const message = renderCard(drawn, frame)

    expect(messageFaults(message)).toEqual([])
    expect(message.blocks.map(({ type }) => type)).not.toContain('table')
    expect(JSON.stringify(message.blocks)).toContain('server-99')
  })

  test('of two lists the second is letters, since Slack takes one table', () => {
    const list = table('all', ['a'], [['1']])
    const drawn = card({ summary: 's', title: 't', tone: 'neutral', parts: [list, list] })

    const message = renderCard(drawn, frame)

    expect(messageFaults(message)).toEqual([])
    expect(message.blocks.filter(({ type }) => type === 'table')).toHaveLength(1)
  })

  test('whatever people write, the message is one that Slack takes and the text stands in it as it was', () => {
    const nasty = fc.oneof(
      fc.constantFrom(
        '<!channel>',
        '<@U1|bob>',
        '```',
        '*x*',
        '<https://evil.example|click>',
        ':boom:',
        '&lt;',
      ),
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 300 }),
    )
    fc.assert(
      fc.property(nasty, nasty, (text, other) => {
        const drawn = card({
          summary: text,
          title: text,
          tone: 'warn',
          parts: [words(text), facts([other, text]), code(text), table(text, [other, 'b'], [[text, other]])],
        })

        const message = renderCard(drawn, frame)

        expect(messageFaults(message)).toEqual([])
        expect(message.text).not.toMatch(/[<>]/)
        // Rich text is shown as it stands: the only places that Slack reads for markup are those of type mrkdwn.
        expect(JSON.stringify(message.blocks)).not.toContain('mrkdwn')
        expect(typesIn(message.blocks)).not.toEqual(expect.arrayContaining(['user']))
      }),
      { numRuns: 200 },
    )
  })
})

describe('times', () => {
  test('are dates that each reader sees in their own zone', () => {
    const found = inlines('ends on Sat 31 Jan 2026, 13:00 (in 30 days)', 'Europe/Zurich')

    expect(found).toEqual([
      { type: 'text', text: 'ends on ' },
      expect.objectContaining({ type: 'date', timestamp: Date.parse('2026-01-31T12:00:00Z') / 1000 }),
      { type: 'text', text: ' (in 30 days)' },
    ])
  })

  test.each([
    ['a weekday that is not that day’s', 'Sun 31 Jan 2026, 13:00'],
    ['a day that there is not', 'Sat 31 Feb 2026, 13:00'],
    ['the hour that the clock shows twice', 'Sun 25 Oct 2026, 02:30'],
  ])('%s stays text', (_why, text) => {
    expect(inlines(text, 'Europe/Zurich')).toEqual([{ type: 'text', text }])
  })
})

test('two renderings of a card have other ids for what can be pressed, and the same for the same version', () => {
  const ids = (version: string) =>
    renderCard(known('reminder'), { ...frame, version }).blocks.flatMap(({ block_id: id }) => id ?? [])

  expect(ids('v1')).toEqual(ids('v1'))
  expect(ids('v1').filter((id) => ids('v2').includes(id))).toEqual([])
})

function known(name: string): Card {
  const drawn = cards[name]
  if (drawn === undefined) throw new Error(`no card ${name}`)
  return drawn
}

function formIn(drawn: Card) {
  const form = formOf(drawn)
  if (form === undefined) throw new Error(`no form on ${drawn.title}`)
  return form
}

function typesIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(typesIn)
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) =>
    name === 'type' && typeof inner === 'string' ? [inner] : typesIn(inner),
  )
}
