import { Refusal } from '../base/errors.ts'
import { MachineName } from './machine.ts'

type Taken = (name: string) => boolean

/**
 * Checks a name that somebody chose against RFC 1123, the site's pattern and the names in use.
 * @throws Refusal `bad_name` or `name_taken`, with a name that would do.
 */
export function checkName(name: string, pattern: RegExp, taken: Taken): string {
  if (!isLegal(name, pattern)) throw badName(name, pattern, taken)
  if (!taken(name)) return name
  const free = firstFree(name, { from: 2, width: 2 }, pattern, taken)
  throw new Refusal('name_taken', `There is a machine ${name} already.${remedy(free)}`, {
    suggestions: free === undefined ? [] : [free],
  })
}

/**
 * Names for the machines of one order: the base as it is for one, `base01`, `base02` … for several, `template-001` …
 * where no base was given. Numbers in use are passed over; a base is cut short where the pattern wants it so.
 * @throws Refusal `bad_name` or `name_taken`, with a name that would do.
 */
export function namesFor(
  order: { base: string | null; template: string; count: number },
  pattern: RegExp,
  taken: Taken,
): string[] {
  if (order.base !== null && order.count === 1) return [checkName(order.base, pattern, taken)]
  const stem = order.base ?? stemOf(order.template)
  const width = Math.max(order.base === null ? 3 : 2, String(order.count).length)
  // A name that is too long is cut, one that is wrong is not mended behind the person's back.
  if (
    order.base !== null &&
    !isLegal(stem, pattern) &&
    !isLegal(`${stem}${'1'.padStart(width, '0')}`, pattern)
  ) {
    throw badName(stem, pattern, taken)
  }
  const names: string[] = []
  for (const name of freeNames(stem, { from: 1, width }, pattern, taken)) {
    names.push(name)
    if (names.length === order.count) return names
  }
  throw noneFree(stem)
}

function isLegal(name: string, pattern: RegExp): boolean {
  // `search` takes no notice of the state that a global or sticky pattern keeps.
  return MachineName.safeParse(name).success && name.search(pattern) !== -1
}

/** Free names of a stem and a rising number, the stem cut until the pattern takes it. */
function* freeNames(
  stem: string,
  number: { from: number; width: number },
  pattern: RegExp,
  taken: Taken,
): Generator<string> {
  for (let n = number.from; n < 1_000_000; n++) {
    const name = fitted(stem, String(n).padStart(number.width, '0'), pattern)
    if (name === undefined) return
    if (!taken(name)) yield name
  }
}

function firstFree(
  stem: string,
  number: { from: number; width: number },
  pattern: RegExp,
  taken: Taken,
): string | undefined {
  for (const name of freeNames(stem, number, pattern, taken)) return name
  return undefined
}

function fitted(stem: string, suffix: string, pattern: RegExp): string | undefined {
  for (let length = stem.length; length > 0; length--) {
    const name = `${stem.slice(0, length)}${suffix}`
    if (isLegal(name, pattern)) return name
  }
  return undefined
}

function stemOf(template: string): string {
  return `${template.replaceAll('.', '-')}-`
}

function badName(name: string, pattern: RegExp, taken: Taken): Refusal {
  const mended = name
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^[^a-z]+|-+$/g, '')
  const whole = fitted(mended, '', pattern)
  const free =
    whole !== undefined && !taken(whole) ? whole : firstFree(mended, { from: 1, width: 2 }, pattern, taken)
  const rule = `A name is lower-case letters, digits and inner dashes, and matches ${pattern.source}`
  return new Refusal('bad_name', `"${shown(name)}" is not a name for a machine.${remedy(free)} ${rule}.`, {
    errors: [{ path: 'name', message: `a name that matches ${pattern.source}` }],
    suggestions: free === undefined ? [] : [free],
  })
}

function noneFree(stem: string): Refusal {
  return new Refusal('bad_name', `No name made from ${shown(stem)} is free here. Choose another one.`, {
    errors: [{ path: 'name', message: 'another name' }],
  })
}

function remedy(free: string | undefined): string {
  return free === undefined ? ' Choose another one.' : ` ${free} would do.`
}

function shown(name: string): string {
  return name.length <= 40 ? name : `${name.slice(0, 40)}…`
}
