import type { Outage, Refusal, RefusalCode } from '../../src/base/errors.ts'
import type { Button, Card } from '../card.ts'
import { buttons, card, facts, table } from './parts.ts'

/** A "no" with its fact and its remedy, and with what to press instead where there is something. */
export function refusalCard(
  refusal: Pick<Refusal, 'code' | 'message' | 'extras'>,
  instead: readonly Button[] = [],
): Card {
  const { hosts = [], errors = [] } = refusal.extras
  return card({
    summary: refusal.message,
    title: titles[refusal.code] ?? 'Not done',
    tone: 'warn',
    parts: [
      facts(...errors.map(({ path, message }): [string, string] => [path === '' ? 'Input' : path, message])),
      table(
        'Why no host can take it',
        ['Host', 'Why not'],
        hosts.map(({ host, reasons }) => [host, reasons.join('; ')]),
      ),
      buttons(...instead),
    ],
  })
}

const titles: Partial<Record<RefusalCode, string>> = {
  not_found: 'Not found',
  forbidden: 'Not yours to do',
  not_an_approver: 'Not yours to decide',
  own_request: 'Your own request',
  already_decided: 'Already decided',
  budget_exhausted: 'Not enough left',
  no_capacity: 'No room',
  busy: 'Busy',
  wrong_state: 'Not now',
  pool_full: 'The pool is full',
  lease_ended: 'The session is over',
}

/** What did not work and is nobody's fault who reads it. */
export function outageCard(outage: Pick<Outage, 'transient'>): Card {
  return card({
    summary: outage.transient
      ? 'Something that this needs does not answer just now. Nothing was done; try again in a minute.'
      : 'Something that this needs is out of order. Nothing was done; the operators see it in the log.',
    title: 'Not just now',
    tone: 'warn',
  })
}

/** Our own mistake: said plainly, without details that help nobody in a chat. */
export function faultCard(): Card {
  return card({
    summary: 'That went wrong on our side. Whether it was done is not certain: look before you say it again.',
    title: 'Our mistake',
    tone: 'bad',
  })
}
