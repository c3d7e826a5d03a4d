import { assert } from '../base/errors.ts'

/** What was frozen all the way down already: most of a changed document is what it was before. */
const done = new WeakSet<object>()

/**
 * Freezes a document all the way down and makes sure that it is plain JSON, so that what is read back after a restart
 * is what was put. A property that is undefined is left out, as JSON leaves it out.
 * @throws AssertionError naming the place, when JSON cannot carry the value.
 */
export function frozen<T>(document: T, what: string): T {
  freeze(document, [what], [])
  return document
}

function freeze(value: unknown, path: string[], above: object[]): void {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return
  if (typeof value === 'number' && Number.isFinite(value)) return
  if (typeof value === 'object' && done.has(value)) return
  if (typeof value !== 'object' || !isPlain(value)) throw notJson(path, value)
  if (above.includes(value)) throw notJson(path, 'a circle')
  const isList = Array.isArray(value)
  above.push(value)
  for (const [key, part] of Object.entries(value)) {
    path.push(key)
    if (part !== undefined || isList) freeze(part, path, above)
    else if (!Reflect.deleteProperty(value, key)) throw notJson(path, part)
    path.pop()
  }
  above.pop()
  Object.freeze(value)
  done.add(value)
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null || Array.isArray(value)
}

function notJson(path: readonly string[], value: unknown): Error {
  const shown = typeof value === 'number' ? value : typeof value === 'string' ? value : typeof value
  return new assert.AssertionError({ message: `${path.join('.')} is plain JSON, not ${shown}` })
}
