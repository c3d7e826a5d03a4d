import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Card } from '../../../bot/card.ts'
import { card as drawn, words } from '../../../bot/cards/parts.ts'
import type { Deed } from '../../../bot/mattermost/deed.ts'
import { askDialog, dialogOf, formDeed } from '../../../bot/mattermost/dialog.ts'
import { cell, inline, linkTo, plain } from '../../../bot/mattermost/escape.ts'
import { renderCard, type Rendered } from '../../../bot/mattermost/render.ts'
import { dialogFaults, postFaults } from '../../fakes/mattermost/limits.ts'
import { cards } from '../cards/every-card.ts'
import { dialogAsText, postAsText, shownOf } from './as-text.ts'

const every = Object.entries(cards)

/** One of each kind; what cards say is kept beside the cards. */
const kept = [
  ...['approval wanted', 'approval denied, for the other approver', 'request being made', 'reminder'],
  ...['machine list', 'machine running, for its owner', 'costs of a budget', 'refusal with hosts'],
  ...['help of one verb', 'not understood, careful', 'confirm', 'connect to linux'],
]

function render(card: Card, { blocks = false } = {}): Rendered {
  const seal = (deed: Deed) => ({ deed: JSON.stringify(deed) })
  return renderCard(card, {
    url: 'https://jackdaw.example.org/mattermost/action',
    seal,
    pictures: true,
    blocks,
    mark: 'a',
  })
}

describe('every card', () => {
  test.each(every)('%s is within the limits of a post', (_name, card) => {
    expect(postFaults(render(card))).toEqual([])
  })

  test.each(every.filter(([name]) => kept.includes(name)))(
    '%s is written as it always was',
    async (name, card) => {
      const post = render(card)

      await expect(postAsText(post)).toMatchFileSnapshot(`kept/${name.replaceAll(/[^a-z]+/gi, '-')}.txt`)
    },
  )

  test.each(every)('%s fits into blocks, or is written as attachments', (_name, card) => {
    const post = render(card, { blocks: true })

    expect(postFaults(post)).toEqual([])
    expect(post.message).toBe(render(card).message)
  })

  test.each(every.filter(([, { parts }]) => parts.some(({ kind }) => kind === 'form')))(
    'the form of %s opens as a dialog',
    async (name, card) => {
      const form = card.parts.find((part) => part.kind === 'form')
      const refreshUrl = 'https://jackdaw.example.org/mattermost/dialog'

      const dialog = form === undefined ? {} : dialogOf(formDeed(card, form), { state: 'state', refreshUrl })

      expect(dialogFaults(dialog)).toEqual([])
      await expect(dialogAsText(dialog)).toMatchFileSnapshot(
        `kept/dialog-${name.replaceAll(/[^a-z]+/gi, '-')}.txt`,
      )
    },
  )

  test('every button that asks first asks in a dialog', () => {
    const buttons = every.flatMap(([, { parts }]) =>
      parts.flatMap((part) => (part.kind === 'buttons' ? part.buttons : [])),
    )
    const asking = buttons.filter(({ confirm, ask }) => confirm !== undefined || ask !== undefined)

    const faults = asking.flatMap(({ label, action, value, confirm, ask }) =>
      dialogFaults(
        askDialog(
          {
            ...{ kind: 'press', label, action, value },
            ...(confirm === undefined ? {} : { confirm }),
            ...(ask === undefined ? {} : { ask }),
          },
          'state',
        ),
      ),
    )

    expect(asking.length).toBeGreaterThan(3)
    expect(faults).toEqual([])
  })
})

test('blocks have the buttons of the card, registered once each', async () => {
  const post = render(cards['approval wanted'] ?? drawn({ summary: 'none', title: 'none', tone: 'bad' }), {
    blocks: true,
  })

  await expect(JSON.stringify(post, null, 2)).toMatchFileSnapshot('kept/blocks-of-an-approval.json')
})

test('more buttons than fit in a row become a menu', () => {
  const button = { action: 'run', style: 'plain' as const, spoken: 'Show it' }
  const buttons = Array.from({ length: 9 }, (_, at) => ({
    ...button,
    label: `Show ${at}`,
    value: `show ${at}`,
  }))
  const card = drawn({
    summary: 'Nine.',
    title: 'Nine',
    tone: 'neutral',
    parts: [{ kind: 'buttons', buttons }],
  })

  const post = render(card)

  expect(postAsText(post)).toContain('(Choose: Show 0 | Show 1 | Show 2')
  expect(postFaults(post)).toEqual([])
})

/**
 * How the server finds who is mentioned (app/mention_parser_standard.go): in text outside of code, words of letters,
 * numbers and `:.-_@` that begin with an at-sign.
 */
function outsideOfCode(markdown: string): string {
  return markdown.replace(/\\.|(`+)[\s\S]*?\1/g, (whole) => (whole.startsWith('\\') ? whole : ' '))
}

function mentioned(markdown: string): string[] {
  return outsideOfCode(markdown)
    .split(/[^\p{L}\p{N}:.\-_@]+/u)
    .filter((word) => /^[:.\-_]*@[\p{L}\p{N}]/u.test(word))
}

const nasty = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ...[
          '@channel',
          '@all',
          '@here',
          '@alice',
          '~town-square',
          '#tag',
          ':tada:',
          '`',
          '```',
          '*',
          '**',
          '_',
          '~~',
        ],
        ...[
          '[Approve](https://evil.example.org)',
          '[x](mmaction://a1)',
          '![x](https://evil/x.png)',
          '<https://e.org>',
        ],
        ...[
          'https://evil.example.org/a_b?c=*d*',
          'www.evil.org',
          '|',
          '| --- |',
          '\n',
          '\n\n',
          '# head',
          '> quote',
          '- item',
        ],
        ...[
          '1. item',
          '===',
          '---',
          '&lt;',
          '&amp;',
          '\\',
          '\\\\',
          ' ',
          'word',
          '(',
          ')',
          '!',
          'mailto:a@all.org',
          '$x$',
        ],
      ),
      fc.string({ maxLength: 6 }),
    ),
    { maxLength: 14 },
  )
  .map((pieces) => pieces.join(''))

describe('text that people typed', () => {
  test('mentions nobody and leads nowhere, whatever it is', () => {
    fc.assert(
      fc.property(nasty, (text) => {
        for (const markdown of [plain(text), inline(text), cell(text)]) {
          const outside = outsideOfCode(markdown)
          expect(mentioned(markdown)).toEqual([])
          expect(outside).not.toMatch(/(?<!\\)(?:\\\\)*\[[^\]]*\](?:\(|\[)/)
          expect(outside).not.toMatch(/https?:\/\/|www\.\w/i)
        }
      }),
      { numRuns: 2000 },
    )
  })

  test('is shown letter by letter', () => {
    fc.assert(
      fc.property(nasty, (text) => {
        const single = text.replace(/\s+/g, ' ').trim()
        expect(shownOf(inline(text))).toBe(single.replaceAll('\u2060', ''))
      }),
      { numRuns: 2000 },
    )
  })

  test('breaks no table: a cell has no bar that parts it and no line of its own', () => {
    fc.assert(
      fc.property(nasty, (text) => {
        expect(cell(text)).not.toMatch(/(?<!\\)(?:\\\\)*\||[\n\r]/)
      }),
      { numRuns: 2000 },
    )
  })

  test('does not start a heading, a list or a quotation', () => {
    const starts = ['# a', '> a', '- a', '+ a', '* a', '1. a', '2) a', '    a', '===', '---']

    const safe = plain(starts.join('\n')).split('\n')

    expect(safe.filter((line) => /^(?:[#>]|[+-]\s|-{3}|=|\s|\*|\d+[.)]\s)/.test(line))).toEqual([])
  })

  test('in any part of a card mentions nobody', () => {
    const text = '@channel @all @here @alice [Approve](https://evil.example.org)'
    const card: Card = {
      ...{ summary: text, title: text, tone: 'warn' },
      parts: [
        { kind: 'text', text },
        { kind: 'facts', rows: [{ name: '@all', value: text }] },
        { kind: 'table', caption: text, columns: ['@here'], rows: [[text]] },
        { kind: 'progress', label: text, stages: [{ name: text, state: 'running' }] },
        { kind: 'link', label: text, url: 'https://jackdaw.example.org/x' },
        {
          kind: 'buttons',
          buttons: [{ label: '@all @here', action: 'run', value: 'x', style: 'plain', spoken: '@channel' }],
        },
      ],
    }

    const texts = [false, true].flatMap((blocks) => [
      render(card, { blocks }).message,
      ...textsIn(render(card, { blocks }).props),
    ])

    expect(texts.flatMap(mentioned)).toEqual([])
    expect(texts.length).toBeGreaterThan(15)
  })
})

/** Every text that a client shows: not what is sealed for ourselves. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inside]) =>
    ['context', 'integration', 'url', 'mm_blocks_actions', 'id', 'action_id', 'type'].includes(key)
      ? []
      : textsIn(inside),
  )
}

test.each(['javascript:alert(1)', 'mmaction://a1', 'file:///etc/passwd', 'not an address'])(
  'the address %s is no link',
  (url) => {
    expect(linkTo('here', url)).not.toContain('](')
  },
)

test('an address cannot end its link early', () => {
  expect(linkTo('here', 'https://x.example.org/a)b(c"d e')).toBe(
    '[here](https://x.example.org/a%29b%28c%22d%20e)',
  )
})

test('a card that is only a sentence is only a message', () => {
  const post = render(drawn({ summary: 'No request of yours waits.', title: 'Requests', tone: 'neutral' }))

  expect(post).toEqual({ message: 'No request of yours waits.', props: { attachments: [] } })
})

test('what is wrong is said in words, not in colour alone', () => {
  const post = render(drawn({ summary: 'That failed.', title: 'Start', tone: 'bad', parts: [words('Why.')] }))

  expect(post.message).toBe('**Failed:** That failed.')
})
