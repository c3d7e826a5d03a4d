/** Control characters, and the line separators that some readers take for a line end. */
const control = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/

/** Whether a text holds a character that could end a line or steer a terminal. Such text is refused, never mended. */
export function hasControl(text: string): boolean {
  return control.test(text)
}

/** `a, b and c`, for sentences. */
export function list(items: readonly string[], last = 'and'): string {
  if (items.length <= 1) return items[0] ?? ''
  return `${items.slice(0, -1).join(', ')} ${last} ${items.at(-1) ?? ''}`
}

/** `1 machine`, `20 machines`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
