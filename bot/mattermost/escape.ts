/**
 * Text that people typed, as Markdown that shows exactly that text: it mentions nobody, links nowhere and starts no list,
 * heading or table. Mattermost reads Markdown in messages, attachments and the introduction of dialogs.
 *
 * A backslash is understood only before some characters; where it is not, a word joiner (U+2060, no width, no white
 * space) parts what would be read as one thing.
 */
const joiner = '\u2060'

/** Addresses are shown as code: whoever copies one gets it whole, and nobody is led anywhere by a message of ours. */
const address = /(?:[a-z][a-z0-9+.-]{0,60}:\/\/|www\.|mailto:)[^\s`\\|<>"]+/gi

/** Several lines of text. */
export function plain(text: string): string {
  return text
    .split(/\r\n|[\n\r]/)
    .map(line)
    .join('\n')
}

/** Text in one line, such as a title or a value. */
export function inline(text: string): string {
  return line(oneLine(text))
}

/** Text in a cell of a table. */
export function cell(text: string): string {
  return spans(oneLine(text))
}

/** The label of a button or of a choice: no Markdown is read in it, but mentions and emoji are. */
export function label(text: string): string {
  return guarded(oneLine(text))
}

/** Text that is shown letter by letter. The fence is longer than any in the text. */
export function codeBlock(text: string): string {
  const longest = Math.max(2, ...Array.from(text.matchAll(/`+/g), ([ticks]) => ticks.length))
  const fence = '`'.repeat(longest + 1)
  return `${fence}\n${text}\n${fence}`
}

/** A link to a page of the web. Another scheme is shown as text: it could start a program. */
export function linkTo(text: string, url: string): string {
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) return `${inline(text)}: ${inline(url)}`
  return `[${inline(text)}](${new URL(url).href.replace(/[()<>"'\\|`*_]/g, percentEncoded)})`
}

function percentEncoded(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}

function line(text: string): string {
  const safe = spans(text)
  // What starts a heading, a quotation, a list, a rule, an underline or an indented block.
  return /^(?:\s|[#>]|[+-](?:\s|$)|\d+[.)](?:\s|$)|-{2,}\s*$|=+\s*$)/.test(text) ? joiner + safe : safe
}

function spans(text: string): string {
  let done = 0
  let safe = ''
  for (const found of text.matchAll(address)) {
    // What ends a sentence does not belong to the address.
    const url = found[0].replace(/[.,;:!?)\]'"]+$/, '')
    safe += `${escaped(text.slice(done, found.index))}\`${url}\``
    done = found.index + url.length
  }
  return safe + escaped(text.slice(done))
}

function escaped(text: string): string {
  return guarded(text.replace(/[\\`*_[\]~|]/g, '\\$&'))
}

/** Mentions, links to channels, hashtags, emoji, entities, and addresses in angle brackets. */
function guarded(text: string): string {
  return text.replace(/[@~<](?=\S)|#(?=\p{L})|:(?=[\w+-]+:)|&(?=#?\w+;)/gu, `$&${joiner}`)
}
