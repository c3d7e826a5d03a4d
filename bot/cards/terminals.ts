import { counted } from '../../src/base/text.ts'
import type { TerminalView } from '../../src/operations/manage-terminals.ts'
import type { Button, Card } from '../card.ts'
import type { Drawing } from './drawing.ts'
import { button, buttons, card, field, type FieldFault, table } from './parts.ts'
import { relative } from './words.ts'

/** How many are shown with buttons: the others are on the page of terminals. */
const mostShown = 8

/** Devices that have called and that nobody knows, for an operator to enrol or to turn down. */
export function waitingTerminalsCard(all: readonly TerminalView[], drawing: Drawing): Card {
  const waiting = all.filter(({ standing }) => standing === 'waiting')
  const shown = waiting.slice(0, mostShown)
  return card({
    summary:
      waiting.length === 0
        ? 'No terminal waits to be enrolled.'
        : `${counted(waiting.length, 'terminal')} ${waiting.length === 1 ? 'has' : 'have'} called and ${waiting.length === 1 ? 'is' : 'are'} not known. Enrol what is yours, and turn down the rest.`,
    title: 'Terminals that wait',
    tone: waiting.length === 0 ? 'neutral' : 'wait',
    about: 'terminals:waiting',
    parts: [
      table(
        waiting.length > mostShown
          ? `The first ${mostShown}; the others are on the page of terminals`
          : 'They say',
        ['MAC', 'Kind', 'Address', 'Last seen'],
        shown.map(({ mac, kind, address, lastSeenAt }) => [
          mac ?? '',
          kind,
          address ?? '',
          lastSeenAt === null ? '' : relative(lastSeenAt, drawing.now),
        ]),
      ),
      buttons(...shown.flatMap(decisionButtons)),
    ],
  })
}

function decisionButtons({ name, mac }: TerminalView): Button[] {
  const called = mac ?? name
  return [
    button({
      label: `Enrol ${called}`,
      action: 'enrol-terminal',
      value: name,
      style: 'primary',
      spoken: `Enrol terminal ${called}`,
    }),
    button({
      label: `Turn down ${called}`,
      action: 'deny-terminal',
      value: name,
      spoken: `Turn down terminal ${called}`,
      confirm: {
        title: `Turn down ${called}?`,
        text: 'You are not asked about it again. It can still be enrolled on the page of terminals.',
        yes: 'Turn down',
      },
    }),
  ]
}

/** The terminals that are known, and who sits there. */
export function terminalsCard(all: readonly TerminalView[], drawing: Drawing): Card {
  const known = all.filter(({ standing }) => standing === 'enrolled' || standing === 'filed')
  const used = known.filter(({ session }) => session !== null)
  return card({
    summary: `${counted(known.length, 'terminal')} ${known.length === 1 ? 'is' : 'are'} known; somebody sits at ${used.length}.`,
    title: 'Terminals',
    tone: 'neutral',
    parts: [
      table(
        'Terminals',
        ['Name', 'Kind', 'Where', 'Pool', 'Who sits there', 'Last seen'],
        known.map(({ name, kind, location, pool, session, lastSeenAt }) => [
          name,
          kind,
          location ?? '',
          pool ?? '',
          session?.user ?? '',
          lastSeenAt === null ? '' : relative(lastSeenAt, drawing.now),
        ]),
      ),
    ],
  })
}

/** The choice of no pool; a pool cannot be called that. */
export const noPool = '-'

/** What an operator says of a terminal that has called. */
export function enrolForm(
  { waiting, mac }: { waiting: string; mac: string },
  known: { pools: readonly string[]; fields?: Readonly<Record<string, string>> },
  faults: readonly FieldFault[],
): Card {
  const { pools, fields = {} } = known
  const choices = [noPool, ...pools].map((name) => ({
    value: name,
    label: name === noPool ? 'none: people log in' : name,
  }))
  const value = (name: string): string => fields[name] ?? ''
  return card({
    summary: faults[0]?.message ?? `What is ${mac} to be called, and where does it stand?`,
    title: `Enrol ${mac}`,
    tone: faults.length > 0 ? 'warn' : 'neutral',
    parts: [
      {
        kind: 'form',
        action: 'enrol-terminal',
        value: waiting,
        submit: 'Enrol',
        fields: [
          field(
            { name: 'name', label: 'Name', value: value('name'), hint: 'such as lobby-1', required: true },
            faults,
          ),
          field(
            { name: 'pool', label: 'Pool of its own', kind: 'choice', choices, value: fields.pool ?? noPool },
            faults,
          ),
          field({ name: 'location', label: 'Where it stands', value: value('location') }, faults),
          field({ name: 'owner', label: 'Whose it is, if anybody’s', value: value('owner') }, faults),
        ],
      },
    ],
  })
}
