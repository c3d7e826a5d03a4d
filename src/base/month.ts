const names = [
  ...['January', 'February', 'March', 'April', 'May', 'June'],
  ...['July', 'August', 'September', 'October', 'November', 'December'],
]

/** A month of the calendar, `2026-11`, as people say it: `November 2026`. */
export function monthName(month: string): string {
  return `${nameOf(month)} ${yearOf(month)}`
}

/** The same where there is little room: `Nov`. */
export function shortMonth(month: string): string {
  return nameOf(month).slice(0, 3)
}

export function yearOf(month: string): string {
  return month.slice(0, 4)
}

function nameOf(month: string): string {
  return names[Number(month.slice(5, 7)) - 1] ?? month
}
