import type { MachineView } from '../../src/operations/shapes/machine.ts'
import type { Card } from '../card.ts'
import type { Drawing } from './drawing.ts'
import { steers } from './drawing.ts'
import { buttons, card, lineButton, link, words } from './parts.ts'
import { stateWords } from './words.ts'

export type Console = 'screen' | 'serial'

const names = { screen: 'screen', serial: 'serial line' } as const

/**
 * Where a machine's screen and serial line are shown. The links lead to pages that ask who is there: a card may be read by
 * more people than those who may use them.
 */
export function consoleCard(
  machine: MachineView,
  wanted: { kind: Console; pages: Readonly<Record<Console, string>> },
  drawing: Drawing,
): Card {
  const { name, verbs } = machine
  const title = `Console of ${name}`
  if (!steers(drawing.reader, machine)) {
    const summary = `Only its owner, its administrators and operators may open the console of ${name}.`
    return card({ summary, title, tone: 'warn' })
  }
  if (!verbs.includes('console')) {
    const start = verbs.includes('start') && machine.progress === undefined
    return card({
      summary: `${name} ${stateWords[machine.state]}: it has a console only while it runs.`,
      title,
      tone: 'warn',
      parts: [
        start ? buttons(lineButton('Start it', `start "${name}"`, { spoken: `Start ${name}` })) : undefined,
      ],
    })
  }
  const { kind, pages } = wanted
  const other = kind === 'screen' ? 'serial' : 'screen'
  return card({
    summary: `The ${names[kind]} of ${name} opens in your browser.`,
    title,
    tone: 'good',
    parts: [
      link(`Open the ${names[kind]} of ${name}`, pages[kind]),
      link(`Or its ${names[other]}`, pages[other]),
      words('You may be asked to sign in. Whoever else follows the link sees nothing.'),
    ],
  })
}
