import type { Connection } from './sessions.ts'

/** Longer than this no timer of Node's waits (2^31 - 1 ms). */
const longestTimer = 2_147_483_647

/**
 * Cuts a connection at the end of its lease (`lease_ended`), and when its client has been silent for too long (`idle`),
 * also while nobody else is there to do so. One timer for each connection, set anew only when it goes off. Gives back how
 * to stop.
 */
export function keepLimits(
  connection: Connection,
  now: () => number,
  cut: (reason: 'lease_ended' | 'idle') => void,
): () => void {
  const since = now()
  let timer: NodeJS.Timeout | undefined

  function look(): void {
    clearTimeout(timer)
    const { found, traffic } = connection
    const endsAt = found?.endsAt ?? Infinity
    const idleAt = (traffic.lastInputAt ?? since) + (found?.idleMillis ?? Infinity)
    const left = Math.min(endsAt, idleAt) - now()
    if (left <= 0) cut(endsAt <= idleAt ? 'lease_ended' : 'idle')
    else if (left < Infinity) timer = setTimeout(look, Math.min(left, longestTimer))
  }

  connection.limitsMoved = look
  look()
  return () => clearTimeout(timer)
}
