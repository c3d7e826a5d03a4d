/**
 * An instant as we keep it: RFC 3339 in UTC with milliseconds, always 24 characters, so that text order is time order
 * and a document is plain JSON.
 */
export type Instant = string

/** Where time comes from. Tests hand in one that stands still until it is moved. */
export interface Clock {
  now(): Instant
}

export const systemClock: Clock = { now: () => instant(Date.now()) }

export function instant(epochMillis: number): Instant {
  return new Date(epochMillis).toISOString()
}

export function millis(at: Instant): number {
  return Date.parse(at)
}

export function plusMillis(at: Instant, amount: number): Instant {
  return instant(millis(at) + amount)
}

export function earliest(...instants: (Instant | null | undefined)[]): Instant | null {
  const known = instants.filter((at) => at !== null && at !== undefined)
  return known.length === 0 ? null : known.reduce((a, b) => (a < b ? a : b))
}

export function latest(first: Instant, ...rest: (Instant | null | undefined)[]): Instant {
  return rest.reduce<Instant>((a, b) => (b !== null && b !== undefined && b > a ? b : a), first)
}
