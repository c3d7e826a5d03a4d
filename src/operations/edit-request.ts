import { z } from 'zod'
import { notFound, refuse } from '../base/errors.ts'
import { blankView, blankWords } from '../machines/blank.ts'
import { checkDecision } from '../requests/approval.ts'
import type { Ask, Request } from '../requests/request.ts'
import { type Known, namesOnBudget, peopleBehind } from './approvers.ts'
import { askAgain, type Asked } from './asking.ts'
import { wishOf } from './granting.ts'
import { change } from './operation.ts'
import { OrderFields } from './order.ts'
import { administratorWarnings, askedMachines, disksOf, RequestFields, type Wanted } from './ordering.ts'
import { anybody } from './rules.ts'
import { maySeeRequest } from './show-request.ts'
import { RequestShape, requestView } from './shapes/request.ts'

const Changes = z.object({ ...OrderFields, count: OrderFields.count.unwrap(), ...RequestFields }).partial()
type Changes = z.output<typeof Changes>
type MachinesAsk = Extract<Ask, { kind: 'machines' }>

export const editRequest = change({
  name: 'edit-request',
  summary:
    'Change what a request asks for while nobody has decided. It is priced anew, and its approvers asked again.',
  http: { method: 'POST', path: '/requests/{id}/edit' },
  input: z.object({ id: z.string().max(40), ...Changes.shape }),
  output: RequestShape,
  subject: ({ id }) => `request:${id}`,
  allow: anybody,
  // Which budget it is on is known only in the transaction, so the people of all are asked for.
  ask: (outside, { administrators = [] }): Promise<Known> =>
    peopleBehind(outside, [
      ...outside.site.budgets.flatMap(({ code }) => namesOnBudget(outside, code)),
      ...administrators,
    ]),
  async run(context, { id, ...changes }, known) {
    const { tx, caller, now, site } = context
    const request = await tx.requests.get(id)
    if (request === undefined || !maySeeRequest(context, request)) throw notFound('request', id)
    if (request.requester !== caller.user) {
      refuse('forbidden', `${id} is ${request.requester}'s to change. An approver can deny it and say why.`)
    }
    checkDecision(request, caller, { verdict: 'cancelled', reason: null }, { now, zone: site.timezone })
    const { ask } = request
    if (ask.kind !== 'machines') {
      refuse(
        'wrong_state',
        `${id} is about ${ask.kind === 'lease' ? ask.desktop : ask.machine}, which is there already. Take it back and ask anew.`,
      )
    }
    const warnings = administratorWarnings(caller, changes.administrators ?? [], known)
    const asked = await askedMachines(context, wantedNow(request, ask, changes))
    const what = differences(request, ask, asked)
    if (what.length === 0) refuse('invalid_input', `${id} says that already. Say what should be different.`)
    const edited = await askAgain(context, request, { ...asked, what: `changed: ${what.join(', ')}` }, known)
    return requestView(edited, { tx, now, site, warnings })
  },
})

/** The request as it is with its changes. A new end or a new number of days takes the place of either. */
function wantedNow(request: Request, ask: MachinesAsk, changes: Changes): Wanted {
  const term = changes.until === undefined && changes.days === undefined ? wishOf(ask) : changes
  return {
    template: changes.template ?? request.template,
    cpus: changes.cpus ?? request.cpus,
    memoryGb: changes.memoryGb ?? request.memoryGb,
    count: changes.count ?? ask.count,
    until: term.until,
    days: term.days,
    name: changes.name ?? ask.name ?? undefined,
    host: changes.host ?? ask.host ?? undefined,
    group: changes.group ?? ask.group,
    apart: changes.apart ?? ask.apart,
    description: changes.description ?? request.description,
    purpose: changes.purpose ?? request.purpose,
    administrators: changes.administrators ?? request.administrators,
    budget: changes.budget ?? request.budget,
    // Another template is another disk.
    ...(changes.template === undefined ? disksOf(ask) : {}),
    ...blankWish(ask, changes),
  }
}

function blankWish({ blank }: MachinesAsk, changes: Changes): Pick<Wanted, 'diskGb' | 'boot'> {
  const known = changes.template === undefined ? blank : undefined
  const boot = known === undefined ? undefined : (known.disc ?? 'network')
  return { diskGb: changes.diskGb ?? known?.diskGb, boot: changes.boot ?? boot }
}

/** What becomes different, for people to read. */
function differences(request: Request, ask: MachinesAsk, asked: Asked): string[] {
  const [before, after] = [
    facts(request, ask),
    facts({ ...asked, budget: asked.budget?.code ?? '' }, asked.ask),
  ]
  return Object.entries(after)
    .filter(([name, value]) => before[name] !== value)
    .map(([name, value]) => `${name} ${before[name] || 'none'} is ${value || 'none'}`)
}

function facts(
  thing: Pick<
    Request,
    'template' | 'cpus' | 'memoryGb' | 'description' | 'purpose' | 'administrators' | 'budget'
  >,
  ask: Ask,
): Record<string, string> {
  const { template, cpus, memoryGb, description, purpose, administrators, budget } = thing
  if (ask.kind !== 'machines') return {}
  return {
    template: [template, ask.image, ask.data].filter((part) => part !== undefined).join(' with '),
    disk: blankWords(blankView(ask.blank)),
    CPUs: String(cpus),
    GB: String(memoryGb),
    machines: String(ask.count),
    term: ask.days === null ? `until ${ask.until ?? 'never'}` : `${ask.days} days`,
    name: ask.name ?? '',
    host: ask.host ?? '',
    group: ask.group ?? '',
    apart: ask.apart === true ? 'yes' : '',
    budget,
    administrators: administrators.join(' and '),
    description,
    purpose,
  }
}
