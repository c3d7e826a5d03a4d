import { refuse } from './errors.ts'
import { hasControl } from './text.ts'

/**
 * Text as XML carries it, in an element or in an attribute with double quotes.
 * @throws Refusal `invalid_input` for characters that XML 1.0 cannot carry at all.
 */
export function escapeXml(text: string): string {
  if (hasControl(text) || /[\ufffe\uffff]/.test(text) || /\p{Surrogate}/u.test(text)) {
    refuse('invalid_input', 'A text with control characters cannot stand in XML.')
  }
  return escapeMarkup(text)
}

/** The same for text of our own that has line ends, such as an RDP file. They are written so that no reader changes them. */
export function escapeLines(text: string): string {
  return text.split('\r\n').map(escapeXml).join('&#13;&#10;')
}

function escapeMarkup(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&apos;')
}

export type Child = string | readonly Child[]

/** An element with its attributes escaped. Children are XML already. */
export function element(
  name: string,
  attributes: Readonly<Record<string, string>>,
  ...children: Child[]
): string {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${escapeXml(value)}"`)
  const inside = flat(children)
  return inside === '' ? `<${name}${written.join('')} />` : `<${name}${written.join('')}>${inside}</${name}>`
}

function flat(children: readonly Child[]): string {
  return children.map((child) => (typeof child === 'string' ? child : flat(child))).join('')
}

/** Nothing may come before it, not even a blank. */
export const xmlDeclaration = '<?xml version="1.0" encoding="utf-8"?>\r\n'
