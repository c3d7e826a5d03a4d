import type { Clock, Instant } from '../../src/base/clock.ts'
import type { Caller } from '../../src/identity/person.ts'
import type { Operation } from '../../src/operations/operation.ts'
import type { Operations } from '../../src/operations/perform.ts'
import type { Site } from '../../src/operations/site.ts'
import type { Drawing } from '../cards/drawing.ts'
import type { Look } from '../facts.ts'

/** One line, press or form that is being answered: who said it, when, and what the answer may use. */
export interface Talk extends Look {
  now: Instant
  drawing: Drawing
  /** What the platform knows this line or press by, so that it is done once although it may come twice. */
  key: string | undefined
  /**
   * Performs an operation for the caller.
   * @param part tells apart what one line does several times, such as the name of each machine
   */
  perform<Raw, Input, Asked, Answer>(
    operation: Operation<Raw, Input, Asked, Answer>,
    input: Raw,
    part?: string,
  ): Promise<Answer>
}

export function openTalk(
  services: { operations: Operations; site: Site; clock: Clock },
  caller: Caller,
  { key, zone }: { key: string | undefined; zone: string | undefined },
): Talk {
  const { operations, site } = services
  const now = services.clock.now()
  return {
    operations,
    site,
    caller,
    now,
    key,
    drawing: { reader: caller, now, zone: zone ?? site.timezone, currency: site.currency },
    perform: (operation, input, part = '') =>
      operations.perform(
        operation,
        caller,
        input,
        key === undefined ? {} : { idempotencyKey: `${key}|${part}` },
      ),
  }
}
