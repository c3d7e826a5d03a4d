import { Outage } from './errors.ts'

/** The pause before attempt `attempt + 1`: doubles from `firstMillis`, capped, with up to a quarter of spread. */
export function backoffMillis(
  attempt: number,
  options: { firstMillis: number; maxMillis: number; spread: number },
): number {
  const pause = Math.min(options.maxMillis, options.firstMillis * 2 ** (attempt - 1))
  return Math.round(pause * (1 + options.spread / 4))
}

/**
 * Runs work that the outside world may never answer.
 * @throws Outage `deadline_passed`, transient, when `millis` have gone by; the work's signal is aborted then.
 */
export async function withDeadline<T>(
  what: string,
  limitMillis: number,
  outer: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const timeout = AbortSignal.timeout(limitMillis)
  const signal = outer === undefined ? timeout : AbortSignal.any([outer, timeout])
  try {
    return await Promise.race([work(signal), aborted(signal)])
  } catch (error) {
    if (!timeout.aborted || error instanceof Outage) throw error
    throw new Outage('deadline_passed', `${what} gave no answer in ${limitMillis / 1000} s`, {
      transient: true,
      cause: error,
    })
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true })
  })
}

/**
 * Does work until it is done, as long as the world says that trying again can help and nobody has stopped it.
 * @param wait pauses, and ends early when it is stopped
 * @throws whatever the last try threw.
 */
export async function persist<T>(
  work: () => Promise<T>,
  options: { stop: AbortSignal; wait: (millis: number, stop: AbortSignal) => Promise<void> },
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof Outage) || !error.transient || options.stop.aborted) throw error
      await options.wait(backoffMillis(attempt, patience), options.stop)
    }
  }
}

const patience = { firstMillis: 1000, maxMillis: 30_000, spread: 0 }
