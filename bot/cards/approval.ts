import { capital, deciderOf, on, percent, priceWords, sizeWords, when } from './words.ts'
import { list } from '../../src/base/text.ts'
import { minus } from '../../pricing/money.ts'
import type { RefusalExtras } from '../../src/base/errors.ts'
import type { RequestView } from '../../src/operations/shapes/request.ts'
import type { Card, Part } from '../card.ts'
import type { Drawing } from './drawing.ts'
import { button, buttons, card, facts, words } from './parts.ts'
import { decisionTable, isTime, paceWords, termWords, wish, withDisk } from './wishes.ts'

/** A request for somebody who may decide on it: with buttons while it waits, with the outcome afterwards. */
export function approvalCard(request: RequestView, drawing: Drawing): Card {
  const pending = request.state === 'pending'
  const short = pending && request.leftAfter.startsWith('-')
  return card({
    summary: pending ? asking(request) : outcome(request, drawing),
    title: `${request.id} · ${wish(request)} for ${request.requester}`,
    tone: pending ? (short ? 'warn' : 'wait') : tones[request.state],
    about: `request:${request.id}`,
    parts: [
      short ? words(tooLittle(request.budget)) : undefined,
      whatFacts(request, drawing),
      moneyFacts(request, drawing),
      pending ? undefined : decisionTable(request, drawing),
      pending ? decisionButtons(request) : undefined,
    ],
  })
}

/** A request for everybody who reads the site's channel: what is asked for, who decides, and what became of it. */
export function announcementCard(request: RequestView, drawing: Drawing): Card {
  const pending = request.state === 'pending'
  const deciders = list(
    request.approvers.map(({ user }) => user),
    'or',
  )
  return card({
    summary: pending ? `${asking(request)} ${deciders} may decide.` : outcome(request, drawing),
    title: `${request.id} · ${wish(request)} for ${request.requester}`,
    tone: tones[request.state],
    about: `request:${request.id}`,
    parts: [whatFacts(request, drawing), pending ? undefined : decisionTable(request, drawing)],
  })
}

/** The quote as it is now, from a refusal `quote_expired`. */
type NewQuote = NonNullable<RefusalExtras['quote']>

/** Asked when a price went up, or the request was changed, since it was shown: as it is now, the difference, the same buttons. */
export function dearerCard(request: RequestView, quote: NewQuote, drawing: Drawing): Card {
  const { id, requester, budget } = request
  const { total, quoted, perDay, leftAfter, shareAfter, currency } = quote
  const short = leftAfter.startsWith('-')
  return card({
    summary: `${whyAgain(id, quote)} Nothing is approved yet.`,
    title: `${id} · ${wish(request)} for ${requester}`,
    tone: 'warn',
    about: `request:${id}`,
    parts: [
      short ? words(tooLittle(budget)) : undefined,
      facts(
        ['Total now', `${total} ${currency}`],
        [quote.changed === undefined ? 'As it was quoted' : 'As you were shown it', `${quoted} ${currency}`],
        ['Difference', `${minus(total, quoted)} ${currency}`],
        ['Per day now', `${perDay} ${currency}, once its free days are over`],
        [
          `Left on ${budget} afterwards`,
          `${leftAfter} ${currency}; ${percent(shareAfter)} of its limit is then taken`,
        ],
      ),
      whatFacts(request, drawing),
      decisionButtons(request, {
        label: `Approve for ${total} ${currency}`,
        total,
        value: `${id} ${quote.id}`,
      }),
    ],
  })
}

function whyAgain(id: string, { total, quoted, currency, changed }: NewQuote): string {
  const figures = `from ${quoted} to ${total} ${currency}`
  if (changed === undefined)
    return `The price of ${id} went up by ${minus(total, quoted)} ${currency}, ${figures}.`
  const price = total === quoted ? `It still costs ${total} ${currency}.` : `Its price went ${figures}.`
  return `${id} was changed since you were shown it: ${changed.slice(0, 300)}. ${price}`
}

function tooLittle(budget: string): string {
  return `${budget} has less left than this costs: raise its limit first, or deny.`
}

const tones: Readonly<Record<RequestView['state'], Card['tone']>> = {
  pending: 'wait',
  approved: 'good',
  fulfilled: 'good',
  denied: 'neutral',
  cancelled: 'neutral',
  expired: 'neutral',
  failed: 'bad',
}

function asking(request: RequestView): string {
  const { requester, quote, currency, budget } = request
  if (budget === '') return `${requester} asks for ${wish(request)}. It costs nobody anything.`
  return `${requester} asks for ${wish(request)}: ${priceWords(quote.total, currency)} from ${budget}.`
}

/** What became of it, who did it, when and why: one sentence that replaces the buttons. */
function outcome(request: RequestView, drawing: Drawing): string {
  const { id, requester, decisions, failure } = request
  const decision = decisions.at(-1)
  if (request.state === 'expired') return `${id} of ${requester} ran out before anybody decided.`
  if (decision === undefined) return `${id} of ${requester} is ${request.state}.`
  const verb = { approved: 'approved', denied: 'denied', cancelled: 'took back' }[decision.verdict]
  const who = deciderOf(decision.by, drawing)
  const why = decision.reason === null ? '.' : `: ${decision.reason}`
  const said = `${who} ${verb} ${id} of ${requester} on ${on(decision.at, drawing)}${why}`
  return request.state === 'failed' ? `${said} It could not be carried out: ${failure ?? ''}` : said
}

function whatFacts(request: RequestView, drawing: Drawing): Part | undefined {
  const each = request.count > 1 ? ' each' : ''
  return facts(
    ['Who', request.requester],
    [
      'What',
      isTime(request) ? wish(request) : `${wish(request)}, ${sizeWords(request)}${each}${withDisk(request)}`,
    ],
    ['Purpose', request.purpose],
    ['Description', request.description],
    ['For', termWords(request, drawing)],
    ['Administrators', list(request.administrators)],
    ['Paid until now from', request.transfer?.was.budget ?? null],
    ['Servers', list(request.machines)],
    ['Decide by', request.state === 'pending' ? when(request.expiresAt, drawing) : null],
    ['Why you', whyYou(request, drawing)],
  )
}

function whyYou({ approvers }: RequestView, { reader }: Drawing): string | null {
  return capital(approvers.find(({ user }) => user === reader.user)?.why ?? '')
}

function moneyFacts(request: RequestView, drawing: Drawing): Part | undefined {
  const { quote, currency, budget, leftAfter, shareAfter } = request
  if (budget === '') return facts(['Price', 'nothing: sessions of this pool cost nobody anything'])
  const pending = request.state === 'pending'
  const left = `${leftAfter} ${currency}; ${percent(shareAfter)} of its limit is then taken`
  return facts(
    ['Total', priceWords(quote.total, currency)],
    request.lease === undefined
      ? ['Per day', `${quote.perDay} ${currency}, once its free days are over`]
      : ['Per hour', paceWords(request)],
    [
      pending ? `Left on ${budget} afterwards` : `Left on ${budget}`,
      pending ? left : `${leftAfter} ${currency}`,
    ],
    ['The price', pending ? validity(quote.validUntil, drawing) : null],
  )
}

/** After its day a quote still holds where nothing went up; it is looked at again at the press. */
function validity(until: string | undefined, { now, zone }: Drawing): string | null {
  if (until === undefined) return null
  return until > now
    ? `holds until ${on(until, { zone })}`
    : `was quoted for until ${on(until, { zone })}; if it went up since, you are asked again`
}

function decisionButtons(
  { id, requester, quote, currency }: RequestView,
  { label, total, value } = { label: 'Approve', total: quote.total, value: `${id} ${quote.id}` },
): Part | undefined {
  const amount = priceWords(total, currency)
  return buttons(
    button({
      label,
      action: 'approve-request',
      value,
      style: 'primary',
      spoken: `Approve request ${id} of ${requester} for ${amount}`,
    }),
    button({
      label: 'Deny',
      action: 'deny-request',
      value: id,
      style: 'danger',
      spoken: `Deny request ${id} of ${requester}`,
      ask: { label: `Why? ${requester} will read it.`, required: true },
    }),
  )
}
