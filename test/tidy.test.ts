import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import { packagePath } from '../src/base/package-root.ts'

/** What is checked of the code itself: who imports whom, how large files and functions are, words that must not stay. */

const files = execFileSync(
  'git',
  ['ls-files', '--cached', '--others', '--exclude-standard', '--deduplicate'],
  {
    cwd: packagePath(),
    encoding: 'utf8',
  },
)
  .split('\n')
  .filter((path) => /\.tsx?$/.test(path) && !path.endsWith('.config.ts'))

const sources = files.filter((path) => !path.startsWith('test/')).map((path) => ({ path, tree: parse(path) }))

function parse(path: string): ts.SourceFile {
  return ts.createSourceFile(path, readFileSync(packagePath(path), 'utf8'), ts.ScriptTarget.ES2023, true)
}

/** The units of the house, the most special first, with what each may import of ours. Every unit may import itself. */
const units: readonly { unit: string; holds: RegExp; may: readonly string[] }[] = [
  { unit: 'base', holds: /^src\/base\//, may: [] },
  { unit: 'pricing', holds: /^pricing\//, may: ['base'] },
  { unit: 'router', holds: /^broker\/router\//, may: ['base', 'broker'] },
  { unit: 'broker', holds: /^broker\//, may: ['base', 'machines'] },
  { unit: 'machines', holds: /^src\/machines\//, may: ['base'] },
  { unit: 'requests', holds: /^src\/requests\//, may: ['base', 'identity types'] },
  { unit: 'hypervisors', holds: /^src\/hypervisors\//, may: ['base', 'machines'] },
  { unit: 'registration', holds: /^src\/registration\//, may: ['base'] },
  { unit: 'identity', holds: /^src\/identity\//, may: ['base'] },
  { unit: 'notices', holds: /^src\/notices\//, may: ['base', 'machines', 'requests', 'broker', 'identity'] },
  {
    unit: 'store',
    holds: /^src\/store\//,
    may: ['base', 'pricing', 'broker', 'machines', 'requests', 'identity', 'notices', 'work types'],
  },
  // Charts are drawn by pages and cards alike, from plain data.
  { unit: 'charts', holds: /^src\/charts\//, may: ['base', 'pricing'] },
  {
    // Operations leave jobs behind and jobs change things as operations do: they are one unit.
    unit: 'work',
    holds: /^src\/(operations|jobs)\//,
    may: [
      ...['base', 'pricing', 'broker', 'machines', 'requests', 'identity', 'notices'],
      ...['store types', 'hypervisors types', 'registration types'],
    ],
  },
  {
    unit: 'bot',
    holds: /^bot\//,
    may: ['base', 'work', 'notices', 'identity', 'machines', 'requests', 'pricing', 'broker', 'charts'],
  },
  {
    unit: 'api',
    holds: /^src\/api\//,
    may: ['base', 'work', 'notices', 'identity', 'machines', 'requests', 'pricing', 'broker'],
  },
  {
    unit: 'portal',
    holds: /^src\/portal\//,
    may: [
      ...['base', 'work', 'api', 'notices', 'identity', 'machines', 'requests', 'pricing', 'broker'],
      'charts',
    ],
  },
  { unit: 'config', holds: /^src\/config(\/|\.ts$)/, may: ['everything'] },
  { unit: 'main', holds: /^src\/(main|cli|desktop-router)(\/|\.ts$)/, may: ['everything'] },
]

interface Import {
  from: string
  to: string
  typesOnly: boolean
}

function importsOf({ path, tree }: { path: string; tree: ts.SourceFile }): Import[] {
  return tree.statements.flatMap((statement) => {
    if (!ts.isImportDeclaration(statement) && !ts.isExportDeclaration(statement)) return []
    const target = statement.moduleSpecifier
    if (target === undefined || !ts.isStringLiteral(target) || !target.text.startsWith('.')) return []
    const typesOnly = ts.isImportDeclaration(statement) ? isTypesOnly(statement) : statement.isTypeOnly
    return [{ from: path, to: normalize(join(dirname(path), target.text)), typesOnly }]
  })
}

function isTypesOnly({ importClause }: ts.ImportDeclaration): boolean {
  if (importClause === undefined) return false
  if (importClause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true
  const { namedBindings, name } = importClause
  return name === undefined && namedBindings !== undefined && ts.isNamedImports(namedBindings)
    ? namedBindings.elements.every((element) => element.isTypeOnly)
    : false
}

function unitOf(path: string): { unit: string; may: readonly string[] } | undefined {
  return units.find(({ holds }) => holds.test(path))
}

const imports = sources.flatMap(importsOf)

describe('who may import whom', () => {
  test('every source file belongs to a unit of the house', () => {
    expect(sources.map(({ path }) => path).filter((path) => unitOf(path) === undefined)).toEqual([])
  })

  test('no unit imports what the table does not allow it', () => {
    const broken = imports.filter(({ from, to, typesOnly }) => {
      const [here, there] = [unitOf(from), unitOf(to)]
      if (here === undefined || there === undefined || here.unit === there.unit) return false
      if (here.may.includes('everything') || here.may.includes(there.unit)) return false
      return !(typesOnly && here.may.includes(`${there.unit} types`))
    })

    expect(broken.map(({ from, to }) => `${from} imports ${to}`)).toEqual([])
  })

  test('every file is imported by another, or is where the program starts', () => {
    const imported = new Set(imports.map(({ to }) => to))
    const starts = ['src/cli.ts', 'broker/router/thread.ts']

    expect(
      sources.map(({ path }) => path).filter((path) => !imported.has(path) && !starts.includes(path)),
    ).toEqual([])
  })
})

describe('sizes', () => {
  const longest = { file: 300, function: 60 }

  test(`no file is longer than ${longest.file} lines`, () => {
    const long = sources.map(({ path, tree }) => ({ path, lines: tree.getLineStarts().length - 1 }))

    expect(long.filter(({ lines }) => lines > longest.file)).toEqual([])
  })

  test(`no function is longer than ${longest.function} lines, and half of them are under ten`, () => {
    const lengths = sources.flatMap(functionsOf)
    const sorted = lengths.map(({ lines }) => lines).sort((a, b) => a - b)

    expect(lengths.filter(({ lines }) => lines > longest.function)).toEqual([])
    expect(sorted[Math.floor(sorted.length / 2)]).toBeLessThan(10)
  })
})

/** Functions with the lines of their own: what is nested in a factory counts for itself. */
function functionsOf({
  path,
  tree,
}: {
  path: string
  tree: ts.SourceFile
}): { name: string; lines: number }[] {
  const found: { name: string; lines: number }[] = []
  const linesOf = (node: ts.Node): number =>
    tree.getLineAndCharacterOfPosition(node.getEnd()).line -
    tree.getLineAndCharacterOfPosition(node.getStart()).line +
    1
  /** Returns the lines that functions inside a node take up. */
  const visit = (node: ts.Node): number => {
    let nested = 0
    ts.forEachChild(node, (child) => {
      nested += visit(child)
    })
    if (!isFunction(node)) return nested
    const lines = linesOf(node)
    found.push({ name: `${path}: ${node.name?.getText() ?? 'unnamed'}`, lines: lines - nested })
    return lines
  }
  visit(tree)
  return found
}

function isFunction(node: ts.Node): node is ts.FunctionDeclaration | ts.MethodDeclaration {
  return (ts.isFunctionDeclaration(node) || ts.isMethodDeclaration(node)) && node.body !== undefined
}

describe('words', () => {
  test('nothing unfinished is left in the sources', () => {
    const marks = /TO[D]O|FIX[M]E|XX[X]|@ts-ign[o]re|eslint-dis[a]ble/
    const found = files.filter((path) => marks.test(readFileSync(packagePath(path), 'utf8')))

    expect(found).toEqual([])
  })

  test('no test is skipped or alone', () => {
    const alone = /\b(it|test|describe)\.(onl[y]|ski[p]|tod[o])\b/
    const tests = files.filter((path) => path.endsWith('.test.ts') || path.endsWith('.test.tsx'))

    expect(tests.filter((path) => alone.test(readFileSync(packagePath(path), 'utf8')))).toEqual([])
  })
})
