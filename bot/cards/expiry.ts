import type { Duration } from '../../src/base/duration.ts'
import { addDuration } from '../../src/base/duration.ts'
import { type Instant, plusMillis } from '../../src/base/clock.ts'
import type { MachineView } from '../../src/operations/shapes/machine.ts'
import type { QuoteView } from '../../src/operations/shapes/quote.ts'
import type { Button, Card } from '../card.ts'
import { type Drawing, steers } from './drawing.ts'
import { extensionDays } from './machine.ts'
import { button, buttons, card, facts, words } from './parts.ts'
import { isNothing, nameOf, priceWords, sizeWords, stateWords, when } from './words.ts'

/** What a reminder is drawn from. */
export interface ExpiryFacts {
  machine: MachineView
  /** When the reminder was sent, so that an end that moved since is seen. */
  sentAt: Instant
  /** What the button's extension would cost; nothing when it cannot be had. */
  extension?: { expiresAt: Instant; quote: QuoteView; needsApproval: boolean }
  /** How long an expired machine is kept at least. */
  grace: Duration
}

/** A reminder that a machine ends: in good time, with what can be done about it, and afterwards with what was done. */
export function expiryCard(found: ExpiryFacts, drawing: Drawing): Card {
  const { machine } = found
  const { name, expiresAt } = machine
  const open = isOpen(found)
  const mine = steers(drawing.reader, machine)
  return card({
    summary: sentence(found, drawing),
    title: expiresAt === null || open ? `${name} ends` : `${name} is kept`,
    tone: toneOf(found),
    about: `machine:${name}`,
    parts: [
      open && mine ? words(priceSentence(found, drawing)) : undefined,
      facts(
        ['Owner', machine.owner === null ? 'nobody yet' : nameOf(machine.owner, drawing)],
        ['What', `${machine.template}, ${sizeWords(machine)}`],
        ['State', stateWords[machine.state]],
        ['Purpose', machine.purpose],
        ['Cost to date', machine.budget === null ? null : priceWords(machine.costToDate, machine.currency)],
      ),
      open && mine ? buttons(...expiryButtons(found, drawing)) : undefined,
    ],
  })
}

const gone: readonly MachineView['state'][] = ['deleting', 'deleted', 'failed']

/** Whether there is still something to decide about the end that the reminder was about. */
export function isOpen({ machine, sentAt }: ExpiryFacts): boolean {
  if (machine.expiresAt === null || gone.includes(machine.state)) return false
  return machine.extendedAt === null || machine.extendedAt < sentAt
}

function toneOf(found: ExpiryFacts): Card['tone'] {
  if (gone.includes(found.machine.state)) return 'neutral'
  if (!isOpen(found)) return 'good'
  return found.machine.letGo ? 'neutral' : 'warn'
}

function sentence(found: ExpiryFacts, drawing: Drawing): string {
  const { name, state, expiresAt, letGo } = found.machine
  if (gone.includes(state)) return `${name} ${stateWords[state]}.`
  if (expiresAt === null) return `${name} has no end any more.`
  if (!isOpen(found)) return `${name} was extended and is kept until ${when(expiresAt, drawing)}.`
  if (state === 'expired') {
    const kept = addDuration(expiresAt, found.grace, drawing.zone)
    const end = kept > drawing.now ? kept : drawing.now
    return `${name} has expired and is kept until ${when(end, drawing)} at least: Extend brings it back.`
  }
  if (letGo) return `${name} is let go: it ends ${when(expiresAt, drawing)}. Extend if you think again.`
  return expiresAt > drawing.now
    ? `${name} ends on ${when(expiresAt, drawing)}.`
    : `${name} reached its end on ${when(expiresAt, drawing)}.`
}

function priceSentence({ extension, machine }: ExpiryFacts, drawing: Drawing): string | undefined {
  if (extension === undefined) return `It cannot be extended by ${extensionDays} days; a shorter term may do.`
  const { quote, needsApproval, expiresAt } = extension
  const cost = isNothing(quote.total) ? 'costs nothing' : `costs ${priceWords(quote.total, quote.currency)}`
  const who = needsApproval ? `, and a holder of ${machine.budget ?? 'its budget'} is asked first` : ''
  return `${extensionDays} days more, until ${when(expiresAt, drawing)}, ${cost}${who}.`
}

const snoozeMillis = 24 * 3_600_000

/** What the button's extension costs, in a few words. */
export function extensionWords({ extension }: ExpiryFacts): string {
  if (extension === undefined) return 'not possible'
  const { quote, needsApproval } = extension
  return `${priceWords(quote.total, quote.currency)}${needsApproval ? ', if approved' : ''}`
}

/** The value carries the end that was looked at, so that a second press does not extend what the first extended. */
export function expiryButtons({ machine, extension }: ExpiryFacts, { now }: Drawing): (Button | undefined)[] {
  const { name, letGo, verbs, state, expiresAt } = machine
  const value = `${name} ${expiresAt ?? ''}`
  return [
    extension === undefined
      ? undefined
      : button({
          label: extendLabel(extension),
          action: 'expiry-extend',
          value,
          style: 'primary',
          spoken: `${extendLabel(extension)}: ${name}`,
        }),
    verbs.includes('save') && machine.progress === undefined
      ? button({ label: 'Save', action: 'expiry-save', value, spoken: `Save ${name} to disk now` })
      : undefined,
    letGo || state === 'expired'
      ? undefined
      : button({
          label: 'Let it go',
          action: 'expiry-let-go',
          value,
          spoken: `Let it go: ${name} ends when due`,
        }),
    letGo || expiresAt === null || plusMillis(now, snoozeMillis) >= expiresAt
      ? undefined
      : button({
          label: 'Remind me tomorrow',
          action: 'expiry-snooze',
          value,
          spoken: `Remind me of ${name} tomorrow, and not before`,
        }),
  ]
}

function extendLabel({ quote, needsApproval }: NonNullable<ExpiryFacts['extension']>): string {
  if (needsApproval) return `Ask for ${extensionDays} days more`
  const cost = isNothing(quote.total) ? 'free' : `${quote.total} ${quote.currency}`
  return `Extend ${extensionDays} days (${cost})`
}
