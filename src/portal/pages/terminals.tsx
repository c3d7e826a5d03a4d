import type { ComponentChildren } from 'preact'
import type { Refusal } from '../../base/errors.ts'
import {
  enrolTerminal,
  importTerminals,
  listTerminals,
  orderTerminal,
  removeTerminal,
  type TerminalView,
} from '../../operations/manage-terminals.ts'
import { Cell, Done, Field, type Moment, Table, When } from '../parts.tsx'
import type { Pages } from '../serve.tsx'
import { type Answer, attempt, filled, type Visit } from '../visit.ts'
import { Refused } from './trouble.tsx'

const current = '/terminals'

/** Terminals, for operators: where each is, who sits there, which wait to be confirmed. */
export function terminalListPages(pages: Pages): void {
  pages.get(current, (visit) => page(visit))
  pages.get('/fragments/terminals', async (visit) => ({ fragment: <Known {...await known(visit)} /> }))
  pages.post(current, (visit) =>
    then(visit, 'enrolled', () => visit.perform(enrolTerminal, filled(visit.form, ...fields))),
  )
  pages.post('/terminals/import', async (visit) => {
    const outcome = await attempt(() => visit.perform(importTerminals, { csv: visit.form.exact('csv') }))
    if ('refusal' in outcome) return page(visit, { refusal: outcome.refusal })
    return page(visit, { imported: outcome.done })
  })
  pages.post('/terminals/:name/remove', (visit) =>
    then(visit, 'removed', () => visit.perform(removeTerminal, { name: visit.param('name') })),
  )
  pages.post('/terminals/:name/message', (visit) => {
    const order = { name: visit.param('name'), kind: 'message' as const, text: visit.form.get('text') ?? '' }
    return then(visit, 'sent', () => visit.perform(orderTerminal, order))
  })
}

const fields = [
  ...(['waiting', 'name', 'kind', 'mac', 'address', 'port'] as const),
  ...(['pool', 'owner', 'location'] as const),
]

const doneWords: Readonly<Record<string, string>> = {
  enrolled: 'The terminal is known now.',
  removed: 'It is not known any more.',
  sent: 'It was sent to the terminal.',
}

async function then(visit: Visit, done: string, work: () => Promise<unknown>): Promise<Answer> {
  const outcome = await attempt(work)
  return 'refusal' in outcome
    ? page(visit, { refusal: outcome.refusal })
    : { redirect: `${current}?done=${done}` }
}

interface Imported {
  imported: number
  changed: number
  unchanged: number
  refused: readonly { line: number; reason: string }[]
}

interface KnownProps {
  items: readonly TerminalView[]
  pools: readonly string[]
  moment: Moment
}

async function known(visit: Visit): Promise<KnownProps> {
  const { items } = await visit.perform(listTerminals, {})
  const moment = { now: visit.now, zone: visit.site.timezone }
  return { items, pools: visit.site.pools.map(({ name }) => name), moment }
}

async function page(visit: Visit, outcome: { refusal?: Refusal; imported?: Imported } = {}): Promise<Answer> {
  const shown = await known(visit)
  const done = doneWords[visit.query.get('done') ?? '']
  const body = (
    <>
      <h1>Terminals</h1>
      <Refused refusal={outcome.refusal} />
      {done === undefined ? null : <Done>{done}</Done>}
      {outcome.imported === undefined ? null : <ImportOutcome {...outcome.imported} />}
      <div
        id="terminals"
        hx-get="/fragments/terminals"
        hx-trigger="terminals from:body throttle:2s"
        hx-swap="innerMorph"
      >
        <Known {...shown} />
      </div>
      <Enrol visit={visit} pools={shown.pools} refusal={outcome.refusal} />
      <ImportForm />
    </>
  )
  return { title: 'Terminals', current, body, status: outcome.refusal?.status ?? 200 }
}

function ImportOutcome({ imported, changed, unchanged, refused }: Imported) {
  return (
    <>
      <Done>{`${imported} enrolled, ${changed} changed, ${unchanged} as they were.`}</Done>
      {refused.length === 0 ? null : (
        <ul>
          {refused.map(({ line, reason }) => (
            <li key={line}>{`Line ${line}: ${reason}`}</li>
          ))}
        </ul>
      )}
    </>
  )
}

function Known({ items, pools, moment }: KnownProps) {
  const waiting = items.filter(({ standing }) => standing === 'waiting')
  const named = items.filter(({ standing }) => standing !== 'waiting')
  return (
    <>
      {waiting.length === 0 ? null : <Waiting items={waiting} pools={pools} moment={moment} />}
      {named.length === 0 ? (
        <p class="empty">No terminal is known yet. People can open desktops from anywhere all the same.</p>
      ) : (
        <Table
          caption="Terminals that are known"
          columns={['Terminal', 'Where', 'Pool', 'Known by', 'Last seen', 'Who sits there', '']}
        >
          {named.map((terminal) => (
            <Row key={terminal.name} terminal={terminal} moment={moment} />
          ))}
        </Table>
      )}
    </>
  )
}

function Seen({ at, moment }: { at: string | null; moment: Moment }) {
  return at === null ? <>never</> : <When at={at} moment={moment} />
}

function Row({ terminal, moment }: { terminal: TerminalView; moment: Moment }) {
  const { name, kind, location, pool, owner, mac, address, port, session, lastSeenAt } = terminal
  const by = [mac, address, port === null ? null : `port ${port}`].filter((text) => text !== null)
  return (
    <tr role="row">
      <Cell label="Terminal">
        <strong>{name}</strong>
        <small class="about">{kind}</small>
      </Cell>
      <Cell label="Where">{location ?? ''}</Cell>
      <Cell label="Pool">{pool ?? (owner === null ? 'people choose' : `${owner}’s`)}</Cell>
      <Cell label="Known by">{by.length === 0 ? 'its name' : by.join(', ')}</Cell>
      <Cell label="Last seen">
        <Seen at={lastSeenAt} moment={moment} />
      </Cell>
      <Cell label="Who sits there">
        {session === null ? 'nobody' : `${session.user}, ${session.state} in ${session.pool}`}
      </Cell>
      <Cell label="">
        <details>
          <summary>More</summary>
          <Post to={name} verb="message">
            <input name="text" aria-label={`Message to ${name}`} maxLength={400} required />
            <button type="submit" class="secondary">
              Send message
            </button>
          </Post>
          {terminal.standing === 'filed' ? null : (
            <Post to={name} verb="remove">
              <button type="submit" class="secondary">
                {`Forget ${name}`}
              </button>
            </Post>
          )}
        </details>
      </Cell>
    </tr>
  )
}

function Post({ to, verb, children }: { to: string; verb: string; children: ComponentChildren }) {
  return (
    <form method="post" action={`/terminals/${encodeURIComponent(to)}/${verb}`}>
      {children}
    </form>
  )
}

function Waiting({ items, pools, moment }: KnownProps) {
  return (
    <Table
      caption="Devices that wait to be confirmed"
      columns={['Device', 'Said to be', 'First came from', 'Last seen', 'Confirm', '']}
    >
      {items.map((terminal) => (
        <tr role="row" key={terminal.name}>
          <Cell label="Device">{terminal.mac ?? ''}</Cell>
          <Cell label="Said to be">{terminal.kind}</Cell>
          <Cell label="First came from">{terminal.address ?? ''}</Cell>
          <Cell label="Last seen">
            <Seen at={terminal.lastSeenAt} moment={moment} />
          </Cell>
          <Cell label="Confirm">
            <form method="post" action={current} class="row">
              <input type="hidden" name="waiting" value={terminal.name} />
              <input type="hidden" name="kind" value={terminal.kind} />
              <input name="name" aria-label="Name" placeholder="lobby-2" required />
              <PoolChoice pools={pools} />
              <button type="submit">Confirm</button>
            </form>
          </Cell>
          <Cell label="">
            <Post to={terminal.name} verb="remove">
              <button type="submit" class="secondary">
                Turn down
              </button>
            </Post>
          </Cell>
        </tr>
      ))}
    </Table>
  )
}

function PoolChoice({ pools }: { pools: readonly string[] }) {
  return (
    <select name="pool" aria-label="Pool">
      <option value="">people choose</option>
      {pools.map((name) => (
        <option value={name} key={name}>
          {name}
        </option>
      ))}
    </select>
  )
}

interface EnrolProps {
  visit: Visit
  pools: readonly string[]
  refusal: Refusal | undefined
}

function Enrol({ visit: { form }, pools, refusal }: EnrolProps) {
  const texts = [
    ['name', 'Name', 'lobby-2'],
    ['mac', 'MAC', '00:0b:3c:00:00:11'],
    ['address', 'Address', '10.1.2.3'],
    ['location', 'Where it is', 'Building 40, ground floor'],
  ] as const
  return (
    <details open={refusal !== undefined}>
      <summary>Enrol a terminal</summary>
      <form method="post" action={current}>
        {texts.map(([name, label, example]) => (
          <Field key={name} name={name} label={label} refusal={refusal}>
            {(attributes) => <input value={form.get(name) ?? ''} placeholder={example} {...attributes} />}
          </Field>
        ))}
        <Field name="kind" label="Kind" refusal={refusal}>
          {(attributes) => (
            <select {...attributes}>
              {['jackpc', 'thinstation', 'wyse', 'igel', 'browser', 'other'].map((kind) => (
                <option value={kind} key={kind}>
                  {kind}
                </option>
              ))}
            </select>
          )}
        </Field>
        <label>
          Pool <PoolChoice pools={pools} />
        </label>
        <button type="submit">Enrol</button>
      </form>
    </details>
  )
}

function ImportForm() {
  return (
    <details>
      <summary>Enrol many from a list</summary>
      <form method="post" action="/terminals/import">
        <label>
          A list as CSV, with columns mac and name, and as you have them kind, address, port, pool, owner,
          location
          <textarea
            name="csv"
            rows={6}
            placeholder={'mac,name,kind,pool\n00:0b:3c:00:00:14,lobby-2,jackpc,public'}
          />
        </label>
        <button type="submit">Enrol them</button>
      </form>
    </details>
  )
}
