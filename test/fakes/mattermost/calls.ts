import { z } from 'zod'
import { calls, shapes } from './described.ts'

/** An error as the API gives it. */
export class ApiError extends Error {
  readonly status: number
  readonly id: string

  constructor(status: number, id: string, message = id) {
    super(message)
    this.status = status
    this.id = id
  }
}

/** Real servers also say these, whatever the description lists. */
const always = [400, 404, 429, 500, 501, 502, 503]

/** A call that the description knows: `GET /posts/{post_id}` with the values of its path. */
export interface Described {
  key: string
  params: Record<string, string>
}

export function describedCall(method: string, path: string): Described | undefined {
  for (const key of Object.keys(calls)) {
    const [wanted, pattern = ''] = key.split(' ')
    const names = Array.from(pattern.matchAll(/\{(\w+)\}/g), ([, name]) => name ?? '')
    const found = new RegExp(`^${pattern.replace(/\{\w+\}/g, '([^/]+)')}$`).exec(path)
    if (wanted !== method || found === null) continue
    // A fixed path, such as /users/me or /teams/name/x, is more special than one with an id.
    const params = Object.fromEntries(
      names.map((name, at) => [name, decodeURIComponent(found[at + 1] ?? '')]),
    )
    return { key, params }
  }
  return undefined
}

const types: Readonly<Record<string, (value: unknown) => boolean>> = {
  string: (value) => typeof value === 'string',
  boolean: (value) => typeof value === 'boolean',
  integer: (value) => Number.isInteger(value),
  array: (value) => Array.isArray(value),
  object: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
}

/** The description calls the props of a patch a string; the server takes an object (model.PostPatch). */
const mended: Readonly<Record<string, string>> = { 'PUT /posts/{post_id}/patch props': 'object' }

/** Servers before version 11 refuse to answer without it; the description has left it out since. */
const askedFor: Readonly<Record<string, readonly string[]>> = { 'GET /config/client': ['format'] }

/** What a request says that its description does not know, or lacks. */
export function requestFaults(key: string, query: URLSearchParams, body: unknown): string[] {
  const call = calls[key]
  if (call === undefined) return [`${key} is not described`]
  const knownQuery = [...(call.query ?? []), ...(askedFor[key] ?? [])]
  const unknownQuery = [...query.keys()].filter((name) => !knownQuery.includes(name))
  const faults = unknownQuery.map((name) => `${key}: query ${name} is not described`)
  const fields = z.record(z.string(), z.unknown()).safeParse(body)
  if (call.body === undefined || !fields.success) return faults
  const known = { ...shapes[call.gives ?? ''], ...call.body }
  const wrong = Object.entries(fields.data).flatMap(([name, value]) => {
    const type = mended[`${key} ${name}`] ?? known[name]
    if (type === undefined) return [`${key}: ${name} is not described`]
    return value === undefined || (types[type]?.(value) ?? true)
      ? []
      : [`${key}: ${name} is not of type ${type}`]
  })
  const missing = (call.required ?? []).filter((name) => fields.data[name] === undefined)
  return [...faults, ...wrong, ...missing.map((name) => `${key}: ${name} is missing`)]
}

/** How an answer of the fake differs from what its description says. */
export function answerFaults(key: string, status: number, body: unknown): string[] {
  const call = calls[key]
  if (call === undefined) return [`${key} is not described`]
  if (!call.codes.includes(status) && !always.includes(status))
    return [`${key}: status ${status} is not described`]
  const shape = shapes[call.gives ?? '']
  if (shape === undefined || status >= 300) return []
  const items = Array.isArray(body) ? body : [body]
  return items.flatMap((item: unknown) => itemFaults(key, shape, item))
}

/** Fields of the real server's answers that the description leaves out. */
const undescribed = [
  'is_bot',
  'remote_id',
  'is_following',
  'reply_count',
  'last_reply_at',
  'has_reactions',
  'is_pinned',
]

function itemFaults(key: string, shape: Readonly<Record<string, string>>, item: unknown): string[] {
  const fields = z.record(z.string(), z.unknown()).safeParse(item)
  if (!fields.success) return [`${key}: the answer is no object`]
  return Object.entries(fields.data).flatMap(([name, value]) => {
    const type = shape[name]
    if (type === undefined)
      return undescribed.includes(name) ? [] : [`${key}: answers ${name}, which is not described`]
    return types[type]?.(value) === false ? [`${key}: ${name} is not of type ${type}`] : []
  })
}
