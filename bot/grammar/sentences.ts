import type { Verb } from './commands.ts'
import type { Intent } from './intent.ts'
import type { Token } from './normalise.ts'
import { listed, type LineContext } from './scan.ts'
import { readTerm } from './terms.ts'
import { usageOf } from './usage.ts'
import { fillers, wordAt } from './words.ts'

interface Heard {
  /** All words in lower case with one space between. */
  said: string
  machine: Token | undefined
  hasTemplate: boolean
  hasTerm: boolean
  wish: boolean
}

const notNeeded =
  /\b(?:do not|don'?t|does not|doesn'?t|won'?t|will not|no longer|is not|isn'?t|not) (?:\w+ )?(?:need|use|require)/
const copies = /\b(?:images?|copies|replicas?|replicate|replicated|clones|cloned|copied|duplicated)\b/
const howOften =
  /\b(?:\d+|two|three|four|five|six|seven|eight|nine|ten|\w+teen|eleven|twelve|twenty)(?: ?x| (?:\w+ )?(?:times|copies|replicas|clones))\b|\bx\d+\b/
const testBed =
  /\b(?:test|testing|staging|trial)[- ](?:environment|env|bed|system|server|machine|copy|vm|setup|instance)\b/
const surelyTestBed = /\b(?:test|testing|staging)[- ](?:environment|env|bed|setup)\b/
const wantsMore =
  /\b(?:more|extra|additional|bigger) (?:memory|ram|cpus?|cores?|vcpus?)\b|\b(?:gb?|cpus?|cores?) (?:more|extra|additional)\b/
const sizes = /\b\d+ ?(?:gb?|cpus?|cores?|c)\b/

/** "An image", "a copy": nouns here, though they are verbs of ours too. */
const imageVerbs: readonly Verb[] = ['capture', 'clone', 'templates']

/**
 * The sentences that need no verb of ours: an image and copies of it, more memory, an archive, a test copy, a longer
 * stay. Nothing when the words are none of these.
 */
export function findSentence(
  tokens: readonly Token[],
  body: readonly Token[],
  context: LineContext,
  lead: { wish: boolean; verb: Verb | undefined },
): Intent | undefined {
  if (lead.verb !== undefined && !imageVerbs.includes(lead.verb)) return undefined
  const heard = hear(tokens, body, context, lead.wish)
  const verb = verbOf(heard)
  if (verb === undefined) return undefined
  const { machine } = heard
  const rest = tokens.filter((token) => token !== machine)
  return { row: usageOf(verb), tokens: rest, sentence: true, ...(machine === undefined ? {} : { machine }) }
}

function verbOf(heard: Heard): Verb | undefined {
  const { said, machine, wish } = heard
  if (notNeeded.test(said)) return 'archive'
  if (wantsMore.test(said) && !heard.hasTemplate) return 'resize'
  if (copies.test(said) && (howOften.test(said) || /\bimage\b/.test(said))) return 'capture'
  if (surelyTestBed.test(said) || (testBed.test(said) && machine !== undefined)) return 'clone'
  if (!wish || machine === undefined || heard.hasTemplate) return undefined
  if (sizes.test(said)) return 'resize'
  return heard.hasTerm ? 'extend' : undefined
}

function hear(tokens: readonly Token[], body: readonly Token[], context: LineContext, wish: boolean): Heard {
  const { templates } = context.lexicon
  return {
    said: tokens.map((_, at) => wordAt(tokens, at)).join(' '),
    machine: machineIn(tokens, context),
    hasTemplate: body.some(({ kind, text }) => kind === 'word' && listed(text, templates) !== undefined),
    hasTerm: tokens.some((_, at) => readTerm(tokens, at, context) !== undefined),
    wish,
  }
}

/** The server that a sentence is about: one that is listed, or what stands where its name would. */
function machineIn(tokens: readonly Token[], context: LineContext): Token | undefined {
  const { machines, templates, budgets, hosts } = context.lexicon
  const known = tokens.find(({ kind, text }) => kind === 'word' && listed(text, machines) !== undefined)
  if (known !== undefined) return known
  return tokens.find((token, at) => {
    if (!['of', 'for', 'from', 'need', 'use', 'replicate'].includes(wordAt(tokens, at - 1))) return false
    const other = [...templates, ...budgets, ...hosts]
    if (token.kind !== 'word' || fillers.has(wordAt(tokens, at)) || listed(token.text, other) !== undefined)
      return false
    // A name that nobody knows must look like one: "the AFS team" is no server.
    return (
      /[\d-]/.test(token.text) && /^[a-z]/i.test(token.text) && readTerm(tokens, at, context) === undefined
    )
  })
}
