import { type Instant, latest } from '../../src/base/clock.ts'
import { daysBetween, localDay } from '../../src/base/period.ts'
import { refuse } from '../../src/base/errors.ts'
import { resolveTerm, type Term } from '../grammar.ts'
import { tokenise, normalise } from '../grammar/normalise.ts'
import { readTerm } from '../grammar/terms.ts'

/** When a term is said, and where. */
interface Moment {
  now: Instant
  zone: string
}

/**
 * What an order says of its term. Whole days stay days, so that they count from the approval and not from the asking;
 * only hours and dates are an instant.
 */
export function orderTerm(term: Term, { now, zone }: Moment): { days: number } | { until: string } {
  const end = resolveTerm(term, now, zone)
  if (end === null) return { until: 'never' }
  if (term.kind !== 'for' || term.duration.millis !== 0) return { until: end }
  return { days: daysBetween({ from: localDay(now, zone), to: localDay(end, zone) }) }
}

/** What an extension says of its term: so long after the old end, or after now when that has passed. */
export function extensionTerm(
  term: Term,
  expiresAt: Instant | null,
  { now, zone }: Moment,
): { days: number } | { until: string } {
  if (term.kind === 'never')
    refuse('bad_term', 'Say until when, or how much longer: 30d, 2 weeks, until 2026-12-31.')
  if (term.kind === 'for' && term.duration.months === 0 && term.duration.millis === 0) {
    return { days: term.duration.days }
  }
  const from = term.kind === 'for' ? latest(now, expiresAt) : now
  return { until: resolveTerm(term, from, zone) ?? now }
}

/**
 * A term as somebody typed it into a form.
 * @throws Refusal `bad_term` when it is none, or could be several.
 */
export function termOfText(text: string, moment: Moment): Term {
  const tokens = tokenise(normalise(text, {}))
  const reading = readTerm(tokens, 0, moment)
  if (reading?.problem !== undefined) refuse('bad_term', reading.problem)
  const [only, other] = reading?.choices ?? []
  if (
    reading === undefined ||
    only === undefined ||
    reading.slip !== undefined ||
    reading.used < tokens.length
  ) {
    return refuse('bad_term', 'Write how long as 8h, 30d, 2 weeks or 1mo, or a day as until 2026-12-31.')
  }
  if (other !== undefined) {
    const labels = reading.choices.map(({ label }) => label).join(' or ')
    refuse('bad_term', `That may be ${labels}. Write the day as 2026-12-31.`)
  }
  return only.term
}
