/**
 * Reads the part of PowerShell that our scripts are written in: assignments, if, foreach, while, try, throw, functions,
 * pipelines of commands and expressions. Whatever else stands there is refused, as PowerShell itself would refuse what
 * it cannot read.
 */
export type Expression =
  | { is: 'value'; value: string | number | boolean | null }
  | { is: 'variable'; name: string }
  | { is: 'list'; body: Statement[] }
  | { is: 'table'; rows: [string, Statement][] }
  | { is: 'block'; body: Statement[] }
  | { is: 'group'; body: Statement }
  | { is: 'member'; of: Expression; name: string }
  | { is: 'call'; of: Expression; name: string; given: Expression[] }
  | { is: 'static'; type: string; name: string; given: Expression[] }
  | { is: 'index'; of: Expression; at: Expression }
  | { is: 'cast'; type: string; of: Expression }
  | { is: 'not'; of: Expression }
  | { is: 'binary'; operator: string; left: Expression; right: Expression }
  | { is: 'comma'; items: Expression[] }

export interface Command {
  is: 'command'
  /** Undefined for one called by `&`, whose name is the first of its words. */
  name: string | undefined
  words: ({ parameter: string; value?: Expression } | { value: Expression })[]
}

export type Statement =
  | { is: 'pipeline'; elements: (Expression | Command)[] }
  | { is: 'assign'; to: Expression; adds: boolean; value: Statement }
  | { is: 'if'; branches: { condition: Statement; body: Statement[] }[]; otherwise: Statement[] }
  | { is: 'foreach'; name: string; of: Statement; body: Statement[] }
  | { is: 'while'; condition: Statement; body: Statement[] }
  | { is: 'try'; body: Statement[]; handler: Statement[] }
  | { is: 'throw'; value: Statement }

const word = /[A-Za-z_][A-Za-z0-9_]*/y
const commandName = /[A-Za-z][A-Za-z0-9]*(?:-[A-Za-z]+)?/y
const operators = ['-eq', '-ne', '-gt', '-lt', '-ge', '-le', '-like', '-notlike', '-contains', '-notcontains']

export function parse(source: string): Statement[] {
  const text = source
  let at = 0

  const fail = (what: string): never => {
    throw new SyntaxError(`ParserError: ${what} at "${text.slice(at, at + 30)}"`)
  }
  const spaces = (): void => {
    while (text[at] === ' ' || text[at] === '\t') at += 1
  }
  const gaps = (): void => {
    while (/[\s;]/.test(text[at] ?? '')) at += 1
  }
  const peek = (start: string): boolean => text.startsWith(start, at)
  const take = (start: string): boolean => {
    if (!peek(start)) return false
    at += start.length
    return true
  }
  const expect = (start: string): void => {
    if (!take(start)) fail(`expected ${start}`)
  }
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    const found = pattern.exec(text)?.[0]
    if (found !== undefined) at += found.length
    return found
  }
  const keyword = (name: string): boolean => {
    const after = text[at + name.length] ?? ''
    if (text.slice(at, at + name.length).toLowerCase() !== name || /[A-Za-z0-9_-]/.test(after)) return false
    at += name.length
    return true
  }

  function statements(close: '}' | ')' | ''): Statement[] {
    const all: Statement[] = []
    for (;;) {
      gaps()
      if (at >= text.length) return close === '' ? all : fail(`missing ${close}`)
      if (close !== '' && take(close)) return all
      all.push(statement())
      spaces()
      const ended = at >= text.length || /[\n\r;]/.test(text[at] ?? '') || (close !== '' && peek(close))
      // A closing brace ends a statement as a line does.
      if (!ended && text[at - 1] !== '}') fail('unexpected text after a statement')
    }
  }

  function block(): Statement[] {
    gaps()
    expect('{')
    return statements('}')
  }

  function condition(): Statement {
    spaces()
    expect('(')
    const inside = pipeline()
    gaps()
    expect(')')
    return inside
  }

  function statement(): Statement {
    if (keyword('if')) return ifStatement()
    if (keyword('foreach')) return forEach()
    if (keyword('while')) return { is: 'while', condition: condition(), body: block() }
    if (keyword('try')) {
      const body = block()
      gaps()
      if (!keyword('catch')) fail('expected catch')
      return { is: 'try', body, handler: block() }
    }
    if (keyword('throw')) {
      spaces()
      return { is: 'throw', value: pipeline() }
    }
    return pipeline()
  }

  function ifStatement(): Statement {
    const branches = [{ condition: condition(), body: block() }]
    for (;;) {
      const before = at
      gaps()
      if (keyword('elseif')) branches.push({ condition: condition(), body: block() })
      else if (keyword('else')) return { is: 'if', branches, otherwise: block() }
      else {
        at = before
        return { is: 'if', branches, otherwise: [] }
      }
    }
  }

  function forEach(): Statement {
    spaces()
    expect('(')
    expect('$')
    const name = match(word) ?? fail('expected a name')
    spaces()
    if (!keyword('in')) fail('expected in')
    spaces()
    const of = pipeline()
    spaces()
    expect(')')
    return { is: 'foreach', name, of, body: block() }
  }

  function pipeline(): Statement {
    spaces()
    const first = element()
    spaces()
    const isTarget = first.is === 'variable' || first.is === 'index' || first.is === 'member'
    if (isTarget && (peek('+=') || (peek('=') && !peek('==')))) {
      const adds = take('+=')
      if (!adds) expect('=')
      spaces()
      return { is: 'assign', to: first, adds, value: statement() }
    }
    const elements = [first]
    while ((spaces(), take('|'))) {
      gaps()
      elements.push(element())
    }
    return { is: 'pipeline', elements }
  }

  function element(): Expression | Command {
    if (take('&')) {
      spaces()
      return { is: 'command', name: undefined, words: words() }
    }
    if (/[A-Za-z]/.test(text[at] ?? '')) {
      const name = match(commandName) ?? fail('expected a command')
      return { is: 'command', name, words: words() }
    }
    return expression()
  }

  function words(): Command['words'] {
    const all: Command['words'] = []
    for (;;) {
      spaces()
      if (at >= text.length || /[|;\n\r)}]/.test(text[at] ?? '')) return all
      if (/-[A-Za-z]/.test(text.slice(at, at + 2))) {
        at += 1
        const parameter = match(word) ?? fail('expected a parameter')
        all.push(take(':') ? { parameter, value: argument() } : { parameter })
      } else all.push({ value: argument() })
    }
  }

  /** A word of a command: a bare one is text. */
  function argument(): Expression {
    if (/[$'"(@{[]/.test(text[at] ?? '')) return postfix(primary())
    const bare = match(/[^\s|;)}{(,'"$]+/y) ?? fail('expected a word')
    return { is: 'value', value: /^-?\d+$/.test(bare) ? Number(bare) : bare }
  }

  function expression(): Expression {
    let left = comparison()
    for (;;) {
      spaces()
      const operator = ['-and', '-or'].find((name) => keyword(name))
      if (operator === undefined) return left
      spaces()
      left = { is: 'binary', operator, left, right: comparison() }
    }
  }

  function comparison(): Expression {
    let left = sum()
    for (;;) {
      spaces()
      const operator = operators.find((name) => keyword(name))
      if (operator === undefined) return left
      spaces()
      left = { is: 'binary', operator, left, right: sum() }
    }
  }

  function sum(): Expression {
    let left = list()
    for (;;) {
      spaces()
      const operator = !peek('+=') && take('+') ? '+' : take('*') ? '*' : undefined
      if (operator === undefined) return left
      spaces()
      left = { is: 'binary', operator, left, right: list() }
    }
  }

  function list(): Expression {
    const first = unary()
    if (!peek(',')) return first
    const items = [first]
    while (take(',')) {
      gaps()
      items.push(unary())
    }
    return { is: 'comma', items }
  }

  function unary(): Expression {
    spaces()
    if (keyword('-not') || (peek('!') && take('!'))) return { is: 'not', of: unary() }
    const cast = match(/\[[A-Za-z0-9.]+(?:\[\])?\](?!::)/y)
    if (cast !== undefined) return { is: 'cast', type: cast.slice(1, -1).toLowerCase(), of: unary() }
    return postfix(primary())
  }

  function primary(): Expression {
    if (take('$')) {
      const name = match(/_(?![A-Za-z0-9])|[A-Za-z_][A-Za-z0-9_]*/y) ?? fail('expected a variable')
      const constants = new Map<string, null | boolean>([
        ['null', null],
        ['true', true],
        ['false', false],
      ])
      const constant = constants.get(name.toLowerCase())
      return constant === undefined ? { is: 'variable', name } : { is: 'value', value: constant }
    }
    if (take("'")) return { is: 'value', value: quoted() }
    if (take('@(')) return { is: 'list', body: statements(')') }
    if (take('@{')) return { is: 'table', rows: rows() }
    if (take('{')) return { is: 'block', body: statements('}') }
    if (take('(')) {
      const body = pipeline()
      gaps()
      expect(')')
      return { is: 'group', body }
    }
    const type = match(/\[[A-Za-z0-9.]+\]::/y)
    if (type !== undefined) {
      const name = match(word) ?? fail('expected a method')
      return { is: 'static', type: type.slice(1, -3), name, given: take('(') ? given() : [] }
    }
    const number = match(/-?\d+(?:GB|MB)?/y)
    if (number !== undefined) return { is: 'value', value: numberOf(number) }
    return fail('unexpected text')
  }

  function quoted(): string {
    let out = ''
    for (;;) {
      const end = text.indexOf("'", at)
      if (end === -1) fail('a text without an end')
      out += text.slice(at, end)
      at = end + 1
      if (!take("'")) return out
      out += "'"
    }
  }

  function rows(): [string, Statement][] {
    const all: [string, Statement][] = []
    for (;;) {
      gaps()
      if (take('}')) return all
      const key = match(word) ?? fail('expected a key')
      spaces()
      expect('=')
      spaces()
      all.push([key, statement()])
      spaces()
    }
  }

  function given(): Expression[] {
    const all: Expression[] = []
    for (;;) {
      gaps()
      if (take(')')) return all
      all.push(single())
      gaps()
      take(',')
    }
  }

  /** An expression without commas at its top, which separate what a method is given. */
  function single(): Expression {
    let left = unary()
    while ((spaces(), take('+'))) {
      spaces()
      left = { is: 'binary', operator: '+', left, right: unary() }
    }
    return left
  }

  function postfix(start: Expression): Expression {
    let of = start
    for (;;) {
      if (peek('.') && /[A-Za-z_]/.test(text[at + 1] ?? '')) {
        at += 1
        const name = match(word) ?? fail('expected a member')
        of = take('(') ? { is: 'call', of, name, given: given() } : { is: 'member', of, name }
      } else if (take('[')) {
        const inside = expression()
        expect(']')
        of = { is: 'index', of, at: inside }
      } else return of
    }
  }

  return statements('')
}

function numberOf(text: string): number {
  const scale = text.endsWith('GB') ? 2 ** 30 : text.endsWith('MB') ? 2 ** 20 : 1
  return Number.parseInt(text, 10) * scale
}
