import { expect, test } from 'vitest'
import { Card } from '../../../bot/card.ts'
import { budgetWarningCard } from '../../../bot/cards/budget.ts'
import { costsCard } from '../../../bot/cards/costs.ts'
import { machineCard } from '../../../bot/cards/machine.ts'
import { machinesCard } from '../../../bot/cards/machines.ts'
import { refusalCard } from '../../../bot/cards/refusal.ts'
import { requestCard } from '../../../bot/cards/request.ts'
import { statementCard } from '../../../bot/cards/statement.ts'
import { cardAsText } from '../../../bot/cards/text.ts'
import { Refusal } from '../../../src/base/errors.ts'
import { alice, bob, budget, cards } from './every-card.ts'
import { aCosts, aStatementRow, aStatementView } from './money-views.ts'
import { aMachineView, aRequestView } from './views.ts'

test.each(Object.entries(cards))(
  'the card for %s says what it always said, within the limits',
  async (name, card) => {
    const text = cardAsText(card)

    expect(Card.parse(card)).toEqual(card)
    await expect(`${text}\n`).toMatchFileSnapshot(`kept/${name.replaceAll(/[^a-z]+/gi, '-')}.txt`)
  },
)

test('whatever people write stays within the limits of a card', () => {
  const long = '<b>'.repeat(400)
  const machines = Array.from({ length: 50 }, (_, index) =>
    aMachineView({ name: `m${index}`, purpose: long }),
  )
  const request = aRequestView({
    purpose: long,
    description: long,
    machines: machines.map(({ name }) => name),
  })

  const drawn = [
    machineCard(aMachineView({ purpose: long, description: long, providerState: long }), alice),
    requestCard({ request: { ...request, state: 'fulfilled', warnings: [long] }, machines }, alice),
    requestCard({ request, machines: [] }, bob),
    machinesCard({ which: 'all', machines, more: true, asked: [], toDecide: [] }, alice),
    refusalCard(new Refusal('not_found', long)),
    costsCard({
      ...{ whose: long, by: 'Server', budget: 'T-1042', further: [], page: 'https://x.example.org' },
      costs: aCosts(machines.map(({ name }) => `${name}${long}`)),
    }),
    statementCard(
      aStatementView({ machines: machines.map(({ name }) => ({ ...aStatementRow, machine: name + long })) }),
      'https://x.example.org',
      alice,
    ),
    budgetWarningCard({ ...budget, title: long, holders: [long] }, long),
  ]

  expect(drawn.map((card) => Card.safeParse(card).error?.issues ?? [])).toEqual(drawn.map(() => []))
})
