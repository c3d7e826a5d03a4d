/** One start tag of a page, with the tags that it stands in. */
export interface Tag {
  name: string
  attributes: Record<string, string>
  within: readonly string[]
}

const token =
  /<!doctype html>|<\/([a-z][a-z0-9]*)>|<([a-z][a-z0-9]*)((?:\s+[^\s=>/"]+(?:="[^"]*")?)*)\s*\/?>|([^<]+)/giy

const empty = new Set(['meta', 'link', 'input', 'br', 'img', 'hr'])

/**
 * The start tags of a page. Throws when anything else than a tag begins with `<`, when tags are not nested, or when an
 * attribute is written so that its value could be read in two ways.
 */
export function tagsOf(html: string): Tag[] {
  const tags: Tag[] = []
  const open: string[] = []
  token.lastIndex = 0
  while (token.lastIndex < html.length) {
    const at = token.lastIndex
    const match = token.exec(html)
    if (match === null) throw new Error(`not markup: ${html.slice(at, at + 60)}`)
    const [, closed, opened, attributes = ''] = match
    if (closed !== undefined) {
      const last = open.pop()
      if (last !== closed) throw new Error(`</${closed}> closes ${last ?? 'nothing'}`)
    }
    if (opened === undefined) continue
    tags.push({ name: opened, attributes: attributesIn(attributes), within: [...open] })
    if (!empty.has(opened)) open.push(opened)
  }
  if (open.length > 0) throw new Error(`left open: ${open.join(' ')}`)
  return tags
}

function attributesIn(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/([^\s=>/"]+)(?:="([^"]*)")?/g)].map(([, name = '', value = '']) => [name, value]),
  )
}

/** Everything in a page that would need the browser to run or style what stands in it. */
export function inlineParts(tags: readonly Tag[]): string[] {
  return tags.flatMap(({ name, attributes }) => {
    const scripted = Object.entries(attributes).filter(
      ([key, value]) =>
        key === 'style' || /^on/.test(key) || /^hx-on/.test(key) || /^\s*javascript:/i.test(value),
    )
    const element = name === 'style' || (name === 'script' && attributes.src === undefined)
    return [...(element ? [`<${name}>`] : []), ...scripted.map(([key]) => `${name} ${key}`)]
  })
}

/** Fields that no label names. */
export function unlabelled(tags: readonly Tag[]): string[] {
  const named = new Set(tags.filter(({ name }) => name === 'label').map(({ attributes }) => attributes.for))
  return tags
    .filter(({ name }) => ['input', 'select', 'textarea'].includes(name))
    .filter(({ attributes: { type = '' } }) => !['hidden', 'submit'].includes(type))
    .filter(({ within, attributes: { id } }) => !within.includes('label') && !named.has(id))
    .map(({ attributes }) => attributes.name ?? 'unnamed')
}

/** The text of a page, tags left out. */
export function textOf(html: string): string {
  return html
    .replace(/<[^>]*>/g, ' ')
    .replaceAll('&nbsp;', ' ')
    .replaceAll('&amp;', '&')
    .replaceAll(/[\u00a0\u202f]/g, ' ')
    .replaceAll(/\s+/g, ' ')
}
