import { counted, list } from '../../src/base/text.ts'
import type { Card } from '../card.ts'
import { button, buttons, card, lineButton, table, words } from './parts.ts'

/** As its operation tells it. */
export interface ProposalView {
  id: string
  moves: { machine: string; from: string; to: string; why: string }[]
  freed: string[]
  hosts: { host: string; before: number; after: number }[]
}

export type RebalanceGoal = 'spread' | 'consolidate'

/** What could be moved between hosts, with the button that has it done. */
export function rebalanceCard(proposal: ProposalView, goal: RebalanceGoal | undefined): Card {
  const { id, moves, freed, hosts } = proposal
  const count = counted(moves.length, 'server')
  const gained = freed.length === 0 ? '' : ` ${list(freed)} could be switched off then.`
  return card({
    summary:
      moves.length === 0 ? 'Nothing would be gained by moving servers.' : `${count} could be moved.${gained}`,
    title: 'Moves between hosts',
    tone: moves.length === 0 ? 'good' : 'wait',
    parts: [
      table(
        'Moves',
        ['Server', 'From', 'To', 'Why'],
        moves.map(({ machine, from, to, why }) => [machine, from, to, why]),
      ),
      table(
        'How full hosts are',
        ['Host', 'Now', 'Then'],
        hosts.map(({ host, before, after }) => [host, percent(before), percent(after)]),
      ),
      moves.length === 0 ? undefined : words('Owners are told; servers move without a break where they can.'),
      moves.length === 0
        ? buttons(lineButton('Show hosts', 'hosts'))
        : buttons(
            button({
              ...{ label: `Move ${count}`, action: 'apply-rebalance', value: `${id} ${goal ?? ''}`.trim() },
              ...{ style: 'primary', spoken: `Move ${count} between hosts` },
            }),
            lineButton('Show hosts', 'hosts'),
          ),
    ],
  })
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}
