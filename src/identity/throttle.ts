import { createHash } from 'node:crypto'
import { isIPv6 } from 'node:net'
import { type Instant, millis } from '../base/clock.ts'
import { Refusal } from '../base/errors.ts'
import { counted } from '../base/text.ts'

/** How failed sign-ins slow down further ones. */
export interface Limit {
  /** Failures that cost nothing. */
  free: number
  /** The wait after the next one; each further failure doubles it. */
  firstMillis: number
  maxMillis: number
  /** One failure is forgotten each time this has gone by. */
  forgetMillis: number
}

export interface ThrottleLimits {
  /** One account from one address. Strict: this is somebody who guesses. */
  pair: Limit
  /** One account from anywhere. Soft, since whoever is slowed may be its owner. */
  account: Limit
  /** One address, whatever the account. Wide, since a whole site may be behind it. */
  address: Limit
  /** How many accounts, addresses and pairs are remembered; the longest untouched are forgotten first. */
  remembered: number
}

export const usualLimits: ThrottleLimits = {
  pair: { free: 8, firstMillis: 2_000, maxMillis: 900_000, forgetMillis: 900_000 },
  account: { free: 30, firstMillis: 1_000, maxMillis: 30_000, forgetMillis: 120_000 },
  address: { free: 100, firstMillis: 1_000, maxMillis: 60_000, forgetMillis: 30_000 },
  remembered: 10_000,
}

/** Failures as they stood at a time, in epoch milliseconds. */
export interface Failures {
  count: number
  at: number
}

/** One more failure, after time has taken some away. */
export function failedAgain(known: Failures | undefined, limit: Limit, at: number): Failures {
  return { count: remaining(known, limit, at) + 1, at: Math.max(at, known?.at ?? at) }
}

/** How long until the next attempt, in milliseconds; 0 is now. */
export function waitMillis(known: Failures | undefined, limit: Limit, at: number): number {
  if (known === undefined || known.count <= limit.free) return 0
  const beyond = Math.min(30, Math.ceil(known.count - limit.free) - 1)
  const doubled = limit.firstMillis * 2 ** beyond
  return Math.max(0, known.at + Math.min(limit.maxMillis, doubled) - at)
}

function remaining(known: Failures | undefined, limit: Limit, at: number): number {
  if (known === undefined) return 0
  return Math.max(0, known.count - Math.max(0, at - known.at) / limit.forgetMillis)
}

/**
 * Slows down whoever guesses passwords, without letting a stranger lock an owner out. Attempts that are refused count
 * nowhere, so one address alone cannot slow an account for the others; and an address from which the account has been
 * signed in to before is not slowed by what happens elsewhere. Held in memory: where no other
 * process of the site tells of what it saw, a restart forgets.
 */
export interface Throttle {
  /**
   * Comes before the password is looked at. The attempt counts at once, so that many at a time are no way around.
   * @throws Refusal `too_many_attempts`, with the seconds to wait.
   */
  check(user: string, address: string, now: Instant): void
  /** The password was wrong. */
  failed(user: string, address: string, now: Instant): void
  /** The password was right. */
  succeeded(user: string, address: string, now: Instant): void
  /** Counts what another process of the site saw. */
  hear(attempt: Attempt): void
}

/**
 * How somebody's attempt to sign in came out, as one process tells it to the others. Who and where are fingerprints: people
 * type passwords where names belong.
 */
export interface Attempt {
  outcome: 'failed' | 'succeeded'
  account: string
  from: string
  pair: string
  at: Instant
}

/** @param tell is given what other processes should hear: each failure, and where an account is known from now on. */
export function throttle(
  limits: ThrottleLimits = usualLimits,
  tell: (attempt: Attempt) => void = () => undefined,
): Throttle {
  const pairs = remembering<Failures>(limits.remembered)
  const accounts = remembering<Failures>(limits.remembered)
  const addresses = remembering<Failures>(limits.remembered)
  const familiar = remembering<true>(limits.remembered)

  function welcome(pair: string): void {
    pairs.remove(pair)
    familiar.set(pair, true)
  }

  return {
    check(user, address, now) {
      const [at, { account, from, pair }] = [millis(now), keys(user, address)]
      const isFamiliar = familiar.get(pair) !== undefined
      const wait = Math.max(
        waitMillis(pairs.get(pair), limits.pair, at),
        waitMillis(addresses.get(from), limits.address, at),
        isFamiliar ? 0 : waitMillis(accounts.get(account), limits.account, at),
      )
      if (wait > 0) throw tooMany(wait)
      // Where its owner is known to be, many requests may come at once, each with the right password.
      if (!isFamiliar) pairs.set(pair, failedAgain(pairs.get(pair), limits.pair, at))
    },
    failed(user, address, now) {
      const [at, { account, from, pair }] = [millis(now), keys(user, address)]
      accounts.set(account, failedAgain(accounts.get(account), limits.account, at))
      addresses.set(from, failedAgain(addresses.get(from), limits.address, at))
      if (familiar.get(pair) !== undefined) pairs.set(pair, failedAgain(pairs.get(pair), limits.pair, at))
      tell({ outcome: 'failed', account, from, pair, at: now })
    },
    succeeded(user, address, now) {
      const { account, from, pair } = keys(user, address)
      const isNews = familiar.get(pair) === undefined
      welcome(pair)
      if (isNews) tell({ outcome: 'succeeded', account, from, pair, at: now })
    },
    hear({ outcome, account, from, pair, at: now }) {
      const at = millis(now)
      if (outcome === 'succeeded') {
        welcome(pair)
        return
      }
      accounts.set(account, failedAgain(accounts.get(account), limits.account, at))
      addresses.set(from, failedAgain(addresses.get(from), limits.address, at))
      pairs.set(pair, failedAgain(pairs.get(pair), limits.pair, at))
    },
  }
}

function tooMany(wait: number): Refusal {
  const retryAfterSeconds = Math.ceil(wait / 1000)
  return new Refusal(
    'too_many_attempts',
    `There were too many failed attempts to sign in. Try again in ${counted(retryAfterSeconds, 'second')}.`,
    { retryAfterSeconds },
  )
}

function keys(user: string, address: string): { account: string; from: string; pair: string } {
  const [account, from] = [mark(user.toLowerCase()), mark(network(address))]
  return { account, from, pair: `${from} ${account}` }
}

/** Names may be as long as a sender likes; what is remembered of them may not. */
function mark(name: string): string {
  return createHash('sha256').update(name).digest('base64url').slice(0, 22)
}

/** Whoever has one IPv6 address has the 2^64 beside it (RFC 4291 §2.5.1), so those count as one. */
function network(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped !== undefined) return mapped
  const plain = address.split('%')[0] ?? ''
  if (!isIPv6(plain)) return address
  const [head = '', tail] = plain.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const missing = tail === undefined ? 0 : 8 - left.length - right.length
  const groups = [...left, ...Array<string>(missing).fill('0'), ...right].map((group) =>
    parseInt(group, 16).toString(16),
  )
  return `${groups.slice(0, 4).join(':')}::/64`
}

interface Memory<T> {
  get(key: string): T | undefined
  set(key: string, value: T): void
  remove(key: string): void
}

/** A map that forgets what was set longest ago once it is full. */
function remembering<T>(most: number): Memory<T> {
  const map = new Map<string, T>()
  return {
    get: (key) => map.get(key),
    set(key, value) {
      map.delete(key)
      map.set(key, value)
      const [oldest] = map.keys()
      if (map.size > most && oldest !== undefined) map.delete(oldest)
    },
    remove(key) {
      map.delete(key)
    },
  }
}
