import type { Clock } from '../base/clock.ts'
import { Refusal } from '../base/errors.ts'
import type { Directory } from './directory.ts'
import type { Person } from './person.ts'
import type { Throttle } from './throttle.ts'

/** Checks passwords for every face, so that failures are counted in one place. */
export interface SignIn {
  /**
   * The person whose password this is.
   * @throws Refusal `bad_credentials`, `too_many_attempts` after repeated failures, or `account_unusable` when the
   * directory says what is the matter with the account.
   * @throws Outage when the directory cannot be asked.
   */
  check(claim: { user: string; password: string; address: string }, signal: AbortSignal): Promise<Person>
}

export function signIn(services: { directory: Directory; throttle: Throttle; clock: Clock }): SignIn {
  const { directory, throttle, clock } = services
  return {
    async check({ user, password, address }, signal) {
      throttle.check(user, address, clock.now())
      const person = await directory.authenticate(user, password, signal).catch((error: unknown) => {
        // It may have taken the right password to hear that: whoever tries on is slowed down all the same.
        if (error instanceof Refusal) throttle.failed(user, address, clock.now())
        throw error
      })
      if (person === undefined) {
        throttle.failed(user, address, clock.now())
        throw new Refusal('bad_credentials', 'The user name or the password is wrong.')
      }
      throttle.succeeded(user, address, clock.now())
      return person
    },
  }
}
