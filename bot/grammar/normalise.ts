/** The longest line that is read. */
export const longestLine = 2000

/** A piece of a line. `start` and `end` are its place in the line, with what was stripped from its edges. */
export interface Token {
  /** `flag` is `--name`, `name=` or `name:`, without its marks. A comma stands alone only as `comma` of the one before. */
  kind: 'word' | 'quoted' | 'flag'
  text: string
  start: number
  end: number
  comma: boolean
}

const invisible = /[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]/g
const oddSpace = /[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]/g
const slackMarkup = /(?<!\\)<([@#!]?)([^<>|]{1,300})(?:\|([^<>|]{0,300}))?>/g
const entity = /(?<!\\)&(amp|lt|gt|quot|#39);/g
const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" }

/**
 * One line as it was meant: without what phones, Slack and HTML add to it.
 * @param people directory users by their id on the platform, for `<@U1>`
 */
export function normalise(text: string, people: Readonly<Record<string, string>>): string {
  return text
    .replace(invisible, '')
    .replace(oddSpace, ' ')
    .replace(slackMarkup, (whole: string, sign: string, id: string, label?: string) =>
      plainMarkup({ whole, sign, id, label: label ?? '' }, people),
    )
    .replace(entity, (whole: string, name: string) => entities[name] ?? whole)
    .trim()
}

/** Slack's `<@U1|bob>`, `<#C1|servers>`, `<!subteam^S1|@group>` and `<url|label>` in plain words. */
function plainMarkup(
  found: { whole: string; sign: string; id: string; label: string },
  people: Readonly<Record<string, string>>,
): string {
  const { whole, sign, id, label } = found
  if (sign === '') return /^(https?|mailto|tel):/.test(id) ? label || id.replace(/^(mailto|tel):/, '') : whole
  // A label is somebody's display name: one with spaces or quotes could smuggle words into another person's line.
  const safe = /^[@#]?[\p{L}\p{N}._-]+$/u.test(label) ? label.replace(/^[@#]/, '') : ''
  const known = sign === '@' && Object.hasOwn(people, id) ? people[id] : undefined
  return (sign === '#' ? '#' : '@') + (known ?? (safe || id))
}

const separator = /[\s,`]/
const doubleQuote = /["“”„‟«»]/
const singleQuote = /['‘’‚‛]/
const dashes = /[‐-―−]/g

/** Words, quoted texts and flags of a normalised line. A quote that is never closed reaches to the end. */
export function tokenise(line: string): Token[] {
  const tokens: Token[] = []
  let at = 0
  while (at < line.length) {
    const last = tokens.at(-1)
    const char = line.charAt(at)
    if (separator.test(char)) {
      if (char === ',' && last !== undefined) last.comma = true
      at++
      continue
    }
    const token = readQuoted(line, at) ?? readWord(line, at)
    at = token.end
    if (token.kind === 'quoted' || token.text !== '') tokens.push(token)
  }
  return tokens
}

function readQuoted(line: string, start: number): Token | undefined {
  const opening = line.charAt(start)
  const single = singleQuote.test(opening)
  if (!single && !doubleQuote.test(opening)) return undefined
  let text = ''
  for (let at = start + 1; at < line.length; at++) {
    const char = line.charAt(at)
    const next = line.charAt(at + 1)
    if (char === '\\' && /["“”„‟«»'‘’‚‛\\<&]/.test(next)) {
      text += next
      at++
    } else if (single ? singleQuote.test(char) && !/[\p{L}\p{N}]/u.test(next) : doubleQuote.test(char)) {
      return { kind: 'quoted', text, start, end: at + 1, comma: false }
    } else {
      text += char
    }
  }
  return single ? undefined : { kind: 'quoted', text, start, end: line.length, comma: false }
}

function readWord(line: string, start: number): Token {
  let end = start
  while (end < line.length && !separator.test(line.charAt(end))) {
    const key = /[=:]/.test(line.charAt(end)) ? asKey(line.slice(start, end)) : undefined
    if (key !== undefined) {
      return { kind: 'flag', text: key, start, end: end + 1, comma: false }
    }
    end++
  }
  const raw = line.slice(start, end)
  const flag = /^[-‐-―−]+([a-z][a-z-]*)$/i.exec(trimEdges(raw))?.[1]
  if (flag !== undefined) return { kind: 'flag', text: flag.toLowerCase(), start, end, comma: false }
  return { kind: 'word', text: trimEdges(raw), start, end, comma: false }
}

/** What stands before a `=` or `:` when that makes it the name of a slot. */
function asKey(raw: string): string | undefined {
  if (raw.length === 0 || raw.length > 24) return undefined
  return /^[-‐-―−]*([a-z][a-z_-]*)$/i.exec(raw)?.[1]?.toLowerCase()
}

/** A word without the brackets and marks that a sentence puts around it. Lone marks vanish; `?` alone asks for help. */
function trimEdges(raw: string): string {
  if (raw === '?') return raw
  const word = raw
    .replace(dashes, '-')
    .replace(/[‘’‛]/g, "'")
    .replace(/^[([{]+/, '')
  let end = word.length
  while (end > 0 && /[.;:!?…)\]}]/.test(word.charAt(end - 1))) end--
  return /^[-*]*$/.test(word.slice(0, end)) ? '' : word.slice(0, end)
}
