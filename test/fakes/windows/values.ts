import type { Statement } from './parse.ts'

/** Values as a script sees them. Lists are JavaScript's; numbers, texts and truths are themselves. */
export type Value = null | string | number | boolean | Uint8Array | Enum | Block | Method | Thing | Value[]

export type Method = (...values: Value[]) => Value
export interface Thing {
  /** What it is, for messages; properties that are asked for must be there. */
  readonly kind: string
  readonly members: Map<string, Value>
}
export interface Block {
  readonly block: readonly Statement[]
}
/** A value of an enumeration: a word to `ToString`, a number to ConvertTo-Json. */
export class Enum {
  readonly name: string
  readonly number: number

  constructor(name: string, number: number) {
    this.name = name
    this.number = number
  }
}

/** An error as PowerShell records it. */
export class PsError extends Error {
  readonly id: string
  readonly category: string
  readonly hresult: number

  constructor(id: string, message: string, category = 'NotSpecified', hresult = 0x80131500) {
    super(message)
    this.id = id
    this.category = category
    this.hresult = hresult | 0
  }
}

export function thing(kind: string, members: Record<string, Value | undefined>): Thing {
  const given = Object.entries(members).flatMap(([key, value]): [string, Value][] =>
    value === undefined ? [] : [[key, value]],
  )
  return { kind, members: new Map(given) }
}

export function isThing(value: Value): value is Thing {
  return typeof value === 'object' && value !== null && 'members' in value
}

export function isBlock(value: Value): value is Block {
  return typeof value === 'object' && value !== null && 'block' in value
}

export function member(value: Thing, name: string): Value | undefined {
  for (const [key, found] of value.members) if (key.toLowerCase() === name.toLowerCase()) return found
  return undefined
}

export function fromJson(value: unknown): Value {
  if (
    value === null ||
    typeof value === 'string' ||
    typeof value === 'number' ||
    typeof value === 'boolean'
  ) {
    return value
  }
  if (Array.isArray(value)) return value.map(fromJson)
  if (typeof value !== 'object') throw new Error('no JSON')
  return thing('PSCustomObject', Object.fromEntries(Object.entries(value).map(([k, v]) => [k, fromJson(v)])))
}

/** As ConvertTo-Json of Windows PowerShell 5.1 writes it: enumerations as numbers. */
export function toJson(value: Value): unknown {
  if (value instanceof Enum) return value.number
  if (value instanceof Uint8Array) return [...value]
  if (Array.isArray(value)) return value.map(toJson)
  if (typeof value === 'function' || (value !== null && typeof value === 'object' && 'block' in value)) {
    throw new Error('a script answers with what cannot be JSON')
  }
  if (isThing(value)) {
    if (!['Hashtable', 'PSCustomObject'].includes(value.kind)) {
      throw new Error(`a script answers with a whole ${value.kind}, where it should choose properties`)
    }
    return Object.fromEntries([...value.members].map(([key, one]) => [key, toJson(one)]))
  }
  return value
}

export function isTrue(value: Value): boolean {
  if (Array.isArray(value)) return value.length > 1 || (value.length === 1 && isTrue(value[0] ?? null))
  return !(value === null || value === '' || value === 0 || value === false)
}

export function listOf(value: Value): Value[] {
  return value === null ? [] : Array.isArray(value) ? value : [value]
}

export function textOf(value: Value): string {
  if (value === null) return ''
  if (typeof value === 'string') return value
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (typeof value === 'number') return String(value)
  if (value instanceof Enum) return value.name
  if (Array.isArray(value)) return value.map(textOf).join(' ')
  if (isThing(value)) {
    const own = member(value, 'ToString')
    if (typeof own === 'function') return textOf(own())
  }
  throw new Error('a script makes text of what is none')
}
