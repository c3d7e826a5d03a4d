import { monthBefore } from '../../pricing/budget-period.ts'
import { monthName } from '../../src/base/month.ts'
import { counted } from '../../src/base/text.ts'
import type { StatementView } from '../../src/operations/show-statement.ts'
import type { Card } from '../card.ts'
import { buttons, card, facts, lineButton, link, table, words } from './parts.ts'
import { isNothing, nameOf } from './words.ts'
import type { Drawing } from './drawing.ts'

const shown = 20

/** The statement of a budget for a month in short; line by line it is in the portal. */
export function statementCard(statement: StatementView, page: string, drawing: Drawing): Card {
  const { code, title, month, state, currency, days, freeDays, hours, total, rounded, machines } = statement
  const left = machines.length - shown
  const servers = new Set(machines.filter((row) => row.days !== 0).map(({ machine }) => machine)).size
  const sessions = hours === 0 ? '' : `, and ${counted(hours, 'hour')} on desktops`
  return card({
    summary: sentence(statement),
    title: `${code} · ${monthName(month)}`,
    tone: 'neutral',
    parts: [
      facts(
        ['Budget', `${code} ${title}`],
        ['Total', `${rounded} ${currency}`],
        ['Before it is rounded', Number(total) === Number(rounded) ? null : `${total} ${currency}`],
        [
          'For',
          `${counted(servers, 'server')}, ${counted(days, 'server day')}, ${freeDays} of them free${sessions}`,
        ],
        ['State', state === 'closed' ? 'closed: it does not change any more' : 'open: it may still grow'],
      ),
      table(
        `By server, in ${currency}`,
        ['Server', 'Owner', 'Days', 'Free', ...(hours === 0 ? [] : ['Hours']), 'Amount'],
        machines
          .slice(0, shown)
          .map((row) => [
            row.machine,
            row.owner === null ? 'nobody' : nameOf(row.owner, drawing),
            String(row.days),
            String(row.freeDays),
            ...(hours === 0 ? [] : [String(row.hours)]),
            row.total,
          ]),
      ),
      left > 0 ? words(`${left} more are in the portal.`) : undefined,
      buttons(
        lineButton(monthName(monthBefore(month)), `costs "${code}" ${monthBefore(month)}`),
        lineButton(`Costs of ${code}`, `costs "${code}"`),
      ),
      link('Line by line, to print, as CSV or FOCUS', page),
    ],
  })
}

function sentence({ code, month, state, rounded, currency }: StatementView): string {
  const what = isNothing(rounded)
    ? `Nothing was charged to ${code} in ${monthName(month)}`
    : `${rounded} ${currency} were charged to ${code} in ${monthName(month)}`
  return state === 'closed' ? `${what}.` : `${what} until now; the month is still open.`
}

/** A month of several budgets, each a press away. */
export function statementsCard(statements: readonly StatementView[], month: string): Card {
  return card({
    summary: `${monthName(month)}, for the ${counted(statements.length, 'budget')} that you may use or look after.`,
    title: `Costs in ${monthName(month)}`,
    tone: 'neutral',
    parts: [
      table(
        'By budget',
        ['Budget', 'Title', 'Amount', 'State'],
        statements.map(({ code, title, rounded, currency, state }) => [
          code,
          title,
          `${rounded} ${currency}`,
          state,
        ]),
      ),
      buttons(
        ...statements.slice(0, 8).map(({ code }) =>
          lineButton(code, `costs "${code}" ${month}`, {
            spoken: `Statement of ${code} for ${monthName(month)}`,
          }),
        ),
      ),
    ],
  })
}
