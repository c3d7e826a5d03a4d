import { setTimeout as pause } from 'node:timers/promises'
import { type Command, type Expression, parse, type Statement } from './parse.ts'
import {
  Enum,
  fromJson,
  isBlock,
  isThing,
  isTrue,
  listOf,
  member,
  PsError,
  textOf,
  type Thing,
  thing,
  toJson,
  type Value,
} from './values.ts'

/** What a cmdlet is called with: values by the names of its parameters. */
export type Arguments = ReadonlyMap<string, Value>

/** A cmdlet: its parameter sets as its reference gives them, and what it does. */
export interface Cmdlet {
  /** A set a text: `*` stands before what is mandatory, `?` behind a switch. */
  sets: readonly string[]
  /** The class in its FullyQualifiedErrorIds. */
  className?: string
  run(given: Arguments, context: Context): Value | undefined | Promise<Value | undefined> | Promise<void>
}

export interface Context {
  signal: AbortSignal
  /** What `Start-Sleep` waits, from what it says: less, here. */
  sleep(millis: number): Promise<void>
  /** Files as .NET has them. */
  files: { write(path: string, body: Uint8Array): void }
  /** A program that is no cmdlet; gives its exit code. */
  program(path: string, words: readonly string[]): number
  /** Sets a variable of the script, as `-JobVariable` does. */
  set(name: string, value: Value): void
  /** Whatever `Tell` says. */
  tell(message: unknown): void
}

/** Common parameters that every cmdlet has. */
const common = ['erroraction?', 'confirm?']

/** Runs the body of a script with its parameters, and gives what it leaves in `$data`. */
export async function interpret(
  text: string,
  parameters: unknown,
  cmdlets: ReadonlyMap<string, Cmdlet>,
  context: Omit<Context, 'set'>,
): Promise<unknown> {
  const variables = new Map<string, Value>([
    ['p', fromJson(parameters)],
    ['data', null],
    ['lastexitcode', 0],
  ])
  const set = (name: string, value: Value): void => void variables.set(name.toLowerCase(), value)
  await new Run(variables, cmdlets, { ...context, set }).all(parse(text))
  return toJson(variables.get('data') ?? null)
}

class Run {
  private readonly variables: Map<string, Value>
  private readonly cmdlets: ReadonlyMap<string, Cmdlet>
  private readonly context: Context

  constructor(variables: Map<string, Value>, cmdlets: ReadonlyMap<string, Cmdlet>, context: Context) {
    this.variables = variables
    this.cmdlets = cmdlets
    this.context = context
  }

  async all(body: readonly Statement[]): Promise<Value[]> {
    const out: Value[] = []
    for (const one of body) {
      this.context.signal.throwIfAborted()
      out.push(...(await this.statement(one)))
    }
    return out
  }

  /** What a statement writes to its pipeline. */
  private async statement(one: Statement): Promise<Value[]> {
    switch (one.is) {
      case 'pipeline':
        return listOf(await this.value(one))
      case 'assign':
        await this.assign(one.to, await this.value(one.value), one.adds)
        return []
      case 'if':
        for (const { condition, body } of one.branches) {
          if (isTrue(await this.value(condition))) return this.all(body)
        }
        return this.all(one.otherwise)
      case 'foreach': {
        const out: Value[] = []
        for (const item of listOf(await this.value(one.of))) {
          this.variables.set(one.name.toLowerCase(), item)
          out.push(...(await this.all(one.body)))
        }
        return out
      }
      case 'while': {
        const out: Value[] = []
        while (isTrue(await this.value(one.condition))) {
          this.context.signal.throwIfAborted()
          out.push(...(await this.all(one.body)))
        }
        return out
      }
      case 'try':
        return this.attempt(one)
      case 'throw': {
        const text = textOf(await this.value(one.value))
        throw new PsError(text, text, 'OperationStopped')
      }
    }
  }

  private async attempt({ body, handler }: Statement & { is: 'try' }): Promise<Value[]> {
    try {
      return await this.all(body)
    } catch (error) {
      if (!(error instanceof PsError)) throw error
      const exception = thing('Exception', { Message: error.message, HResult: error.hresult })
      this.variables.set('_', thing('ErrorRecord', { Exception: exception, FullyQualifiedErrorId: error.id }))
      return this.all(handler)
    }
  }

  private async assign(to: Expression, value: Value, adds: boolean): Promise<void> {
    if (to.is === 'variable') {
      const before = this.variables.get(to.name.toLowerCase()) ?? null
      this.variables.set(to.name.toLowerCase(), adds ? plus(before, value) : value)
      return
    }
    const of = to.is === 'index' ? await this.expression(to.of) : null
    if (to.is !== 'index' || !isThing(of) || of.kind !== 'Hashtable')
      throw new Error('it cannot be assigned to')
    of.members.set(textOf(await this.expression(to.at)), value)
  }

  /** One value of a pipeline: nothing is null, one is itself, more are a list. */
  async value(one: Statement): Promise<Value> {
    if (one.is !== 'pipeline') return collected(await this.statement(one))
    const [first, ...rest] = one.elements
    if (first === undefined) return null
    let now =
      first.is === 'command'
        ? collected(listOf(await this.command(first, null)))
        : await this.expression(first)
    for (const element of rest) {
      if (element.is !== 'command') throw new Error('what comes behind | is a command')
      now = collected(listOf(await this.command(element, now)))
    }
    return now
  }

  private async command(command: Command, input: Value): Promise<Value> {
    const { name, words } = command
    if (name === undefined) return this.program(command)
    if (name === 'Tell') return this.tell(command)
    if (name === 'Where-Object') return this.where(command, input)
    if (name === 'Out-Null') return null
    const cmdlet = this.cmdlets.get(name.toLowerCase())
    if (cmdlet === undefined) {
      const text = `The term '${name}' is not recognized as the name of a cmdlet, function, script file, or operable program.`
      throw new PsError('CommandNotFoundException', text, 'ObjectNotFound')
    }
    const given = await this.bind(name, cmdlet, words)
    return (await cmdlet.run(given, this.context)) ?? null
  }

  /** Binds parameters as PowerShell would: all of one set, with what is mandatory in it. */
  private async bind(name: string, cmdlet: Cmdlet, words: Command['words']): Promise<Arguments> {
    const sets = cmdlet.sets.map((set) => set.split(' ').filter((text) => text !== ''))
    const known = new Set(
      [...sets.flat().map((text) => text.replace('*', '')), ...common].map((t) => t.toLowerCase()),
    )
    const className = cmdlet.className ?? `Microsoft.HyperV.PowerShell.Commands.${name.replace('-', '')}`
    const given = new Map<string, Value>()
    const waiting = [...words]
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      if (!('parameter' in next))
        throw new PsError(
          `PositionalParameterNotFound,${className}`,
          `${name}: a value without a name`,
          'InvalidArgument',
        )
      const key = next.parameter.toLowerCase()
      if (known.has(`${key}?`))
        given.set(key, next.value === undefined ? true : await this.expression(next.value))
      else if (known.has(key)) {
        const value = waiting.shift()
        if (value === undefined || 'parameter' in value) {
          throw new PsError(
            `MissingArgument,${className}`,
            `Missing an argument for parameter '${next.parameter}'.`,
            'InvalidArgument',
          )
        }
        given.set(key, await this.expression(value.value))
      } else {
        const text = `A parameter cannot be found that matches parameter name '${next.parameter}'.`
        throw new PsError(`NamedParameterNotFound,${className}`, text, 'InvalidArgument')
      }
    }
    const keys = [...given.keys()].filter((key) => !common.includes(`${key}?`))
    const fits = sets.some((set) => {
      const names = set.map((text) => text.replace(/[*?]/g, '').toLowerCase())
      const needed = set
        .filter((text) => text.startsWith('*'))
        .map((text) => text.slice(1).replace('?', '').toLowerCase())
      return keys.every((key) => names.includes(key)) && needed.every((key) => keys.includes(key))
    })
    if (!fits) {
      const text = `Parameter set cannot be resolved using the specified named parameters: ${name} ${keys.join(' ')}`
      throw new PsError(`AmbiguousParameterSet,${className}`, text, 'InvalidArgument')
    }
    return given
  }

  private async program({ words }: Command): Promise<Value> {
    const texts: string[] = []
    for (const next of words) {
      if ('parameter' in next) texts.push(`-${next.parameter}`)
      else texts.push(textOf(await this.expression(next.value)))
    }
    const [path = '', ...rest] = texts
    this.variables.set('lastexitcode', this.context.program(path, rest))
    return null
  }

  private async tell({ words }: Command): Promise<Value> {
    for (const next of words)
      if (!('parameter' in next)) this.context.tell(toJson(await this.expression(next.value)))
    return null
  }

  private async where({ words }: Command, input: Value): Promise<Value> {
    const [first] = words
    const filter = first === undefined || 'parameter' in first ? null : await this.expression(first.value)
    if (!isBlock(filter)) throw new Error('Where-Object has no script block')
    const kept: Value[] = []
    for (const item of listOf(input)) {
      this.variables.set('_', item)
      if (isTrue(collected(await this.all(filter.block)))) kept.push(item)
    }
    return kept
  }

  async expression(one: Expression): Promise<Value> {
    switch (one.is) {
      case 'value':
        return one.value
      case 'variable':
        return this.variable(one.name)
      case 'list':
        return this.all(one.body)
      case 'comma':
        return Promise.all(one.items.map((item) => this.expression(item)))
      case 'table': {
        const table = thing('Hashtable', {})
        for (const [key, value] of one.rows) table.members.set(key, await this.value(value))
        return table
      }
      case 'block':
        return { block: one.body }
      case 'group':
        return this.value(one.body)
      case 'member':
        return property(await this.expression(one.of), one.name)
      case 'index':
        return indexed(await this.expression(one.of), await this.expression(one.at))
      case 'call':
        return this.call(one)
      case 'static':
        return this.static(one)
      case 'cast':
        return cast(one.type, await this.expression(one.of))
      case 'not':
        return !isTrue(await this.expression(one.of))
      case 'binary':
        return this.binary(one)
    }
  }

  private variable(name: string): Value {
    const value = this.variables.get(name.toLowerCase())
    if (value === undefined) throw new Error(`the script reads $${name}, which it never set`)
    return value
  }

  private async call({ of, name, given }: Expression & { is: 'call' }): Promise<Value> {
    const on = await this.expression(of)
    const values: Value[] = []
    for (const one of given) values.push(await this.expression(one))
    if (on === null) {
      throw new PsError(
        'InvokeMethodOnNull',
        'You cannot call a method on a null-valued expression.',
        'InvalidOperation',
      )
    }
    if (name === 'ToString' && values.length === 0 && !isThing(on)) return textOf(on)
    if (typeof on === 'string' && name === 'Contains') return on.includes(textOf(values[0] ?? null))
    const method = isThing(on) ? member(on, name) : undefined
    if (typeof method !== 'function') throw new Error(`there is no method ${name}`)
    return method(...values)
  }

  private async static({ type, name, given }: Expression & { is: 'static' }): Promise<Value> {
    const values: Value[] = []
    for (const one of given) values.push(await this.expression(one))
    const [first = null, second = null] = values
    switch (`${type}.${name}`) {
      case 'Convert.FromBase64String':
        return Buffer.from(textOf(first), 'base64')
      case 'Convert.ToBase64String':
        return first instanceof Uint8Array ? Buffer.from(first).toString('base64') : fail(type, name)
      case 'IO.File.WriteAllBytes':
        if (!(second instanceof Uint8Array)) return fail(type, name)
        this.context.files.write(textOf(first), second)
        return null
      default:
        return fail(type, name)
    }
  }

  private async binary({ operator, left, right }: Expression & { is: 'binary' }): Promise<Value> {
    const one = await this.expression(left)
    if (operator === '-and') return isTrue(one) && isTrue(await this.expression(right))
    if (operator === '-or') return isTrue(one) || isTrue(await this.expression(right))
    const other = await this.expression(right)
    switch (operator) {
      case '+':
        return plus(one, other)
      case '*':
        return Number(one) * Number(other)
      case '-eq':
        return same(one, other)
      case '-ne':
        return !same(one, other)
      case '-gt':
        return Number(one) > Number(other)
      case '-lt':
        return Number(one) < Number(other)
      case '-ge':
        return Number(one) >= Number(other)
      case '-le':
        return Number(one) <= Number(other)
      case '-like':
        return like(textOf(one), textOf(other))
      case '-notlike':
        return !like(textOf(one), textOf(other))
      case '-contains':
        return listOf(one).some((item) => same(item, other))
      case '-notcontains':
        return !listOf(one).some((item) => same(item, other))
      default:
        throw new Error(`there is no operator ${operator}`)
    }
  }
}

function fail(type: string, name: string): never {
  throw new Error(`there is no [${type}]::${name} of these values`)
}

function collected(values: readonly Value[]): Value {
  if (values.length === 0) return null
  const [only = null] = values
  return values.length === 1 ? only : [...values]
}

function plus(one: Value, other: Value): Value {
  if (Array.isArray(one)) return [...one, ...listOf(other)]
  if (typeof one === 'string') return one + textOf(other)
  if (typeof one === 'number' && typeof other === 'number') return one + other
  throw new Error('these cannot be added')
}

/** `-eq` without regard to case; a list on the left would filter, which our scripts never mean. */
function same(one: Value, other: Value): boolean {
  if (Array.isArray(one) && other !== null) throw new Error('-eq of a list filters it')
  if (one === null || other === null) return one === null && other === null
  if (typeof one === 'number' || typeof other === 'number')
    return Number(textOf(one)) === Number(textOf(other))
  if (typeof one === 'object' && !(one instanceof Enum)) return one === other
  return textOf(one).toLowerCase() === textOf(other).toLowerCase()
}

function like(text: string, pattern: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`, 'is').test(text)
}

function property(of: Value, name: string): Value {
  const key = name.toLowerCase()
  if (key === 'count' && !(isThing(of) && of.kind !== 'Hashtable')) {
    if (isThing(of)) return of.members.size
    return listOf(of).length
  }
  if (key === 'length' && of instanceof Uint8Array) return of.length
  if (of === null) return null
  if (isThing(of)) return propertyOf(of, name)
  if (Array.isArray(of)) return of.flatMap((item) => listOf(property(item, name)))
  throw new Error(`there is no property ${name} of ${JSON.stringify(of)}`)
}

function propertyOf(of: Thing, name: string): Value {
  if (of.kind === 'Hashtable' && name.toLowerCase() === 'keys') return [...of.members.keys()]
  const value = member(of, name)
  if (value !== undefined && typeof value !== 'function') return value
  if (of.kind === 'Hashtable') return null
  throw new Error(`a ${of.kind} has no property ${name}`)
}

function indexed(of: Value, at: Value): Value {
  if (of === null) throw new PsError('NullArray', 'Cannot index into a null array.', 'InvalidOperation')
  if (isThing(of) && of.kind === 'Hashtable') return member(of, textOf(at)) ?? null
  if (typeof at !== 'number' || !Array.isArray(of)) throw new Error('only lists have places')
  return of.at(at) ?? null
}

function cast(type: string, value: Value): Value {
  if (type === 'string') return textOf(value)
  if (type === 'bool') return isTrue(value)
  if (['int', 'int64', 'double', 'uint16', 'uint32'].includes(type)) {
    const number = value === null ? 0 : value instanceof Enum ? value.number : Number(textOf(value))
    if (Number.isNaN(number)) {
      throw new PsError(
        'InvalidCastFromStringToInteger',
        `Cannot convert value "${textOf(value)}" to type "${type}".`,
        'InvalidArgument',
      )
    }
    return type === 'double' ? number : Math.round(number)
  }
  throw new Error(`there is no type [${type}]`)
}

/** What every PowerShell has. */
export const core: ReadonlyMap<string, Cmdlet> = new Map<string, Cmdlet>([
  [
    'start-sleep',
    {
      sets: ['*Milliseconds'],
      async run(given, context) {
        await context.sleep(Number(given.get('milliseconds')))
        return undefined
      },
    },
  ],
])

/** Waits a small part of what was said. */
export function quickly(signal: AbortSignal): Context['sleep'] {
  return async (millis) => {
    await pause(Math.ceil(millis / 200), undefined, { signal })
  }
}
