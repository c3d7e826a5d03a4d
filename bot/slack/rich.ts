import type { types } from '@slack/bolt'
import { DateTime } from 'luxon'

/**
 * Text of cards as Slack's rich text. Nothing in it is parsed by Slack: an element of type `text` is shown as it stands,
 * so that no name and no reason can mention anybody, forge a link or end a code block.
 */
export type Inline = types.RichTextText | types.RichTextLink | types.RichTextEmoji | types.RichTextDate
type Style = NonNullable<types.RichTextText['style']>

/** How cards write an instant (`bot/cards/words`): `Sat 31 Jan 2026, 13:00`, in the site's zone. */
const written = /\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) \d{1,2} [A-Z][a-z]{2} \d{4}, \d{2}:\d{2}/g

/**
 * A text with its instants as dates that each reader sees in their own zone. What only looks like one stays text, and so
 * does the hour that the clock of the site's zone shows twice a year.
 */
export function inlines(text: string, zone: string, style?: Style): Inline[] {
  const found: Inline[] = []
  let from = 0
  for (const match of text.matchAll(written)) {
    const date = dateOf(match[0], zone)
    if (date === undefined) continue
    found.push(...plain(text.slice(from, match.index), style), date)
    from = match.index + match[0].length
  }
  return [...found, ...plain(text.slice(from), style)]
}

function plain(text: string, style: Style | undefined): Inline[] {
  return text === '' ? [] : [{ type: 'text', text, ...(style === undefined ? {} : { style }) }]
}

function dateOf(text: string, zone: string): types.RichTextDate | undefined {
  const at = DateTime.fromFormat(text, 'ccc d LLL yyyy, HH:mm', { zone, locale: 'en-GB' })
  if (!at.isValid || at.getPossibleOffsets().length > 1) return undefined
  return {
    type: 'date',
    timestamp: at.toUnixInteger(),
    format: '{date_short_pretty} at {time}',
    fallback: text,
  }
}

export function section(...elements: Inline[]): types.RichTextSection {
  return { type: 'rich_text_section', elements }
}

export function richText(...elements: types.RichTextBlock['elements']): types.RichTextBlock {
  return { type: 'rich_text', elements }
}

export function preformatted(text: string): types.RichTextBlock {
  return richText({ type: 'rich_text_preformatted', elements: [{ type: 'text', text }] })
}

/**
 * Text for the few places where Slack parses what it is given, which is the line of the notification: `&`, `<` and `>` are
 * all that its markup begins with (docs.slack.dev, "Formatting message text").
 */
export function escaped(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;')
}
