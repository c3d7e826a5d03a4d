import {
  isAlias,
  isCollection,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type Document,
  type LineCounter,
  type Node,
  visit,
} from 'yaml'
import { z } from 'zod'
import { list } from '../base/text.ts'
import { nearest } from './near.ts'

export type Path = readonly (string | number)[]

/** Something wrong at a place in the document. */
export interface Problem {
  path: Path
  wrong: string
  right: string
}

/** Something wrong at a line of a file, for the one who writes it. */
export interface Fault {
  line: number
  path: string
  wrong: string
  right: string
}

/** `file:line: path: what is wrong, what would be right`. */
export function formatFault(file: string, fault: Fault): string {
  return `${file}:${fault.line}: ${fault.path}: ${fault.wrong}, ${fault.right}`
}

/** `pools[0].lease.max`; the whole document is `file`. */
export function formatPath(path: Path): string {
  if (path.length === 0) return 'file'
  return path
    .map((step, i) => (typeof step === 'number' ? `[${step}]` : i === 0 ? step : `.${step}`))
    .join('')
}

/** The line of the key or list item that a path leads to, or of the nearest one above when it is missing. */
export function lineOf(document: Document, lines: LineCounter, path: Path): number {
  let node: unknown = document.contents
  let offset = 0
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document)
    const next = child(node, step)
    if (next === undefined) break
    offset = next.offset ?? offset
    node = next.node
  }
  return lines.linePos(offset).line
}

function child(
  node: unknown,
  step: string | number,
): { node: unknown; offset: number | undefined } | undefined {
  if (isSeq(node) && typeof step === 'number') {
    const item = node.items[step]
    return item === undefined ? undefined : { node: item, offset: startOf(item) }
  }
  if (!isMap(node)) return undefined
  const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step))
  return pair === undefined ? undefined : { node: pair.value, offset: startOf(pair.key) }
}

/** The path of the key that begins at an offset of the text. */
export function pathOfKey(document: Document, offset: number): Path {
  let found: Path = []
  visit(document, {
    Pair(_, pair, above) {
      if (startOf(pair.key) !== offset) return undefined
      found = [...above, pair].flatMap((node, index) => step(node, above[index + 1]))
      return visit.BREAK
    },
  })
  return found
}

/** Where the parts of the document begin in its text. */
export function topLevelOffsets(document: Document): number[] {
  if (!isMap(document.contents)) return []
  return document.contents.items.flatMap(({ key }) => startOf(key) ?? [])
}

function step(node: unknown, next: unknown): (string | number)[] {
  if (isPair(node)) return isScalar(node.key) ? [String(node.key.value)] : []
  return isSeq(node) ? [node.items.indexOf(next)] : []
}

function startOf(node: unknown): number | undefined {
  return isScalar(node) || isCollection(node) || isAlias(node) ? nodeStart(node) : undefined
}

function nodeStart(node: Node): number | undefined {
  return node.range?.[0]
}

/** What would be right, for the issues of zod that a schema has no words of its own for. */
export const inPlainWords: z.core.$ZodErrorMap = (issue) => {
  switch (issue.code) {
    case 'invalid_type':
      return issue.expected === 'string' && isSimple(issue.input)
        ? 'text in quotes'
        : (kinds[issue.expected] ?? issue.expected)
    case 'invalid_value':
      return list(issue.values.map(String), 'or')
    case 'invalid_union':
      return Array.isArray(issue.options) ? list(issue.options.map(String), 'or') : 'one of its known forms'
    case 'invalid_format':
      return issue.pattern === undefined ? undefined : `text that matches ${issue.pattern}`
    case 'too_small':
      return bound(issue.origin, issue.inclusive === false ? 'more than' : 'at least', Number(issue.minimum))
    case 'too_big':
      return bound(issue.origin, issue.inclusive === false ? 'less than' : 'at most', Number(issue.maximum))
    case 'unrecognized_keys':
      // Not a sentence yet: the keys that are known here, for `problemsOf`.
      return issue.inst instanceof z.ZodObject ? Object.keys(issue.inst.shape).join(' ') : ''
    default:
      return undefined
  }
}

const kinds: Record<string, string> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping of keys to values',
  record: 'a mapping of keys to values',
}

function isSimple(value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'boolean'
}

function bound(origin: string, relation: string, limit: number): string {
  if (origin === 'string') return `${relation} ${limit} characters long`
  if (origin === 'array') return `a list of ${relation} ${limit}`
  return `${relation} ${limit}`
}

/** The problems that a schema found. `root` is what it was given. */
export function problemsOf(root: unknown, issues: readonly z.core.$ZodIssue[]): Problem[] {
  return issues.flatMap((issue) => {
    const path = issue.path.map((step) => (typeof step === 'number' ? step : String(step)))
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => unknownKey(path, key, issue.message))
    // A check of ours may bring both halves of the sentence; a schema knows only what would be right.
    const wrong: unknown = issue.code === 'custom' ? issue.params?.wrong : undefined
    if (typeof wrong === 'string') return [{ path, wrong, right: issue.message }]
    return [{ path, wrong: whatIs(valueAt(root, path), path), right: `should be ${issue.message}` }]
  })
}

function unknownKey(path: Path, key: string, knownKeys: string): Problem {
  const known = knownKeys.split(' ').filter((word) => word !== '')
  const meant = nearest(key, known)
  return {
    path: [...path, key],
    wrong: 'is not a key that is known here',
    right: meant === undefined ? `known are ${list(known)}` : `perhaps ${meant} is meant`,
  }
}

/** The value that a path leads to in plain data; nothing where it leads nowhere. */
export function valueAt(root: unknown, path: Path): unknown {
  let value = root
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return undefined
    value = new Map(Object.entries(value)).get(String(step))
  }
  return value
}

/** What is wrong where nothing stands at all. */
export const missing = 'is missing'

const neverShown = new Set<unknown>(['password', 'passwordHash'])

/** A value in words for a message. Secrets are not repeated: faults end up in logs and tickets. */
function whatIs(value: unknown, path: Path): string {
  if (value === undefined) return missing
  if (value === null) return 'is empty'
  if (neverShown.has(path.at(-1))) return 'is not right'
  if (Array.isArray(value)) return value.length === 0 ? 'is an empty list' : 'is a list'
  if (typeof value === 'object') return 'is a mapping'
  return `is ${typeof value === 'number' ? value : shortened(JSON.stringify(value))}`
}

function shortened(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}
