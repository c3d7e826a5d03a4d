import { counted } from '../../src/base/text.ts'
import type { MachineView } from '../../src/operations/shapes/machine.ts'
import type { RequestView } from '../../src/operations/shapes/request.ts'
import type { Card, Part } from '../card.ts'
import type { Drawing } from './drawing.ts'
import { progressWords } from './job.ts'
import { button, buttons, card, code, lineButton, table, words } from './parts.ts'
import { nameOf, relative, sizeWords, stateWord } from './words.ts'
import { wish } from './wishes.ts'

export type Which = 'mine' | 'all' | 'expiring'

/** What a list is drawn from. */
export interface ListFacts {
  which: Which
  machines: readonly MachineView[]
  /** Whether there are more than these. */
  more: boolean
  /** Of the reader: what they asked for and what waits for them. */
  asked: readonly RequestView[]
  toDecide: readonly RequestView[]
}

const titles: Readonly<Record<Which, string>> = {
  mine: 'Your servers',
  all: 'All servers that you may see',
  expiring: 'Servers that end soon',
}

/** As many buttons as fit beside a list. */
const shown = 8

export function machinesCard(found: ListFacts, drawing: Drawing): Card {
  const { which, machines, more } = found
  return card({
    summary: sentence(found),
    title: titles[which],
    tone: 'neutral',
    parts: [
      table(
        'Servers',
        ['Name', 'State', 'Size', 'Ends', 'Owner', 'Cost to date'],
        machines.map((machine) => row(machine, drawing)),
      ),
      more ? words('There are more than these. The portal has them all.') : undefined,
      machines.length === 0 && which === 'mine' ? code('request slc5 for 30d') : undefined,
      requestTable('Waiting for your decision', found.toDecide),
      requestTable('Your requests that wait', found.asked),
      buttons(
        ...found.toDecide
          .slice(0, shown)
          .map(({ id }) =>
            button({ label: `Decide ${id}`, action: 'show-request', value: id, spoken: `Decide ${id}` }),
          ),
        ...machines.slice(0, shown).map(({ name }) => lineButton(`Show ${name}`, `show "${name}"`)),
      ),
    ],
  })
}

function sentence({ which, machines, more, toDecide }: ListFacts): string {
  const waiting =
    toDecide.length === 0 ? '' : ` ${counted(toDecide.length, 'request')} wait for your decision.`
  const many = more ? `more than ${machines.length} servers` : counted(machines.length, 'server')
  if (machines.length === 0) {
    const none = {
      mine: 'You have no servers.',
      all: 'There are no servers.',
      expiring: 'No server ends soon.',
    }
    return `${none[which]}${which === 'mine' && waiting === '' ? ' This is how to ask for one:' : ''}${waiting}`
  }
  const running = machines.filter(({ state }) => state === 'running').length
  if (which === 'expiring') return `${counted(machines.length, 'server')} end soon.${waiting}`
  return `${which === 'mine' ? 'You have' : 'There are'} ${many}, ${running}${more ? ' of the first' : ''} running.${waiting}`
}

function row(machine: MachineView, drawing: Drawing): string[] {
  const { name, state, progress, expiresAt, owner, costToDate, currency, budget } = machine
  return [
    name,
    progress === undefined ? stateWord(state) : progressWords(progress),
    sizeWords(machine),
    expiresAt === null ? 'never' : relative(expiresAt, drawing.now),
    owner === null ? 'nobody' : nameOf(owner, drawing),
    budget === null ? '' : `${costToDate} ${currency}`,
  ]
}

function requestTable(caption: string, requests: readonly RequestView[]): Part | undefined {
  return table(
    caption,
    ['Request', 'What', 'Who', 'Price'],
    requests.map((request) => [
      request.id,
      wish(request),
      request.requester,
      `${request.quote.total} ${request.currency}`,
    ]),
  )
}
