import type { z } from 'zod'
import { type RdpFinish, unfinished } from '../../broker/rdp-finish.ts'
import type { Clock, Instant } from '../base/clock.ts'
import { messageOf, Outage, Refusal, refuse } from '../base/errors.ts'
import type { Ids } from '../base/ids.ts'
import type { Log } from '../base/log.ts'
import { localDay } from '../base/period.ts'
import { fingerprint } from '../base/seal.ts'
import type { Hypervisor } from '../hypervisors/hypervisor.ts'
import type { Directory } from '../identity/directory.ts'
import type { Caller } from '../identity/person.ts'
import type { SignIn } from '../identity/sign-in.ts'
import type { Store, Transaction } from '../store/store.ts'
import type { Change, Finishing, Operation } from './operation.ts'
import { type Site, siteOn } from './site.ts'

export interface Services {
  store: Store
  site: Site
  clock: Clock
  ids: Ids
  directory: Directory
  signIn: SignIn
  log: Log
  /** How RDP files are completed; without it they are handed out as they are, unsigned. */
  rdp?: RdpFinish
  /** Who is asked what machines do at this moment; nobody when left out. */
  hypervisors?: ReadonlyMap<string, Hypervisor>
}

/** The one way in: parses, asks, allows, runs and audits. REST, chat, portal, router and jobs all come through here. */
export interface Operations {
  /**
   * @throws Refusal `invalid_input` with every fault of the input, or what the operation refuses.
   * @throws Outage when the store or the directory fails.
   */
  perform<Raw, Input, Asked, Answer>(
    operation: Operation<Raw, Input, Asked, Answer>,
    caller: Caller,
    input: Raw,
    options?: { idempotencyKey?: string },
  ): Promise<Answer>
}

const askMillis = 10_000

export function openOperations(services: Services): Operations {
  return {
    async perform<Raw, Input, Asked, Answer>(
      operation: Operation<Raw, Input, Asked, Answer>,
      caller: Caller,
      raw: Raw,
      options: { idempotencyKey?: string } = {},
    ): Promise<Answer> {
      const input = parseInput(operation.input, raw)
      const { store, clock, ids } = services
      if (operation.kind === 'query') {
        const asked = await ask(services, operation, input, caller)
        const answer = await store.read(async (tx) => {
          const now = clock.now()
          const context = { tx, caller, now, site: siteNow(services.site, now) }
          await operation.allow(context, input)
          return operation.run(context, input, asked)
        })
        return finished(services, operation, caller, answer)
      }
      try {
        const asked = await ask(services, operation, input, caller)
        // What completes the answer is worked out while the disk is waited for, and given only with what is on it.
        let finishing: Promise<Answer> | undefined
        const answer = await store.transact(async (tx) => {
          finishing = undefined
          const now = clock.now()
          const context = { tx, caller, now, site: siteNow(services.site, now), ids }
          const key = answerKey(operation, caller, options.idempotencyKey)
          const known = key === undefined ? undefined : await earlierAnswer(tx, key, operation, raw)
          if (known !== undefined) return known
          await operation.allow(context, input)
          const answer = await operation.run(context, input, asked)
          await audit(tx, ids, { operation, caller, now, input, answer, result: 'done', detail: null })
          if (key !== undefined) {
            await tx.answers.put({ id: key, fingerprint: inputPrint(raw), output: answer, at: now })
          }
          finishing = begun(finished(services, operation, caller, answer))
          return answer
        })
        return await (finishing ?? finished(services, operation, caller, answer))
      } catch (error) {
        if (error instanceof Refusal) await auditRefusal(services, operation, caller, input, error)
        throw error
      }
    },
  }
}

function siteNow(site: Site, now: Instant): Site {
  return siteOn(site, localDay(now, site.timezone))
}

function parseInput<Raw, Input>(schema: z.ZodType<Input, Raw>, raw: Raw): Input {
  const parsed = schema.safeParse(raw)
  if (parsed.success) return parsed.data
  const errors = parsed.error.issues.map(({ path, message }) => ({ path: path.join('.'), message }))
  const first = errors[0]
  const where = first === undefined || first.path === '' ? '' : `${first.path}: `
  return refuse('invalid_input', `${where}${first?.message ?? 'The input is not understood.'}`, { errors })
}

async function ask<Raw, Input, Asked, Answer>(
  services: Services,
  operation: Operation<Raw, Input, Asked, Answer>,
  input: Input,
  caller: Caller,
): Promise<Asked>
async function ask(
  services: Services,
  operation: Operation,
  input: unknown,
  caller: Caller,
): Promise<unknown> {
  const { directory, signIn, clock } = services
  const site = siteNow(services.site, clock.now())
  return operation.ask?.({ directory, signIn, site, signal: AbortSignal.timeout(askMillis) }, input, caller)
}

async function finished<Answer>(
  { clock, rdp = unfinished, hypervisors = new Map() }: Services,
  operation: { finish?(finishing: Finishing, answer: Answer): Promise<Answer> },
  caller: Caller,
  answer: Answer,
): Promise<Answer> {
  if (operation.finish === undefined) return answer
  const signal = AbortSignal.timeout(askMillis)
  return operation.finish({ caller, now: clock.now(), rdp, hypervisors, signal }, answer)
}

/** Work whose failure is nobody's business until it is waited for: the transaction that it belongs to may fail first. */
function begun<T>(work: Promise<T>): Promise<T> {
  work.catch(() => undefined)
  return work
}

function answerKey(
  operation: { name: string; repeatable?: boolean },
  caller: Caller,
  key: string | undefined,
): string | undefined {
  return key === undefined || operation.repeatable === true
    ? undefined
    : fingerprint(`${caller.user} ${operation.name} ${key}`)
}

function inputPrint(raw: unknown): string {
  return fingerprint(JSON.stringify(raw ?? null))
}

async function earlierAnswer<Answer>(
  tx: Transaction,
  key: string,
  operation: { output: z.ZodType<Answer> },
  raw: unknown,
): Promise<Answer | undefined> {
  const earlier = await tx.answers.get(key)
  if (earlier === undefined) return undefined
  if (earlier.fingerprint !== inputPrint(raw)) {
    refuse('idempotency_conflict', 'This Idempotency-Key was used before with another body. Use a new key.')
  }
  return operation.output.parse(earlier.output)
}

interface AuditFacts {
  operation: Pick<Change, 'name' | 'unaudited'> & { subject?(input: unknown, answer: unknown): string | null }
  caller: Caller
  now: Instant
  input: unknown
  answer: unknown
  result: string
  detail: string | null
}

async function audit(tx: Transaction, ids: Ids, facts: AuditFacts): Promise<void> {
  if (facts.operation.unaudited === true) return
  await tx.audit.append({
    id: ids.next('A', facts.now),
    at: facts.now,
    actor: facts.caller.user,
    via: facts.caller.via,
    operation: facts.operation.name,
    subject: facts.operation.subject?.(facts.input, facts.answer) ?? null,
    result: facts.result,
    detail: facts.detail,
  })
}

/** A refusal changes nothing, but who tried what is worth keeping. */
async function auditRefusal(
  { store, clock, ids, log }: Services,
  operation: AuditFacts['operation'],
  caller: Caller,
  input: unknown,
  refusal: Refusal,
): Promise<void> {
  // Whoever guesses passwords is slowed down; they must not fill the disk either.
  if (operation.unaudited === true || refusal.code === 'too_many_attempts') return
  try {
    await store.transact((tx) =>
      audit(tx, ids, {
        operation,
        caller,
        now: clock.now(),
        input,
        answer: undefined,
        result: refusal.code,
        detail: refusal.message,
      }),
    )
  } catch (error) {
    if (!(error instanceof Outage)) throw error
    log.warn({ operation: operation.name, error: messageOf(error) }, 'refusal not audited')
  }
}
