import type { Problem } from './faults.ts'

/** Longer patterns than this are programs, not rules that people can follow. */
const longest = 200
/** Each repetition multiplies the ways to try; names are at most 63 characters, so this many stay cheap. */
const mostRepetitions = 4

type Fault = Pick<Problem, 'wrong' | 'right'>

/**
 * Checks the pattern that machine names must match. It runs on what people type, so one whose matching time may
 * explode (nested repetitions, references back) is refused: nothing in JavaScript can interrupt a match.
 * @returns the first fault, or nothing when the pattern is fine.
 */
export function nameRuleFault(pattern: string): Fault | undefined {
  if (pattern.length > longest)
    return { wrong: `is ${pattern.length} characters long`, right: `should be at most ${longest}` }
  const broken = syntaxFault(pattern)
  if (broken !== undefined) return { wrong: broken, right: 'should be one, such as ^[a-z][a-z0-9-]{1,14}$' }
  return anchorFault(pattern) ?? costFault(pattern)
}

function syntaxFault(pattern: string): string | undefined {
  try {
    new RegExp(pattern)
    return undefined
  } catch {
    return 'is not a regular expression'
  }
}

function anchorFault(pattern: string): Fault | undefined {
  if (!pattern.startsWith('^') || !/(^|[^\\])(\\\\)*\$$/.test(pattern)) {
    return { wrong: 'may match only a part of a name', right: 'should begin with ^ and end with $' }
  }
  if (tokens(pattern).some(({ text, depth }) => text === '|' && depth === 0)) {
    return {
      wrong: 'has a choice that ^ and $ do not hold together',
      right: 'should hold the choice in brackets: ^(…|…)$',
    }
  }
  return undefined
}

function costFault(pattern: string): Fault | undefined {
  const all = tokens(pattern)
  if (all.some(({ text }) => /^\\[1-9k]/.test(text))) {
    return { wrong: 'refers back to what a group matched', right: 'should do without' }
  }
  if (
    all.some(
      (token, index) => token.text === ')' && repeats(all[index + 1]) && !isPlain(groupBefore(all, index)),
    )
  ) {
    return {
      wrong: 'repeats a group that itself repeats or chooses, and may take for ever',
      right: 'should repeat a character class instead, such as [a-z0-9-]{0,30}',
    }
  }
  const repetitions = all.filter(repeats).length
  if (repetitions <= mostRepetitions) return undefined
  return {
    wrong: `has ${repetitions} repetitions, and may take for ever`,
    right: `should have at most ${mostRepetitions}`,
  }
}

interface Token {
  text: string
  /** How many groups it stands in. */
  depth: number
}

/** Escapes, character classes, group openings and quantifiers are one token each; anything else is its character. */
function tokens(pattern: string): Token[] {
  const parts = pattern.match(/\\.|\[(?:\\.|[^\]\\])*\]|\(\?(?:<?[=!]|:|<\w+>)|\{\d+(?:,\d*)?\}|[^]/g) ?? []
  let depth = 0
  return parts.map((text) => {
    if (text === ')') depth--
    const token = { text, depth }
    if (text.startsWith('(')) depth++
    return token
  })
}

/** Whether a token may take more than one of what stands before it. */
function repeats(token: Token | undefined): boolean {
  if (token === undefined) return false
  return token.text === '*' || token.text === '+' || /^\{\d/.test(token.text)
}

function groupBefore(all: readonly Token[], closing: number): Token[] {
  const depth = all[closing]?.depth
  const opening = all.findLastIndex(
    (token, index) => index < closing && token.depth === depth && token.text.startsWith('('),
  )
  return all.slice(opening + 1, closing)
}

function isPlain(group: readonly Token[]): boolean {
  return !group.some((token) => repeats(token) || token.text === '|' || token.text === '?')
}
