import type { Refusal } from '../../base/errors.ts'
import { counted, list } from '../../base/text.ts'
import { applyMoves, proposeMoves, type ProposalView } from '../../operations/rebalance.ts'
import { Cell, Done, Table } from '../parts.tsx'
import type { Pages } from '../serve.tsx'
import { attempt, filled, type Visit } from '../visit.ts'
import { Refused } from './trouble.tsx'

/** What could be moved between hosts, to be approved. */
export function rebalancePages(pages: Pages): void {
  pages.get('/hosts/rebalance', (visit) => page(visit))
  pages.post('/hosts/rebalance', async (visit) => {
    const input = { ...goalIn(visit.form.get('goal')), id: visit.form.get('id') ?? '' }
    const outcome = await attempt(() => visit.perform(applyMoves, input))
    if ('refusal' in outcome) return page(visit, outcome.refusal)
    return { redirect: `/hosts/rebalance?moving=${outcome.done.machines.length}` }
  })
}

const goals = ['spread', 'consolidate'] as const
type Goal = (typeof goals)[number]

const goalWords: Readonly<Record<Goal | '', string>> = {
  '': 'The goal of each group',
  spread: 'Hosts evenly used',
  consolidate: 'Hosts to switch off',
}

function goalIn(text: string | undefined): { goal?: Goal } {
  const goal = goals.find((word) => word === text)
  return goal === undefined ? {} : { goal }
}

async function page(visit: Visit, refusal?: Refusal) {
  const asked = goalIn(filled(visit.query, 'goal').goal ?? visit.form.get('goal'))
  const proposal = await visit.perform(proposeMoves, asked)
  const moving = Number(visit.query.get('moving') ?? '0')
  const body = (
    <>
      <p class="crumb">
        <a href="/hosts">Hosts</a>
      </p>
      <h1>Moves between hosts</h1>
      <Refused refusal={refusal} />
      {moving > 0 ? (
        <Done>{`${counted(moving, 'machine')} being moved. You are told when that is done.`}</Done>
      ) : null}
      <nav class="tabs" aria-label="What for">
        <ul>
          {(['', ...goals] as const).map((goal) => (
            <li>
              <a
                href={goal === '' ? '/hosts/rebalance' : `/hosts/rebalance?goal=${goal}`}
                {...((asked.goal ?? '') === goal ? { 'aria-current': 'true' } : {})}
              >
                {goalWords[goal]}
              </a>
            </li>
          ))}
        </ul>
      </nav>
      {proposal.moves.length === 0 ? (
        <p class="empty">Nothing would be gained by moving anything.</p>
      ) : (
        <Proposed proposal={proposal} goal={asked.goal} />
      )}
    </>
  )
  const status = refusal?.status ?? 200
  return { title: 'Moves between hosts', current: '/hosts', body, status }
}

function Proposed({ proposal, goal }: { proposal: ProposalView; goal: Goal | undefined }) {
  const { id, moves, freed, hosts } = proposal
  return (
    <>
      {freed.length === 0 ? null : <p>{`${list(freed)} would be empty and could be switched off.`}</p>}
      <Table caption="Proposed moves" columns={['Machine', 'From', 'To', 'Why']}>
        {moves.map(({ machine, owner, from, to, why }) => (
          <tr role="row">
            <Cell label="Machine">
              <a href={`/machines/${encodeURIComponent(machine)}`}>{machine}</a>
              <small class="about">{owner ?? ''}</small>
            </Cell>
            <Cell label="From">{from}</Cell>
            <Cell label="To">{to}</Cell>
            <Cell label="Why">{why}</Cell>
          </tr>
        ))}
      </Table>
      <Table caption="How full hosts are" columns={['Host', 'Now', 'Then']}>
        {hosts.map(({ host, before, after }) => (
          <tr role="row">
            <Cell label="Host">{host}</Cell>
            <Cell label="Now">{percent(before)}</Cell>
            <Cell label="Then">{percent(after)}</Cell>
          </tr>
        ))}
      </Table>
      <form method="post" action="/hosts/rebalance">
        <input type="hidden" name="id" value={id} />
        {goal === undefined ? null : <input type="hidden" name="goal" value={goal} />}
        <p class="help">
          Owners are told. Machines are moved without a break where it can be, else saved for a while.
        </p>
        <button type="submit">{`Move ${counted(moves.length, 'machine')}`}</button>
      </form>
    </>
  )
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}
