import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'

import { type Document, LineCounter, parseDocument, visit, type YAMLError } from 'yaml'
import { missingSecrets } from '../bot/secrets.ts'
import { messageOf } from './base/errors.ts'
import { packagePath } from './base/package-root.ts'
import { list } from './base/text.ts'
import { contradictions, controlProblems } from './config/cross-checks.ts'
import {
  type Fault,
  formatFault,
  formatPath,
  inPlainWords,
  lineOf,
  missing,
  pathOfKey,
  type Problem,
  problemsOf,
  topLevelOffsets,
} from './config/faults.ts'
import { SiteFile } from './config/file.ts'
import { type Here, withHere } from './config/here.ts'
import { notBuiltYet } from './config/later.ts'
import { referenceProblems } from './config/references.ts'
import { type Config, configOf } from './config/resolved.ts'
import { Sketch } from './config/sketch.ts'
import { urlVariable } from './store/postgres/address.ts'

export { type Fault, formatFault } from './config/faults.ts'
export { type Here, parseEndpoint } from './config/here.ts'
export type { Config } from './config/resolved.ts'

/** A configuration that cannot be used. Its message has a line for each fault. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly faults: readonly Fault[]

  constructor(file: string, faults: readonly Fault[]) {
    super(faults.map((fault) => formatFault(file, fault)).join('\n'))
    this.faults = faults
  }
}

/** The error about things in a site's file that only show beside what the site remembers. */
export async function laterFault(file: string, problems: readonly Problem[]): Promise<ConfigError> {
  const text = await readFile(file, 'utf8').catch(() => '')
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines })
  return new ConfigError(file, inOrder(problems.map((problem) => located(problem, document, lines))))
}

/** The demo site, which needs nothing but this machine. */
export const demoFile = packagePath('src', 'demo.yaml')

/**
 * Reads the site's file: `path`, else what `JACKDAW_CONFIG` names, else the demo site. Relative paths in a file start
 * from its folder; those of the demo from where the service was started, since its own folder is the program's. `here`
 * is what one process has otherwise.
 * @throws ConfigError with every fault that was found.
 */
export async function loadConfig(
  path: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
  here: Here = {},
): Promise<Config> {
  const file = path ?? (env.JACKDAW_CONFIG === '' ? undefined : env.JACKDAW_CONFIG) ?? demoFile
  const text = await readText(file)
  const result = checkConfig(text, file, resolve(file) === demoFile ? resolve() : undefined, here)
  if ('faults' in result) throw new ConfigError(file, result.faults)
  const { store } = result.config
  const isKnown = store.kind === 'lowdb' || [store.url, store.urlFile, env[urlVariable]].some(isGiven)
  if (!isKnown) throw new ConfigError(file, [noDatabase(text)])
  const missing = missingSecrets(result.config.chat, env).map(noSecrets)
  if (missing.length > 0) throw await laterFault(file, missing)
  return result.config
}

function noSecrets({ key, names }: ReturnType<typeof missingSecrets>[number]): Problem {
  const right = `should come with ${list(names)} in the environment`
  return { path: ['chat', key], wrong: 'has no tokens', right }
}

function noDatabase(text: string): Fault {
  const line = text.split('\n').findIndex((start) => start.startsWith('store:')) + 1
  const right = `should be there, or store.urlFile, or ${urlVariable} in the environment`
  return { line: Math.max(1, line), path: 'store.url', wrong: missing, right }
}

function isGiven(text: string | undefined): boolean {
  return text !== undefined && text !== ''
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    const wrong = `cannot be read: ${messageOf(error)}`
    throw new ConfigError(file, [{ line: 1, path: 'file', wrong, right: 'should be a readable YAML file' }])
  }
}

/** The configuration that a text means, or all of its faults in the order of their lines. */
export function checkConfig(
  text: string,
  path: string,
  folder: string = dirname(resolve(path)),
  here: Here = {},
): { config: Config } | { faults: Fault[] } {
  const lines = new LineCounter()
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    stringKeys: true,
    logLevel: 'error',
  })
  const syntax = [...document.errors, ...document.warnings].map((error) =>
    syntaxFault(error, document, lines),
  )
  const data = plainData(document, lines)
  if ('faults' in data) return { faults: inOrder([...syntax, ...data.faults]) }
  const root = withHere(data.root, here)
  const parsed = SiteFile.safeParse(root, { error: inPlainWords })
  const within = withoutLater(notBuiltYet(root), problemsOf(root, parsed.error?.issues ?? []))
  const tornLine = firstTornLine(document, lines)
  const problems =
    tornLine === Infinity
      ? [...within, ...controlProblems(root), ...acrossProblems(root)]
      : within.filter(({ wrong }) => wrong !== missing)
  const found = problems
    .map((problem) => located(problem, document, lines))
    .filter(({ line }) => line < tornLine)
  const faults = inOrder([...syntax, ...found])
  if (faults.length > 0 || !parsed.success) return { faults }
  return { config: configOf(parsed.data, path, folder) }
}

function syntaxFault(error: YAMLError, document: Document, lines: LineCounter): Fault {
  const { line } = lines.linePos(error.pos[0])
  if (error.code === 'DUPLICATE_KEY') {
    const path = formatPath(pathOfKey(document, error.pos[0]))
    return { line, path, wrong: 'stands there already', right: 'should be there once' }
  }
  return {
    line,
    path: 'file',
    wrong: `is not YAML: ${lowerFirst(error.message)}`,
    right: 'should be YAML 1.2',
  }
}

/** Aliases are resolved only now, with a bound on how much they may unfold to. */
function plainData(document: Document, lines: LineCounter): { root: unknown } | { faults: Fault[] } {
  const faults: Fault[] = []
  visit(document, {
    Alias(_, alias) {
      if (alias.resolve(document) !== undefined) return
      const line = lines.linePos(alias.range?.[0] ?? 0).line
      faults.push({
        line,
        path: 'file',
        wrong: `names *${alias.source}`,
        right: `should come after &${alias.source}`,
      })
    },
  })
  if (faults.length > 0) return { faults }
  try {
    const root: unknown = document.toJS()
    return { root }
  } catch (error) {
    const wrong = `is not YAML: ${lowerFirst(messageOf(error))}`
    return { faults: [{ line: 1, path: 'file', wrong, right: 'should be YAML 1.2' }] }
  }
}

/**
 * The line from which nothing is judged. After a place that is not YAML the rest may have been read as something else,
 * and what it holds may seem to be missing; what came apart began somewhere in the same top-level part.
 */
function firstTornLine(document: Document, lines: LineCounter): number {
  const torn = document.errors.filter(({ code }) => code !== 'DUPLICATE_KEY').map(({ pos }) => pos[0])
  const parts = topLevelOffsets(document)
  return Math.min(...torn.map((at) => lines.linePos(parts.findLast((start) => start <= at) ?? 0).line))
}

/** What is not built yet need not be called unknown too. */
function withoutLater(later: readonly Problem[], issues: readonly Problem[]): Problem[] {
  const known = new Set(later.map(({ path }) => formatPath(path)))
  return [...later, ...issues.filter(({ path }) => !known.has(formatPath(path)))]
}

function acrossProblems(root: unknown): Problem[] {
  const sketch = Sketch.parse(root)
  return [...referenceProblems(sketch), ...contradictions(sketch)]
}

function located(problem: Problem, document: Document, lines: LineCounter): Fault {
  const { path, wrong, right } = problem
  return { line: lineOf(document, lines, path), path: formatPath(path), wrong, right }
}

function inOrder(faults: readonly Fault[]): Fault[] {
  const once = new Map(faults.map((fault) => [formatFault('', fault), fault]))
  return [...once.values()].sort((a, b) => a.line - b.line)
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1)
}
