import type { PoolClient } from 'pg'
import { DatabaseFault } from './faults.ts'

/** SQL under a name, by which each connection parses it only once. */
export interface Statement {
  name: string
  text: string
}

export type Value = string | number | null | readonly string[]
export type Row = readonly (string | null)[]

interface Tagged {
  readonly command: string
}

/** Everything comes as text: documents are read by us, and instants and numbers are compared as we wrote them. */
const asText = { getTypeParser: () => (value: string) => value }

/**
 * One connection during one transaction. What is asked without waiting goes out at once, one behind the other
 * (pipelining), so that only waiting costs a round trip. After a first fault everything else fails with that one.
 */
export class Session {
  readonly #client: PoolClient
  #fault: DatabaseFault | undefined
  #isGathering = false
  #last: Promise<unknown> = Promise.resolve()

  constructor(client: PoolClient) {
    this.#client = client
    client.on('error', this.#lost)
  }

  get fault(): DatabaseFault | undefined {
    return this.#fault
  }

  async run(statement: Statement, values: readonly Value[]): Promise<Row[]> {
    this.#gather()
    const query = { ...statement, values: [...values], types: asText, rowMode: 'array' as const }
    const { rows } = await this.#sent(this.#client.query<(string | null)[]>(query))
    return rows
  }

  /** Sends a command that gives no rows, or several behind one another. Gives the tag of the last. */
  async command(text: string): Promise<string> {
    this.#gather()
    const results: Tagged | readonly Tagged[] = await this.#sent(this.#client.query(text))
    return [results].flat().at(-1)?.command ?? ''
  }

  /** Ends what is still open and gives the connection back; one that is lost is thrown away. Never rejects. */
  async end(): Promise<void> {
    await this.#last
    if (this.#fault?.kind !== 'lost' && !this.#isIdle) await this.command('ROLLBACK').catch(() => undefined)
    this.#client.off('error', this.#lost)
    this.#client.release(!this.#isIdle)
  }

  get #isIdle(): boolean {
    return this.#fault?.kind !== 'lost' && this.#client.getTransactionStatus() === 'I'
  }

  /** Keeps what is asked in one go together, so that it leaves in one packet and not in a system call for each. */
  #gather(): void {
    if (this.#isGathering) return
    this.#isGathering = true
    const { stream } = this.#client.connection
    stream.cork()
    process.nextTick(() => {
      this.#isGathering = false
      stream.uncork()
    })
  }

  async #sent<T>(answer: Promise<T>): Promise<T> {
    const settled = answer.catch((error: unknown) => {
      throw (this.#fault ??= new DatabaseFault(error))
    })
    this.#last = settled.catch(() => undefined)
    return settled
  }

  readonly #lost = (error: Error): void => {
    this.#fault ??= new DatabaseFault(error)
  }
}
