import type { Token } from './normalise.ts'
import { listed, type Correction, type LineContext } from './scan.ts'
import { findSentence } from './sentences.ts'
import { type Usage, usageByName, usageOf, usages } from './usage.ts'
import { fillers, guess, wordAt } from './words.ts'

/** What a line is about: the verb, and the words that belong to it. */
export interface Intent {
  row: Usage
  tokens: readonly Token[]
  /** Whether other words need no meaning. */
  sentence: boolean
  /** The word that the verb was typed as, where it was one. */
  typed?: string
  /** The server that a sentence is about; not among its tokens. */
  machine?: Token
  correction?: Correction
}

const courtesies: ReadonlySet<string> = new Set(
  (
    "please pls kindly can could would will may might you i we i'd we'd i'll hey hi hello dear jackdaw just also " +
    'now ok okay then so and let lets me us to'
  ).split(' '),
)
const wishes: ReadonlySet<string> = new Set('need needs want wants like get give have make'.split(' '))

/** Finds the verb of a line, wherever politeness or habit has put it. Nothing when there is none to be found. */
export function findIntent(all: readonly Token[], context: LineContext): Intent | undefined {
  const { tokens, face } = addressed(all, context)
  if (face === '/desktop') return desktopIntent(tokens, context)
  const lead = leadOf(tokens)
  const body = tokens.slice(lead.length)
  if (body.length === 0) return { row: usageOf('help'), tokens: [], sentence: false }
  const verb = verbAt(body, context)
  if (verb !== undefined && !lead.wish) return verb
  const noun = verb ?? verbAt(withoutArticles(body), context)
  return (
    findSentence(tokens, body, context, { wish: lead.wish, verb: noun?.row.verb }) ??
    noun ??
    invertedAt(body, context) ??
    wishAt(body, lead.wish, context) ??
    misspelt(body)
  )
}

/** The words after the bot's name and the slash command, and which verbs they are from. */
function addressed(
  all: readonly Token[],
  context: LineContext,
): { tokens: readonly Token[]; face: LineContext['verbs'] } {
  let at = 0
  while (all[at]?.kind === 'word' && all[at]?.text.startsWith('@') === true) at++
  if (all[at]?.kind === 'flag' && all[at]?.text === 'jackdaw') at++
  const word = wordAt(all, at)
  if (word === '/vm' || word === 'vm') return { tokens: all.slice(at + 1), face: '/vm' }
  if (word === '/desktop') return { tokens: all.slice(at + 1), face: '/desktop' }
  return { tokens: all.slice(at), face: context.verbs }
}

function desktopIntent(tokens: readonly Token[], context: LineContext): Intent {
  const rest = ['desktop', 'desk'].includes(wordAt(tokens, 0)) ? tokens.slice(1) : tokens
  const word = wordAt(rest, 0)
  if (['help', '?', 'h'].includes(word))
    return { row: usageOf('help'), tokens: rest.slice(1), sentence: false }
  const row = usageByName.get(`desktop ${word}`)
  if (row !== undefined) return { row, tokens: rest.slice(1), sentence: false }
  const { pools } = context.lexicon
  const isPool = listed(word, pools) !== undefined || guess(word, pools) !== undefined
  const verb = isPool ? undefined : misspelt(rest, 'desktop ')
  return verb ?? { row: usageOf('desktop-open'), tokens: rest, sentence: false }
}

function leadOf(tokens: readonly Token[]): { length: number; wish: boolean } {
  let length = 0
  let wish = false
  for (; tokens[length]?.kind === 'word'; length++) {
    const word = wordAt(tokens, length)
    if (wishes.has(word)) wish = true
    else if (!courtesies.has(word)) break
  }
  return { length, wish }
}

function verbAt(tokens: readonly Token[], context: LineContext): Intent | undefined {
  if (tokens[0]?.kind === 'quoted') return undefined
  const first = wordAt(tokens, 0)
  const two = usageByName.get(`${first} ${wordAt(tokens, 1)}`)
  if (two !== undefined) return { row: two, tokens: tokens.slice(2), sentence: false }
  const row = usageByName.get(first)
  if (row === undefined) return undefined
  if (row.verb === 'desktop-open') return desktopIntent(tokens, context)
  return { row, tokens: tokens.slice(1), sentence: false, typed: first }
}

function withoutArticles(tokens: readonly Token[]): readonly Token[] {
  let at = 0
  while (['a', 'an', 'the', 'my', 'some', 'new'].includes(wordAt(tokens, at))) at++
  return tokens.slice(at)
}

/** "webafs20 stop", "--name web1 request slc5", and a server's name alone, which shows it. */
function invertedAt(tokens: readonly Token[], context: LineContext): Intent | undefined {
  const [first, ...rest] = tokens
  if (first?.kind === 'flag') {
    const at = tokens.findIndex(({ kind, text }) => kind === 'word' && usageByName.has(text.toLowerCase()))
    const late = at < 0 ? undefined : verbAt(tokens.slice(at), context)
    return late === undefined ? undefined : { ...late, tokens: [...tokens.slice(0, at), ...late.tokens] }
  }
  if (first === undefined || listed(first.text, context.lexicon.machines) === undefined) return undefined
  if (rest.length === 0) return { row: usageOf('show'), tokens, sentence: false }
  const verb = verbAt(rest, context)
  return verb === undefined ? undefined : { ...verb, tokens: [first, ...verb.tokens] }
}

/** A wish for servers or a desktop, or a line that names a template or a number of servers without any verb. */
function wishAt(tokens: readonly Token[], wish: boolean, context: LineContext): Intent | undefined {
  const { templates, pools } = context.lexicon
  const isDesktop = (at: number) => ['desktop', 'desktops'].includes(wordAt(tokens, at))
  const others = tokens.filter((_, at) => !isDesktop(at) && !fillers.has(wordAt(tokens, at)))
  if (
    wish &&
    tokens.some((_, at) => isDesktop(at)) &&
    others.every(({ text }) => listed(text, pools) !== undefined)
  ) {
    return { row: usageOf('desktop-open'), tokens: others, sentence: false }
  }
  const named = tokens.some(({ kind, text }) => kind === 'word' && listed(text, templates) !== undefined)
  const counted = /^\d/.test(wordAt(tokens, 0)) && tokens.some((_, at) => fillers.has(wordAt(tokens, at)))
  if (!wish && !named && !counted) return undefined
  return { row: usageOf('request'), tokens, sentence: false }
}

function misspelt(tokens: readonly Token[], prefix = ''): Intent | undefined {
  const token = tokens[0]
  if (token === undefined || token.kind === 'quoted') return undefined
  const names = usages.flatMap((row) => row.names).filter((name) => name.startsWith(prefix))
  const typed = token.text.toLowerCase()
  const near = names
    .map((name) => name.slice(prefix.length))
    .filter((name) => name !== '' && !name.includes(' ') && guess(typed, [name]) !== undefined)
  // Two words for one verb are no tie: the nearest, or any when all mean the same.
  const meant = guess(typed, near) ?? (sameVerb(near, prefix) ? near[0] : undefined)
  const row = usageByName.get(`${prefix}${meant ?? ''}`)
  if (row === undefined || meant === undefined) return undefined
  return { row, tokens: tokens.slice(1), sentence: false, correction: { noun: 'verb', token, meant } }
}

function sameVerb(names: readonly string[], prefix: string): boolean {
  return new Set(names.map((name) => usageByName.get(prefix + name)?.verb)).size === 1
}
