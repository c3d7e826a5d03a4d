import { hasRole } from '../../identity/person.ts'
import { listMachines } from '../../operations/list-machines.ts'
import type { MachineView } from '../../operations/shapes/machine.ts'
import { counted } from '../../base/text.ts'
import { Cell, Done, type Moment, Progress, State, Table, When } from '../parts.tsx'
import type { Pages } from '../serve.tsx'
import type { Visit } from '../visit.ts'
import { machineWords, money } from '../words.ts'

/** Which machines a tab shows. */
const tabs = {
  mine: { name: 'Mine', input: { mine: 'true' }, caption: 'Machines that you own or look after' },
  all: { name: 'All I may see', input: {}, caption: 'All machines that you may see' },
  ending: {
    name: 'Ending soon',
    input: { expiringWithin: 'P14D' },
    caption: 'Machines that end within 14 days',
  },
  orphans: { name: 'Without owner', input: { orphan: 'true' }, caption: 'Machines that wait to be claimed' },
} as const
type Tab = keyof typeof tabs

function isTab(text: string): text is Tab {
  return text in tabs
}

export function machineListPages(pages: Pages): void {
  pages.get('/', async (visit) => {
    const list = await listOf(visit)
    return {
      title: 'Machines',
      current: '/',
      body: <MachinesPage list={list} deleted={visit.query.get('deleted')} />,
    }
  })
  pages.get('/fragments/machines', async (visit) => ({
    fragment: <MachineList list={await listOf(visit)} />,
  }))
}

interface List {
  tab: Tab
  items: MachineView[]
  next: string | null
  cursor: string | undefined
  moment: Moment
  operator: boolean
}

async function listOf(visit: Visit): Promise<List> {
  const shown = visit.query.get('show') ?? 'mine'
  const tab = isTab(shown) ? shown : 'mine'
  const cursor = visit.query.get('cursor')
  const page = await visit.perform(listMachines, {
    ...tabs[tab].input,
    ...(cursor === undefined ? {} : { cursor }),
  })
  const moment = { now: visit.now, zone: visit.site.timezone }
  return { ...page, tab, cursor, moment, operator: hasRole(visit.caller, 'operator') }
}

function MachinesPage({ list, deleted }: { list: List; deleted: string | undefined }) {
  const address = addressOf(list, list.cursor)
  return (
    <>
      <div class="title">
        <h1>Machines</h1>
        <a href="/request" role="button">
          Request a machine
        </a>
      </div>
      {deleted === undefined ? null : <Done>The machine is being deleted.</Done>}
      <nav class="tabs" aria-label="Which machines">
        <ul>
          {Object.entries(tabs).map(([key, { name }]) => (
            <li>
              <a href={`/?show=${key}`} {...(key === list.tab ? { 'aria-current': 'true' } : {})}>
                {name}
              </a>
            </li>
          ))}
        </ul>
      </nav>
      <div
        id="machines"
        hx-get={`/fragments/machines${address}`}
        hx-trigger="machines from:body throttle:700ms"
        hx-swap="innerMorph"
      >
        <MachineList list={list} />
      </div>
    </>
  )
}

function addressOf({ tab }: List, cursor: string | null | undefined): string {
  return `?show=${tab}${cursor === null || cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`}`
}

function MachineList({ list }: { list: List }) {
  const { items, next, tab, moment } = list
  const busy = items.filter(({ progress }) => progress !== undefined)
  return (
    <>
      <p class="sr" role="status" aria-live="polite">
        {busy.length === 0 ? '' : `${counted(busy.length, 'machine')} being worked on.`}
      </p>
      {items.length === 0 ? (
        <Nothing tab={tab} />
      ) : (
        <Table
          caption={tabs[tab].caption}
          columns={['Name', 'State', 'Template and size', 'Owner', 'Ends', 'Cost to date']}
        >
          {items.map((machine) => (
            <Row machine={machine} moment={moment} />
          ))}
        </Table>
      )}
      {next === null ? null : (
        <p>
          <a href={`/${addressOf(list, next)}`}>Next page</a>
        </p>
      )}
    </>
  )
}

function Nothing({ tab }: { tab: Tab }) {
  if (tab !== 'mine') return <p class="empty">There are none.</p>
  return (
    <p class="empty">
      You have no machines. <a href="/request">Request one</a>, or ask for it <a href="/chat">in the chat</a>:{' '}
      <code>/vm request</code>.
    </p>
  )
}

function Row({ machine, moment }: { machine: MachineView; moment: Moment }) {
  const { name, description, purpose, template, cpus, memoryGb, owner, expiresAt } = machine
  const about = description === '' ? purpose : description
  return (
    <tr role="row" id={`machine-${name}`}>
      <Cell label="Name">
        <a href={`/machines/${encodeURIComponent(name)}`}>
          <strong>{name}</strong>
        </a>
        {about === '' ? null : <small class="about">{about}</small>}
      </Cell>
      <Cell label="State">
        <State state={machineWords[machine.state]} />
        {owner === null ? <small class="about">{whereFound(machine)}</small> : null}
        {machine.progress === undefined ? null : <Progress progress={machine.progress} of={name} />}
      </Cell>
      <Cell label="Size">
        {template} <small>{sizeWords({ cpus, memoryGb })}</small>
      </Cell>
      <Cell label="Owner">
        {owner ?? <a href={`/machines/${encodeURIComponent(name)}#claim`}>nobody: claim it</a>}
      </Cell>
      <Cell label="Ends">{expiresAt === null ? 'never' : <When at={expiresAt} moment={moment} />}</Cell>
      <Cell label="Cost to date">
        <span class="money">{money(machine.costToDate, machine.currency)}</span>
      </Cell>
    </tr>
  )
}

/** Of one that nobody owns: where it is, and what its provider says of it. */
function whereFound({ host, providerState }: MachineView): string {
  return [host === null ? '' : `on ${host}`, providerState ?? ''].filter((word) => word !== '').join(': ')
}

export function sizeWords({ cpus, memoryGb }: { cpus: number; memoryGb: number }): string {
  return `${counted(cpus, 'CPU')}, ${memoryGb} GB`
}
