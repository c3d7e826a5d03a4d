import type { z } from 'zod'
import type { RdpFinish } from '../../broker/rdp-finish.ts'
import type { Instant } from '../base/clock.ts'
import type { Ids } from '../base/ids.ts'
import type { Hypervisor } from '../hypervisors/hypervisor.ts'
import type { Directory } from '../identity/directory.ts'
import type { Caller } from '../identity/person.ts'
import type { SignIn } from '../identity/sign-in.ts'
import type { ReadTransaction, Transaction } from '../store/store.ts'
import type { Site } from './site.ts'

/** Where an operation stands in the HTTP API, under `/api/v1`. Path parameters are part of its input. */
export interface HttpFace {
  method: 'GET' | 'POST' | 'DELETE'
  path: string
  /** Status of success; 200 unless said otherwise. May depend on the answer, as 200 or 202. */
  status?: (answer: unknown) => number
  /** A body that is not JSON goes into this field of the input. */
  body?: { type: string; field: string }
  /** The answer in another media type, offered before JSON. */
  media?: {
    type: string
    render(answer: unknown): { body: Buffer; headers: Record<string, string> } | undefined
  }
  /** Other ways to write it. Two may share a media type: `Accept` then means the first, `format` is exact. */
  formats?: readonly Format[]
}

/** What a question that goes outside may use, before any transaction. */
export interface Outside {
  directory: Directory
  signIn: SignIn
  site: Site
  signal: AbortSignal
}

/** What an answer may still be given once its transaction is over, so that it holds up nobody else. */
export interface Finishing {
  caller: Caller
  now: Instant
  rdp: RdpFinish
  hypervisors: ReadonlyMap<string, Hypervisor>
  signal: AbortSignal
}

/** Another way to write an answer, offered after JSON: by its media type in `Accept`, or by `?format=` its name. */
export interface Format {
  readonly name: string
  readonly type: string
  /** What a browser should call the file. */
  fileName?(answer: unknown): string
  render(answer: unknown): string
}

interface Common<Raw, Input, Asked, Answer> {
  /** A verb phrase in kebab case; the file bears the same name. */
  readonly name: string
  readonly summary: string
  readonly http: HttpFace | null
  readonly input: z.ZodType<Input, Raw>
  readonly output: z.ZodType<Answer>
  /** Whether somebody who has not signed in may ask. */
  readonly open?: boolean
  /** Set where the answer holds a secret and asking again gives the same: it is then not kept for `Idempotency-Key`. */
  readonly repeatable?: boolean
  /** Set where it is machinery that nobody would ask about: it leaves no row in the audit. */
  readonly unaudited?: boolean
  /** Questions to the outside world, asked before the transaction: a directory lookup, a password check. */
  ask?(outside: Outside, input: Input, caller: Caller): Promise<Asked>
  /**
   * Completes the answer with what is kept nowhere, such as a signature: of a change while the transaction is being made
   * durable, of a question after it. What it gives is handed out only once the transaction stands.
   */
  finish?(finishing: Finishing, answer: Answer): Promise<Answer>
  /** What the audit says it was done on, such as `machine:webafs20`. */
  subject?(input: Input, answer: Answer | undefined): string | null
}

export interface ReadContext {
  readonly tx: ReadTransaction
  readonly caller: Caller
  readonly now: Instant
  readonly site: Site
}

export interface Context extends Omit<ReadContext, 'tx'> {
  readonly tx: Transaction
  readonly ids: Ids
}

/** An operation that only looks. */
export interface Query<Raw = unknown, Input = unknown, Asked = unknown, Answer = unknown> extends Common<
  Raw,
  Input,
  Asked,
  Answer
> {
  readonly kind: 'query'
  /** @throws Refusal unless the caller may. Runs in the transaction, before `run`. */
  allow(context: ReadContext, input: Input): Promise<void> | void
  run(context: ReadContext, input: Input, asked: Asked): Promise<Answer>
}

/** An operation that changes something: it loads, decides with pure functions, saves, and talks to nothing outside. */
export interface Change<Raw = unknown, Input = unknown, Asked = unknown, Answer = unknown> extends Common<
  Raw,
  Input,
  Asked,
  Answer
> {
  readonly kind: 'change'
  /** @throws Refusal unless the caller may. Runs in the transaction, before `run`. */
  allow(context: Context, input: Input): Promise<void> | void
  run(context: Context, input: Input, asked: Asked): Promise<Answer>
}

export type Operation<Raw = unknown, Input = unknown, Asked = unknown, Answer = unknown> =
  Query<Raw, Input, Asked, Answer> | Change<Raw, Input, Asked, Answer>

export function query<Raw, Input, Answer, Asked = undefined>(
  spec: Omit<Query<Raw, Input, Asked, Answer>, 'kind'>,
): Query<Raw, Input, Asked, Answer> {
  return { kind: 'query', ...spec }
}

export function change<Raw, Input, Answer, Asked = undefined>(
  spec: Omit<Change<Raw, Input, Asked, Answer>, 'kind'>,
): Change<Raw, Input, Asked, Answer> {
  return { kind: 'change', ...spec }
}
