/** A field of a CSV file: text, a number, or nothing. */
export type Field = string | number | null

/** Rows as CSV (RFC 4180): lines end in CR LF, a field is quoted where it has to be. */
export function csv(rows: readonly (readonly Field[])[]): string {
  return rows.map((row) => `${row.map(field).join(',')}\r\n`).join('')
}

function field(value: Field): string {
  if (value === null) return ''
  const text = typeof value === 'number' ? String(value) : harmless(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** A spreadsheet would run text that begins like a formula. Numbers are no danger, also below zero. */
function harmless(text: string): string {
  return /^[=+\-@\t]/.test(text) && !/^-?\d+(\.\d+)?$/.test(text) ? `'${text}` : text
}
