import type { Person } from './person.ts'

/** Checks passwords for every face, so that failures are counted in one place. */
export interface SignIn {
  /**
   * The person whose password this is.
   * @throws Refusal `bad_credentials`, or `too_many_attempts` after repeated failures.
   * @throws Outage when the directory cannot be asked.
   */
  check(claim: { user: string; password: string; address: string }, signal: AbortSignal): Promise<Person>
}
