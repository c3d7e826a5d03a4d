import { roughMillis } from '../../src/base/duration.ts'
import { Refusal } from '../../src/base/errors.ts'
import { endLeaseNow } from '../../src/operations/end-lease.ts'
import { extendLeaseTime } from '../../src/operations/extend-lease.ts'
import { listPools } from '../../src/operations/list-pools.ts'
import { openDesktop } from '../../src/operations/open-desktop.ts'
import type { Card } from '../card.ts'
import { leaseCard, leaseMinutes, poolsCard, type PoolView } from '../cards/desktop.ts'
import { questionCard, saidCard } from '../cards/questions.ts'
import { requestCard } from '../cards/request.ts'
import { isNothing, when } from '../cards/words.ts'
import { leaseFacts, requestFacts } from '../facts.ts'
import { type Command, formatCommand, resolveTerm, type Term } from '../grammar.ts'
import type { Talk } from './talk.ts'

/** Opens a desktop: of the pool that was said, of the one where a session is open, or of the only one there is. */
export async function open(talk: Talk, { pool }: { pool?: string }): Promise<Card[]> {
  if (pool !== undefined) return openIn(talk, pool)
  const pools = await poolsOf(talk)
  const chosen = only(pools.filter(({ lease }) => lease !== undefined)) ?? only(pools)
  if (chosen !== undefined) return openIn(talk, chosen.name)
  if (pools.length === 0) return [poolsCard(pools, talk.drawing)]
  return [whichPool('Which desktop?', pools, (name) => ({ verb: 'desktop-open', pool: name }))]
}

export async function openIn(talk: Talk, pool: string): Promise<Card[]> {
  const opened = await talk.perform(openDesktop, { pool })
  const facts = await leaseFacts(talk, opened.lease)
  const progress = opened.progress ?? facts.progress
  return [leaseCard({ ...facts, ...(progress === undefined ? {} : { progress }) }, talk.drawing)]
}

export async function list(talk: Talk): Promise<Card[]> {
  return [poolsCard(await poolsOf(talk), talk.drawing)]
}

export async function extend(talk: Talk, { pool, term }: { pool?: string; term?: Term }): Promise<Card[]> {
  const found = await sessionOf(talk, pool)
  if ('pools' in found) {
    const rest = term === undefined ? {} : { term }
    const command = (name: string): Command => ({ verb: 'desktop-extend', pool: name, ...rest })
    return [whichPool('Extend which session?', found.pools, command)]
  }
  return extendBy(talk, found.lease, leaseTerm(talk, term))
}

/** A length is so many minutes more; a time of day is the end itself. */
function leaseTerm({ now, drawing }: Talk, term: Term | undefined): { minutes: number } | { until: string } {
  if (term === undefined) return { minutes: leaseMinutes }
  if (term.kind === 'for') return { minutes: Math.max(1, Math.round(roughMillis(term.duration) / 60_000)) }
  const until = resolveTerm(term, now, drawing.zone)
  if (until === null)
    throw new Refusal('bad_term', 'A session has an end. Say how much longer, such as 30m or 1h.')
  return { until }
}

export async function extendBy(
  talk: Talk,
  lease: string,
  term: { minutes: number } | { until: string },
): Promise<Card[]> {
  const answer = await talk.perform(extendLeaseTime, { id: lease, ...term })
  if ('request' in answer) return [requestCard(await requestFacts(talk, answer.request), talk.drawing)]
  const { extra, cost, endsAt } = answer
  const shown = leaseCard(await leaseFacts(talk, lease), talk.drawing)
  if (extra === undefined || cost === undefined) return [shown]
  const until = `Your session now lasts until ${when(endsAt, talk.drawing)}.`
  const price = isNothing(extra)
    ? 'That costs nothing more.'
    : `${extra} ${cost.currency} more are held for it on ${cost.budget}.`
  return [shown, saidCard('Your session is extended', `${until} ${price}`)]
}

export async function end(talk: Talk, { pool }: { pool?: string }): Promise<Card[]> {
  const found = await sessionOf(talk, pool)
  if ('pools' in found) {
    return [whichPool('End which session?', found.pools, (name) => ({ verb: 'desktop-end', pool: name }))]
  }
  return endNow(talk, found.lease)
}

export async function endNow(talk: Talk, lease: string): Promise<Card[]> {
  await talk.perform(endLeaseNow, { id: lease })
  return [leaseCard(await leaseFacts(talk, lease), talk.drawing)]
}

async function poolsOf(talk: Talk): Promise<PoolView[]> {
  return (await talk.perform(listPools, {})).items
}

function only<T>(items: readonly T[]): T | undefined {
  return items.length === 1 ? items[0] : undefined
}

/** The open session that is meant, or the pools with one where it may be any of several. @throws Refusal `not_found`. */
async function sessionOf(
  talk: Talk,
  pool: string | undefined,
): Promise<{ lease: string } | { pools: readonly PoolView[] }> {
  const pools = (await poolsOf(talk)).filter(({ lease }) => lease !== undefined)
  const fitting = pool === undefined ? pools : pools.filter(({ name }) => name === pool)
  const lease = only(fitting)?.lease
  if (lease !== undefined) return { lease: lease.id }
  if (fitting.length > 1) return { pools: fitting }
  const where = pool === undefined ? '' : ` in pool ${pool}`
  throw new Refusal('not_found', `You have no session open${where}. Say "desktop" to open one.`)
}

function whichPool(question: string, pools: readonly PoolView[], command: (name: string) => Command): Card {
  return questionCard(
    question,
    pools.slice(0, 12).map(({ name }) => ({ label: name, line: formatCommand(command(name)) })),
  )
}
