import type { Command, PowerVerb } from './commands.ts'
import type { Token } from './normalise.ts'
import { bareName, listed, put, putMachine, resolveName, resolveTemplate, type Scan, shown } from './scan.ts'
import { type Place, usageByName } from './usage.ts'
import { guess, wordAt } from './words.ts'

/** The command that a scanned line stands for. What is in doubt is written into the scan. */
export function build(scan: Scan): Command {
  const { verb } = scan.row
  switch (verb) {
    case 'approve':
    case 'deny':
    case 'cancel':
      return decision(scan, verb)
    case 'edit': {
      const { request } = decision(scan, verb)
      return { verb, ...(request === undefined ? {} : { request }) }
    }
    case 'list':
      return listing(scan)
    case 'help':
      return help(scan)
    case 'settings':
      return { verb, settings: settings(scan) }
    case 'console': {
      const serial = takeWord(scan, ['serial'])
      if (!serial) takeWord(scan, ['screen', 'vnc'])
      fillPlaces(scan)
      return { verb, ...scan.slots, console: serial ? 'serial' : 'screen' }
    }
    case 'start':
    case 'stop':
    case 'off':
    case 'reset':
    case 'save':
    case 'resume':
      return power(scan, verb)
    case 'resize': {
      fillPlaces(scan)
      const { more, ...slots } = scan.slots
      const said = more === 'cpus' ? slots.cpus : slots.memoryGb
      return { verb, ...slots, ...(more === undefined || said !== undefined ? {} : { more }) }
    }
    case 'rebalance': {
      const isGreen = takeWord(scan, ['consolidate', 'green', 'pack'])
      const isEven = !isGreen && takeWord(scan, ['spread', 'even', 'evenly'])
      return { verb, ...(isGreen ? { goal: 'consolidate' } : isEven ? { goal: 'spread' } : {}) }
    }
    case 'prices':
    case 'templates':
    case 'hosts':
    case 'desktop-list':
    case 'desktop-terminals':
      return { verb }
    case 'figures':
    case 'import':
    case 'export':
      fillPlaces(scan)
      return { verb, ...scan.slots }
    default:
      fillPlaces(scan)
      return { verb, ...scan.slots }
  }
}

function fillPlaces(scan: Scan): void {
  for (const place of scan.row.places) {
    const token = scan.rest[0]
    if (token === undefined || token.kind === 'flag' || isFilled(scan, place)) continue
    scan.rest.shift()
    fillPlace(scan, place, token)
  }
}

function isFilled(scan: Scan, place: Place): boolean {
  return place === 'machines' || scan.slots[place] !== undefined
}

function fillPlace(scan: Scan, place: Place, token: Token): void {
  const { hosts, pools, budgets } = scan.context.lexicon
  if (place === 'machine') putMachine(scan, token)
  if (place === 'host') put(scan, place, resolveName(scan, token, 'host', hosts))
  if (place === 'pool') put(scan, place, resolveName(scan, token, 'pool', pools))
  if (place === 'budget') put(scan, place, resolveName(scan, token, 'budget', budgets))
  if (place === 'template') fillTemplate(scan, token)
  if (place === 'snapshot' || place === 'file') put(scan, place, token.text)
  if (place === 'image' || place === 'name') put(scan, place, bareName(token.text).toLowerCase())
}

/** What is left over in a request is its template, or a mistyped budget code. */
function fillTemplate(scan: Scan, token: Token): void {
  const { templates, budgets } = scan.context.lexicon
  const isBudget = guess(token.text, templates) === undefined && guess(token.text, budgets) !== undefined
  if (isBudget && scan.slots.budget === undefined)
    put(scan, 'budget', resolveName(scan, token, 'budget', budgets))
  else put(scan, 'template', resolveTemplate(scan, token))
}

function power(scan: Scan, verb: PowerVerb): Command {
  const tokens = scan.rest.filter((token) => token.kind !== 'flag')
  scan.rest = scan.rest.filter((token) => token.kind === 'flag')
  const names = tokens.map((token) => resolveName(scan, token, 'server', scan.context.lexicon.machines))
  return { verb, machines: [...new Set(names)] }
}

/** `R-12`, `r12`, `#12` or `12`, and a reason in quotes or in all the words that follow. */
function decision<V extends 'approve' | 'deny' | 'cancel' | 'edit'>(
  scan: Scan,
  verb: V,
): { verb: V; request?: string; reason?: string } {
  const { tokens, line } = scan
  scan.rest = []
  const lead = ['request', 'the'].includes(wordAt(tokens, 0)) ? 1 : 0
  const number = /^#?(?:r-?)?(\d{1,9})$/.exec(wordAt(tokens, lead))?.[1]
  const from = number === undefined ? lead : lead + 1
  const marked = ['because', 'why', 'reason', 'as', 'since'].includes(wordAt(tokens, from)) ? 1 : 0
  const first = tokens[from + marked]
  if (first !== undefined && number === undefined && marked === 0) {
    scan.problem ??= `I did not understand "${shown(first.text)}". A request is named by its number, such as R-12.`
  }
  const text =
    first?.kind === 'quoted' && from + marked === tokens.length - 1 ? first.text : line.slice(first?.start)
  const reason = first === undefined || text.trim() === '' ? {} : { reason: text }
  return { verb, ...(number === undefined ? {} : { request: `R-${Number(number)}` }), ...reason }
}

const lists: Readonly<Record<string, 'mine' | 'all' | 'expiring'>> = {
  mine: 'mine',
  all: 'all',
  everything: 'all',
  everyone: 'all',
  expiring: 'expiring',
  expires: 'expiring',
  ending: 'expiring',
  soon: 'expiring',
}

function listing(scan: Scan): Command {
  const token = scan.rest[0]
  if (token === undefined) return { verb: 'list', which: 'mine' }
  scan.rest.shift()
  const word = token.text.toLowerCase()
  const which = Object.hasOwn(lists, word) ? lists[word] : undefined
  if (which !== undefined) {
    if (lists[wordAt(scan.rest, 0)] === which) scan.rest.shift()
    return { verb: 'list', which }
  }
  const verb = usageByName.get(word)?.verb
  if (verb === 'templates' || verb === 'hosts' || verb === 'prices' || verb === 'desktop-list')
    return { verb }
  const machine = listed(word, scan.context.lexicon.machines)
  if (machine !== undefined) return { verb: 'show', machine }
  const meant = guess(word, ['mine', 'all', 'expiring'])
  if (meant === undefined) scan.rest.unshift(token)
  else scan.corrections.push({ noun: 'list', token, meant })
  return { verb: 'list', which: lists[meant ?? 'mine'] ?? 'mine' }
}

function help(scan: Scan): Command {
  const word = scan.tokens.map((token) => token.text.toLowerCase()).join(' ')
  scan.rest = []
  return { verb: 'help', ...(word === '' ? {} : { word }) }
}

/** `notify=dm quiet=18:00-08:00`, or pairs of words. */
function settings(scan: Scan): { name: string; value: string }[] {
  const pairs: { name: string; value: string }[] = []
  scan.rest = []
  for (let at = 0; at < scan.tokens.length; at += 2) {
    const name = scan.tokens[at]?.text.toLowerCase() ?? ''
    pairs.push({ name, value: scan.tokens[at + 1]?.text ?? '' })
  }
  return pairs
}

function takeWord(scan: Scan, words: readonly string[]): boolean {
  const index = scan.rest.findIndex((_, at) => words.includes(wordAt(scan.rest, at)))
  if (index < 0) return false
  scan.rest.splice(index, 1)
  return true
}
