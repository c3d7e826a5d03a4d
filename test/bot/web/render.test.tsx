import fc from 'fast-check'
import { renderToString } from 'preact-render-to-string'
import { expect, test } from 'vitest'
import type { Card } from '../../../bot/card.ts'
import { CardView } from '../../../bot/web/render.tsx'
import { inlineParts, tagsOf } from '../../portal/markup.ts'

const nasty = fc.oneof(
  fc.constantFrom(
    ...[
      '<script>alert(1)</script>',
      '"><img src=x onerror=alert(1)>',
      '</article></main>',
      '&lt;b&gt;',
      '<!--',
    ],
    ...[
      '@channel <!here> <@U1>',
      '[x](javascript:alert(1))',
      "' onclick='",
      '{{7*7}}',
      '\u202emoc.live',
      ']]>',
    ],
  ),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }),
)

/** A card that says something in every place that a card has. */
function aCard(text: string, other: string): Card {
  return {
    ...{ summary: text, title: other, tone: 'warn', about: 'request:R-1' },
    parts: [
      { kind: 'text', text },
      { kind: 'facts', rows: [{ name: other.slice(0, 40), value: text }] },
      { kind: 'table', caption: text, columns: [other.slice(0, 40)], rows: [[text], [other]] },
      { kind: 'progress', label: text, stages: [{ name: other, state: 'running' }] },
      { kind: 'code', text },
      { kind: 'link', label: text, url: 'https://jackdaw.example.org/' },
      {
        kind: 'buttons',
        buttons: [
          {
            ...{
              label: text.slice(0, 40),
              action: 'show',
              value: other,
              style: 'plain',
              spoken: text.slice(0, 75),
            },
            ...{ confirm: { title: text, text: other, yes: 'Yes' }, ask: { label: other, required: true } },
          },
        ],
      },
      {
        ...{ kind: 'form', action: 'deny', value: other, submit: 'Send' },
        fields: [
          {
            ...{
              name: 'reason',
              label: text.slice(0, 40),
              kind: 'text',
              value: other,
              choices: [],
              required: true,
            },
            ...{ hint: text, error: other },
          },
        ],
      },
    ],
  }
}

test('whatever people typed is text: it opens no tag, runs nothing, leads nowhere and is not lost', () => {
  fc.assert(
    fc.property(nasty, nasty, (text, other) => {
      const html = renderToString(
        <CardView card={aCard(text, other)} place={{ message: text, version: other }} />,
      )

      const tags = tagsOf(html)
      const plain = tagsOf(
        renderToString(<CardView card={aCard('a', 'b')} place={{ message: 'a', version: 'b' }} />),
      )
      expect(tags.map(({ name }) => name)).toEqual(plain.map(({ name }) => name))
      expect(inlineParts(tags)).toEqual([])
      expect(tags.flatMap(({ attributes }) => attributes.href ?? [])).toEqual([
        'https://jackdaw.example.org/',
      ])
      expect(unescaped(/<p class="card-text">(.*?)<\/p>/s.exec(html)?.[1] ?? '')).toBe(text)
    }),
    { numRuns: 400 },
  )
})

test.each(['javascript:alert(1)', 'data:text/html,x', 'vbscript:x', 'JaVaScRiPt:alert(1)'])(
  'a link to %s is no link',
  (url) => {
    const card: Card = { ...aCard('a', 'b'), parts: [{ kind: 'link', label: 'here', url }] }

    const html = renderToString(<CardView card={card} place={{ message: 'a', version: 'b' }} />)

    expect(tagsOf(html).filter(({ name }) => name === 'a')).toEqual([])
  },
)

function unescaped(text: string): string {
  return text
    .replaceAll('&quot;', '"')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
}
