import { hasRole } from '../../identity/person.ts'
import { Refusal } from '../../base/errors.ts'
import { claimMachine } from '../../operations/claim-machine.ts'
import { controlMachine } from '../../operations/control-machine.ts'
import { deleteMachine } from '../../operations/delete-machine.ts'
import { extendMachine } from '../../operations/extend-machine.ts'
import { letGoMachine } from '../../operations/let-go-machine.ts'
import { resizeMachine } from '../../operations/resize-machine.ts'
import { listBudgets } from '../../operations/show-budget.ts'
import { showMachine } from '../../operations/show-machine.ts'
import { transferMachine } from '../../operations/transfer-machine.ts'
import type { Pages } from '../serve.tsx'
import { type Answer, attempt, type Fields, filled, type Visit } from '../visit.ts'
import { type ButtonVerb, isButtonVerb, verbWords } from '../words.ts'
import { ConfirmPage, MachinePage, type MachineProps, MachineState } from './machine.tsx'
import { ResizePrice } from './machine-forms.tsx'
import { pricesOf } from './machine-price.ts'

export function machinePages(pages: Pages): void {
  pages.get('/machines', async () => ({ redirect: '/' }))
  pages.get('/machines/:name', (visit) => machinePage(visit))
  pages.get('/fragments/machines/:name', async (visit) => ({
    fragment: <MachineState {...await propsOf(visit)} />,
  }))
  pages.post('/fragments/machines/:name/price', async (visit) => ({
    fragment: <ResizePrice {...await propsOf(visit)} />,
  }))
  pages.get('/machines/:name/confirm/:verb', async (visit) => {
    const verb = verbOf(visit)
    const machine = await visit.perform(showMachine, { name: visit.param('name') })
    return {
      title: `${verbWords[verb].button}: ${machine.name}`,
      current: '/',
      body: <ConfirmPage machine={machine} verb={verb} />,
    }
  })
  pages.post('/machines/:name/extend', extend)
  pages.post('/machines/:name/resize', resize)
  pages.post('/machines/:name/claim', claim)
  pages.post('/machines/:name/transfer', transfer)
  pages.post('/machines/:name/:verb', press)
}

async function propsOf(visit: Visit): Promise<MachineProps> {
  const machine = await visit.perform(showMachine, { name: visit.param('name') })
  const { items: budgets } = await visit.perform(listBudgets, {})
  const done = visit.query.get('done') ?? ''
  const wish = wishOf(visit.form) ?? wishOf(visit.query)
  return {
    machine,
    budgets: budgets.filter(({ open }) => open),
    prices: await pricesOf(visit, machine, wish),
    site: visit.site,
    moment: { now: visit.now, zone: visit.site.timezone },
    operator: hasRole(visit.caller, 'operator'),
    done: isDone(done) ? doneWords[done] : isButtonVerb(done) ? verbWords[done].done : undefined,
    wish,
  }
}

async function machinePage(visit: Visit, refusal?: Refusal): Promise<Answer> {
  const props = await propsOf(visit)
  const status = refusal?.status ?? 200
  return {
    title: props.machine.name,
    current: '/',
    body: <MachinePage {...props} refusal={refusal} />,
    status,
  }
}

const doneWords = {
  extend: 'It lasts longer now.',
  resize: 'It is being resized.',
  claim: 'It is claimed.',
  transfer: 'It is handed on from today on.',
} as const

function isDone(text: string): text is keyof typeof doneWords {
  return text in doneWords
}

function verbOf(visit: Visit): ButtonVerb {
  const verb = visit.param('verb')
  if (isButtonVerb(verb)) return verb
  throw new Refusal('not_found', `There is nothing called ${verb} that could be done to a machine.`)
}

/** The size that was typed, where it is one. */
function wishOf(fields: Fields): { cpus: number; memoryGb: number } | undefined {
  const [cpus, memoryGb] = [Number(fields.get('cpus')), Number(fields.get('memoryGb'))]
  const fits = (count: number, most: number) => Number.isInteger(count) && count > 0 && count <= most
  return fits(cpus, 1024) && fits(memoryGb, 65_536) ? { cpus, memoryGb } : undefined
}

/** Back to the machine with what was done, or its page with the refusal and what was typed. */
async function then(visit: Visit, done: string, work: () => Promise<unknown>): Promise<Answer> {
  const outcome = await attempt(work)
  if ('refusal' in outcome) return machinePage(visit, outcome.refusal)
  return { redirect: `/machines/${encodeURIComponent(visit.param('name'))}?done=${done}` }
}

async function press(visit: Visit): Promise<Answer> {
  const [verb, name] = [verbOf(visit), visit.param('name')]
  if (verb === 'let-go') return then(visit, verb, () => visit.perform(letGoMachine, { name }))
  if (verb === 'delete') return then(visit, verb, () => visit.perform(deleteMachine, { name }))
  return then(visit, verb, () => visit.perform(controlMachine[verb], { name }))
}

async function extend(visit: Visit): Promise<Answer> {
  const until = visit.form.get('until')
  const wish = until === undefined ? filled(visit.form, 'days') : { until }
  const work = () => visit.perform(extendMachine, { name: visit.param('name'), ...wish })
  return orRequest(visit, 'extend', work)
}

async function resize(visit: Visit): Promise<Answer> {
  const size = filled(visit.form, 'cpus', 'memoryGb')
  const work = () => visit.perform(resizeMachine, { name: visit.param('name'), ...size })
  return orRequest(visit, 'resize', work)
}

/** What needs an approval has become a request, which is where to look next. */
async function orRequest(visit: Visit, done: string, work: () => Promise<object>): Promise<Answer> {
  const outcome = await attempt(work)
  if ('refusal' in outcome) return machinePage(visit, outcome.refusal)
  if ('request' in outcome.done && typeof outcome.done.request === 'string') {
    return { redirect: `/requests/${encodeURIComponent(outcome.done.request)}?done=asked` }
  }
  return then(visit, done, async () => undefined)
}

async function transfer(visit: Visit): Promise<Answer> {
  const wish = filled(visit.form, 'owner', 'budget', 'from', 'reason')
  const work = () => visit.perform(transferMachine, { name: visit.param('name'), ...wish })
  const outcome = await attempt(work)
  if ('refusal' in outcome) return machinePage(visit, outcome.refusal)
  const { done } = outcome
  const isAsked = 'request' in done && !('name' in done)
  if (isAsked) return { redirect: `/requests/${encodeURIComponent(done.request)}?done=asked` }
  // Whoever has handed it on may not see it any more.
  const seen = await attempt(() => visit.perform(showMachine, { name: visit.param('name') }))
  if ('refusal' in seen) return { redirect: '/' }
  return then(visit, 'transfer', async () => undefined)
}

async function claim(visit: Visit): Promise<Answer> {
  const { owner } = filled(visit.form, 'owner')
  const budget = visit.form.get('budget') ?? ''
  const facts = { name: visit.param('name'), budget, ...(owner === undefined ? {} : { owner }) }
  return then(visit, 'claim', () => visit.perform(claimMachine, facts))
}
