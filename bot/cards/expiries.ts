import type { Button, Card } from '../card.ts'
import type { Drawing } from './drawing.ts'
import { steers } from './drawing.ts'
import { type ExpiryFacts, expiryButtons, extensionWords, isOpen } from './expiry.ts'
import { buttons, card, table } from './parts.ts'
import { stateWords, when } from './words.ts'

/** One reminder for several servers of one person, with the buttons of each. */
export function expiriesCard(found: readonly ExpiryFacts[], drawing: Drawing): Card {
  const open = found.filter(isOpen)
  const [first] = open.toSorted((a, b) =>
    (a.machine.expiresAt ?? '') < (b.machine.expiresAt ?? '') ? -1 : 1,
  )
  const names = found.map(({ machine }) => machine.name)
  return card({
    summary:
      first === undefined
        ? `Nothing is left to decide about these ${found.length} servers.`
        : `${open.length} of these servers end, ${first.machine.name} first: ${endOf(first, drawing)}.`,
    title: `${found.length} servers end`,
    tone: first === undefined ? 'good' : open.every(({ machine }) => machine.letGo) ? 'neutral' : 'warn',
    about: `reminders:${names[0] ?? ''}`,
    parts: [
      table(
        'Servers and their ends',
        ['Server', 'State', 'Ends', '30 days more'],
        found.map((facts) => [
          facts.machine.name,
          stateWords[facts.machine.state],
          endOf(facts, drawing),
          isOpen(facts) ? extensionWords(facts) : 'done',
        ]),
      ),
      ...open
        .filter(({ machine }) => steers(drawing.reader, machine))
        .map((facts) => buttons(...expiryButtons(facts, drawing).map((one) => named(one, facts)))),
    ],
  })
}

function endOf({ machine: { expiresAt } }: ExpiryFacts, drawing: Drawing): string {
  return expiresAt === null ? 'never' : when(expiresAt, drawing)
}

/** Which server a button is about has to stand on it, where there are several. */
function named(button: Button | undefined, { machine }: ExpiryFacts): Button | undefined {
  if (button === undefined) return undefined
  const label = `${machine.name}: ${button.label}`
  return { ...button, label: label.length <= 40 ? label : `${label.slice(0, 39)}…` }
}
