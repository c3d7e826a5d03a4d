import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { presses, submits } from '../../bot/actions.ts'
import { Card } from '../../bot/card.ts'
import { faultCard } from '../../bot/cards/refusal.ts'
import { giveServer, openRig, type Rig } from './rig.ts'

let rig: Rig
beforeAll(async () => {
  rig = await openRig()
  await giveServer(rig, 'webafs20')
})
afterAll(() => rig.close())

const words = fc.constantFrom(
  ...[
    'request',
    'quote',
    'extend',
    'list',
    'approve',
    'deny',
    'resize',
    'delete',
    'settings',
    'help',
    'desktop',
  ],
  ...[
    'slc5',
    'w2008r2',
    'webafs20',
    'T-1042',
    'R-1',
    'R-99',
    'for',
    'until',
    '60d',
    '2cpu',
    '4gb',
    'x3',
    'because',
  ],
  ...[
    '“',
    '”',
    '—',
    '<@U1|bob>',
    '<http://a|b>',
    '&lt;',
    '\u200b',
    '\u00a0',
    '@all',
    '"',
    "'",
    '\\',
    '=',
    ':',
    'never',
  ],
)
const line = fc
  .array(fc.oneof({ weight: 4, arbitrary: words }, fc.string({ unit: 'grapheme', maxLength: 12 })), {
    maxLength: 9,
  })
  .map((parts) => parts.join(' '))
const value = fc.oneof(
  line,
  fc.constantFrom('webafs20', 'R-1', 'webafs20 2026-12-23T08:00:00.000Z', '__proto__', ''),
)
/** What is wrong with cards, in words. */
function faultsOf(cards: readonly Card[]): string[] {
  return cards.flatMap((card) => {
    const parsed = Card.safeParse(card)
    if (!parsed.success)
      return parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
    return card.title === faultCard().title ? [card.summary] : []
  })
}

test('any line is answered with cards within their limits, and is nobody’s mistake', async () => {
  await fc.assert(
    fc.asyncProperty(line, fc.constantFrom('/vm', '/desktop', 'mention'), async (text, verb) => {
      const cards = await rig.conversation.say(await rig.web('alice'), text, { verb })

      expect(faultsOf(cards)).toEqual([])
    }),
    { numRuns: 150 },
  )
})

test('any press is answered so', async () => {
  const press = fc.record({
    action: fc.oneof(fc.constantFrom(...presses.keys(), 'run'), fc.string({ maxLength: 20 })),
    value,
    answer: fc.string({ maxLength: 40 }),
  })

  await fc.assert(
    fc.asyncProperty(press, async (pressed) => {
      const cards = await rig.conversation.press(await rig.web('carol'), pressed)

      expect(faultsOf(cards)).toEqual([])
    }),
    { numRuns: 150 },
  )
})

test('any form is answered so', async () => {
  const names = [
    'template',
    'term',
    'count',
    'cpus',
    'memory',
    'budget',
    'purpose',
    'name',
    'hours',
    'zone',
    'line',
  ]
  const sent = fc.record({
    action: fc.oneof(fc.constantFrom(...submits.keys(), 'run'), fc.string({ maxLength: 20 })),
    value,
    fields: fc.dictionary(fc.oneof(fc.constantFrom(...names), fc.string({ maxLength: 9 })), value, {
      maxKeys: 8,
    }),
  })

  await fc.assert(
    fc.asyncProperty(sent, async (submission) => {
      const carol = await rig.web('carol')
      const cards = [
        ...(await rig.conversation.preview(carol, submission)),
        ...(await rig.conversation.submit(carol, submission)),
      ]

      expect(faultsOf(cards)).toEqual([])
    }),
    { numRuns: 150 },
  )
})
