import type { Refusal } from '../../base/errors.ts'
import { hasRole } from '../../identity/person.ts'
import { archiveMachine } from '../../operations/archive-machine.ts'
import { captureMachine } from '../../operations/capture-machine.ts'
import { cloneMachine } from '../../operations/clone-machine.ts'
import { listHosts } from '../../operations/list-hosts.ts'
import { listTemplates } from '../../operations/list-templates.ts'
import { migrateMachine } from '../../operations/migrate-machine.ts'
import { restoreMachine } from '../../operations/restore-machine.ts'
import { listBudgets } from '../../operations/show-budget.ts'
import { showFigures } from '../../operations/show-figures.ts'
import { showMachine } from '../../operations/show-machine.ts'
import { deleteSnapshot, revertSnapshot, takeSnapshot } from '../../operations/snapshots.ts'
import type { Pages } from '../serve.tsx'
import { type Answer, attempt, filled, type Visit } from '../visit.ts'
import { LibraryPage, type LibraryProps, SnapshotPage } from './library.tsx'

export interface HostChoice {
  name: string
  group: string
}

/** To be added before the pages of machines, whose last path takes any verb. */
export function libraryPages(pages: Pages): void {
  pages.get('/machines/:name/library', (visit) => page(visit))
  pages.get('/machines/:name/snapshots/:snapshot', async (visit) => {
    const machine = await visit.perform(showMachine, { name: visit.param('name') })
    const body = <SnapshotPage machine={machine} snapshot={visit.param('snapshot')} />
    return { title: `Snapshot of ${machine.name}`, current: '/', body }
  })
  pages.post('/machines/:name/snapshots', (visit) =>
    then(visit, 'snapshot', () =>
      visit.perform(takeSnapshot, { machine: visit.param('name'), name: visit.form.get('name') ?? '' }),
    ),
  )
  pages.post('/machines/:name/snapshots/:snapshot/revert', (visit) =>
    then(visit, 'revert', () => visit.perform(revertSnapshot, snapshotOf(visit))),
  )
  pages.post('/machines/:name/snapshots/:snapshot/delete', (visit) =>
    then(visit, 'forget', () => visit.perform(deleteSnapshot, snapshotOf(visit))),
  )
  pages.post('/machines/:name/capture', (visit) =>
    then(visit, 'capture', () => visit.perform(captureMachine, withName(visit, 'image'))),
  )
  pages.post('/machines/:name/archive', (visit) =>
    then(visit, 'archive', () => visit.perform(archiveMachine, withName(visit, 'until'))),
  )
  pages.post('/machines/:name/restore', (visit) =>
    then(visit, 'restore', () => visit.perform(restoreMachine, { name: visit.param('name') })),
  )
  pages.post('/machines/:name/migrate', (visit) =>
    then(visit, 'migrate', () => visit.perform(migrateMachine, withName(visit, 'host'))),
  )
  pages.post('/machines/:name/clone', clone)
}

const doneWords = {
  snapshot: 'A snapshot is being taken.',
  revert: 'It is going back.',
  forget: 'The snapshot is being deleted.',
  capture: 'An image is being made. You are told when it is ready.',
  archive: 'It is being put into the library.',
  restore: 'It is being brought back.',
  migrate: 'It is being moved.',
} as const
type Done = keyof typeof doneWords

function isDone(text: string): text is Done {
  return text in doneWords
}

function withName(visit: Visit, ...fields: string[]) {
  return { name: visit.param('name'), ...filled(visit.form, ...fields) }
}

function snapshotOf(visit: Visit): { machine: string; snapshot: string } {
  return { machine: visit.param('name'), snapshot: visit.param('snapshot') }
}

async function propsOf(visit: Visit): Promise<LibraryProps> {
  const name = visit.param('name')
  const [machine, figures, templates, budgets] = await Promise.all([
    visit.perform(showMachine, { name }),
    visit.perform(showFigures, { name }),
    visit.perform(listTemplates, {}),
    visit.perform(listBudgets, {}),
  ])
  const done = visit.query.get('done') ?? ''
  return {
    ...{ machine, figures },
    moment: { now: visit.now, zone: visit.site.timezone },
    templates: templates.items.map((template) => template.name),
    budgets: budgets.items.filter(({ open }) => open),
    hosts: hasRole(visit.caller, 'operator') ? await otherHosts(visit, machine.host) : [],
    done: isDone(done) ? doneWords[done] : undefined,
  }
}

async function otherHosts(visit: Visit, host: string | null): Promise<HostChoice[]> {
  const { items } = await visit.perform(listHosts, {})
  return items.filter(({ name, state }) => name !== host && state === 'up')
}

async function page(visit: Visit, refusal?: Refusal): Promise<Answer> {
  const props = await propsOf(visit)
  const title = `Inside ${props.machine.name}`
  return {
    title,
    current: '/',
    body: <LibraryPage {...props} refusal={refusal} />,
    status: refusal?.status ?? 200,
  }
}

/** Back to the page with what was done, or the page with the refusal. */
async function then(visit: Visit, done: Done, work: () => Promise<unknown>): Promise<Answer> {
  const outcome = await attempt(work)
  if ('refusal' in outcome) return page(visit, outcome.refusal)
  return { redirect: `/machines/${encodeURIComponent(visit.param('name'))}/library?done=${done}` }
}

async function clone(visit: Visit): Promise<Answer> {
  const fields = filled(visit.form, 'days', 'count', 'template', 'budget')
  const outcome = await attempt(() =>
    visit.perform(cloneMachine, { machine: visit.param('name'), ...fields }),
  )
  if ('refusal' in outcome) return page(visit, outcome.refusal)
  return { redirect: `/requests/${encodeURIComponent(outcome.done.request.id)}?done=asked` }
}
