/**
 * Text as a column holds it. PostgreSQL takes no U+0000 and no half of a surrogate pair, and orders UTF-8 by code point,
 * while the store keeps any text and orders it by code unit. So those few units are written as two: what comes out is
 * well-formed, is different for different texts, and sorts (`COLLATE "C"`) as the texts do.
 */
export function toColumn(text: string): string {
  return text.replace(special, (unit) => {
    const code = unit.charCodeAt(0)
    return code < firstHigh
      ? `\u0001${String.fromCharCode(code + 1)}`
      : high + String.fromCharCode(code - shift)
  })
}

/** The text that `toColumn` wrote. */
export function fromColumn(column: string): string {
  return column.replace(written, (pair) => {
    const code = pair.charCodeAt(1)
    return String.fromCharCode(pair.startsWith(high) ? code + shift : code - 1)
  })
}

/** Sorts behind everything that `toColumn` writes. */
export const behindAll = '\uf8ff'

const firstHigh = 0xd800
const high = '\ue000'
/** Maps the units from U+D800 on to ones that are letters and signs like others. */
const shift = firstHigh - 0x100
const special = /[\u0000\u0001\ud800-\uffff]/g
const written = /\u0001[\u0001\u0002]|\ue000[\u0100-\u28ff]/g
