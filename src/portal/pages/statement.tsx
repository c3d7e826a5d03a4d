import { milliOf } from '../../../pricing/money.ts'
import { monthAfter, monthBefore } from '../../../pricing/budget-period.ts'
import { notFound } from '../../base/errors.ts'
import { monthName } from '../../base/month.ts'
import { localDay } from '../../base/period.ts'
import { counted } from '../../base/text.ts'
import { showStatement, type StatementView } from '../../operations/show-statement.ts'
import { Cell, Table } from '../parts.tsx'
import type { Pages } from '../serve.tsx'
import { localTime } from '../times.ts'
import type { Answer, Visit } from '../visit.ts'
import { money } from '../words.ts'

export function statementPages(pages: Pages): void {
  pages.get('/budgets/:code/:month', async (visit) => {
    const statement = await visit.perform(showStatement, asked(visit))
    const thisMonth = localDay(visit.now, visit.site.timezone).slice(0, 7)
    return {
      title: `Statement ${statement.code} ${statement.month}`,
      current: '/budgets',
      body: <StatementPage statement={statement} thisMonth={thisMonth} drawnAt={visit.now} />,
    }
  })
  pages.get('/budgets/:code/:month/:format', download)
}

function asked(visit: Visit): { code: string; month: string } {
  return { code: visit.param('code'), month: visit.param('month') }
}

const formats = { csv: 'csv', focus: 'focus' } as const

function isFormat(name: string): name is keyof typeof formats {
  return name in formats
}

/** The same files as the API gives, for a browser that has only its cookie. */
async function download(visit: Visit): Promise<Answer> {
  const name = visit.param('format')
  const format = showStatement.http?.formats?.find((known) => known.name === name)
  if (format === undefined || !isFormat(name)) throw notFound('file', name)
  const statement = await visit.perform(showStatement, { ...asked(visit), format: name })
  const fileName = format.fileName?.(statement) ?? `statement.${name}`
  return {
    file: Buffer.from(format.render(statement), 'utf8'),
    type: `${format.type}; charset=utf-8`,
    headers: { 'Content-Disposition': `attachment; filename="${fileName}"` },
  }
}

interface Props {
  statement: StatementView
  thisMonth: string
  drawnAt: string
}

function StatementPage({ statement, thisMonth, drawnAt }: Props) {
  const { id, code, month, state, site, timezone } = statement
  return (
    <>
      <p class="crumb">
        <a href="/budgets">Budgets</a> ›{' '}
        <a href={`/costs?of=${encodeURIComponent(code)}`}>{`Costs of ${code}`}</a>
      </p>
      <article class="statement">
        <header class="title">
          <h1>{`Statement for ${monthName(month)}`}</h1>
          <span class={`state ${state === 'closed' ? 'good' : 'busy'}`}>
            <span aria-hidden="true">{state === 'closed' ? '●' : '◔'}</span>{' '}
            {state === 'closed' ? 'closed: it does not change any more' : 'open: it may still grow'}
          </span>
        </header>
        <Head statement={statement} />
        {statement.lines.length === 0 ? (
          <p class="empty">{`Nothing was charged to ${code} in ${monthName(month)}.`}</p>
        ) : (
          <>
            <ByMachine statement={statement} />
            <Lines statement={statement} />
          </>
        )}
        <p class="help">
          {`${id} of ${site}. Days are those of ${timezone}; drawn on ${localTime(drawnAt, timezone)}.`}
        </p>
      </article>
      <Links code={code} month={month} thisMonth={thisMonth} />
    </>
  )
}

function Head({ statement }: { statement: StatementView }) {
  const { code, title, currency, total, rounded, days, freeDays, hours } = statement
  const names = statement.machines.filter((row) => row.days !== 0).map(({ machine }) => machine)
  const machines = `${counted(new Set(names).size, 'machine')} on ${counted(days, 'machine day')}, of which ${freeDays} were free`
  const sessions = hours === 0 ? '' : `, and ${counted(hours, 'hour')} on desktops`
  const exact = milliOf(total) === milliOf(rounded) ? '' : ` (${money(total, currency)} before rounding once)`
  return (
    <>
      <p>
        {`${code} `}
        <strong>{title}</strong>
      </p>
      <p class="lead">
        <strong class="total">{money(rounded, currency)}</strong>
        {`${exact} for ${machines}${sessions}.`}
      </p>
    </>
  )
}

/** Hours are there only where somebody had a desktop that is paid for. */
function figuresOf(statement: StatementView): string[] {
  return ['Days', 'Free', ...(statement.hours === 0 ? [] : ['Hours']), 'Amount']
}

function ByMachine({ statement }: { statement: StatementView }) {
  const { machines, currency } = statement
  const perMachine = figuresOf(statement)
  return (
    <Table
      caption={`By machine, in ${currency}`}
      columns={['Machine', 'Owner', ...perMachine]}
      amounts={perMachine}
    >
      {machines.map((row) => (
        <tr role="row">
          <Cell label="Machine">{row.machine}</Cell>
          <Cell label="Owner">{row.owner ?? 'nobody'}</Cell>
          <Figures row={row} shown={perMachine} />
        </tr>
      ))}
      <tr role="row" class="sum">
        <Cell label="Machine">Total</Cell>
        <Cell label="Owner">{''}</Cell>
        <Figures row={statement} shown={perMachine} />
      </tr>
    </Table>
  )
}

type Figured = Pick<StatementView, 'days' | 'freeDays' | 'hours' | 'total'>

function Figures({ row, shown }: { row: Figured; shown: readonly string[] }) {
  const values = { Days: row.days, Free: row.freeDays, Hours: row.hours, Amount: row.total }
  return (
    <>
      {Object.entries(values)
        .filter(([label]) => shown.includes(label))
        .map(([label, value]) => (
          <Cell label={label} money>
            {value}
          </Cell>
        ))}
    </>
  )
}

const componentWords = {
  base: 'machine',
  memory: 'GB above the first',
  cpu: 'CPUs above the first',
  free: 'free days',
  lease: 'desktop hours begun',
} as const
const stateWords = { running: '', saved: ' while saved', archived: ' in the library' } as const

const figures = ['Quantity', 'Price', 'Days', 'Amount']

/** Every line of the statement: quantity × price a day × days = amount, and of desktops hours × price. */
function Lines({ statement }: { statement: StatementView }) {
  const { lines, machines, total, currency, hours } = statement
  const handedOn = new Set(
    machines
      .filter(({ machine }, index) => machine === machines[index - 1]?.machine)
      .map(({ machine }) => machine),
  )
  return (
    <Table
      caption={`Line by line: quantity × price a day × days${hours === 0 ? '' : ', or hours × price an hour'}, in ${currency}`}
      columns={['Machine', 'What', 'Tariff', ...figures]}
      amounts={figures}
    >
      {lines.map((line) => (
        <tr role="row">
          <Cell label="Machine">
            {line.machine}
            {handedOn.has(line.machine) ? <small>{` ${line.owner ?? 'nobody'}`}</small> : null}
          </Cell>
          <Cell label="What">
            {`${componentWords[line.component]}${stateWords[line.state]}`}
            {line.reason === null ? null : <small class="about">{`taken back: ${line.reason}`}</small>}
          </Cell>
          <Cell label="Tariff">{line.tariff}</Cell>
          <Cell label="Quantity" money>
            {line.quantity}
          </Cell>
          <Cell label="Price" money>
            {line.unitPrice}
          </Cell>
          <Cell label="Days" money>
            {line.component === 'lease' ? '' : line.days}
          </Cell>
          <Cell label="Amount" money>
            {line.amount}
          </Cell>
        </tr>
      ))}
      <tr role="row" class="sum">
        <Cell label="Machine">Total</Cell>
        {['What', 'Tariff', 'Quantity', 'Price', 'Days'].map((label) => (
          <Cell label={label}>{''}</Cell>
        ))}
        <Cell label="Amount" money>
          {total}
        </Cell>
      </tr>
    </Table>
  )
}

function Links({ code, month, thisMonth }: { code: string; month: string; thisMonth: string }) {
  const at = `/budgets/${encodeURIComponent(code)}`
  return (
    <p class="actions unprinted">
      <a href={`${at}/${monthBefore(month)}`} role="button" class="secondary">
        {monthName(monthBefore(month))}
      </a>
      {month < thisMonth ? (
        <a href={`${at}/${monthAfter(month)}`} role="button" class="secondary">
          {monthName(monthAfter(month))}
        </a>
      ) : null}
      <a href={`${at}/${month}/csv`}>CSV</a>
      <a href={`${at}/${month}/focus`}>FOCUS 1.2 (every row of the ledger)</a>
      <small>To keep it on paper, print this page.</small>
    </p>
  )
}
