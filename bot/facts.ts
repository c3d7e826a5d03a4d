import type { Instant } from '../src/base/clock.ts'
import { Refusal } from '../src/base/errors.ts'
import type { Caller } from '../src/identity/person.ts'
import { listBudgets } from '../src/operations/show-budget.ts'
import { listHosts } from '../src/operations/list-hosts.ts'
import { listMachines } from '../src/operations/list-machines.ts'
import { listPools } from '../src/operations/list-pools.ts'
import { listImages } from '../src/operations/list-images.ts'
import { listTemplates } from '../src/operations/list-templates.ts'
import { makeQuote } from '../src/operations/make-quote.ts'
import type { Operations } from '../src/operations/perform.ts'
import { quoteExtension } from '../src/operations/quote-extension.ts'
import type { MachineView } from '../src/operations/shapes/machine.ts'
import type { QuoteView } from '../src/operations/shapes/quote.ts'
import type { RequestView } from '../src/operations/shapes/request.ts'
import { showLease } from '../src/operations/show-lease.ts'
import { showMachine } from '../src/operations/show-machine.ts'
import { showRequest } from '../src/operations/show-request.ts'
import type { Site } from '../src/operations/site.ts'
import type { LeaseFacts } from './cards/desktop.ts'
import type { ExpiryFacts } from './cards/expiry.ts'
import { extensionDays } from './cards/machine.ts'
import type { RequestFacts } from './cards/request.ts'
import type { Lexicon } from './grammar.ts'

/** What is needed to look things up for a card: in whose eyes, and at which site. */
export interface Look {
  operations: Operations
  caller: Caller
  site: Site
}

/** The result, or nothing when the answer is no. */
async function unlessRefused<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work
  } catch (error) {
    if (error instanceof Refusal) return undefined
    throw error
  }
}

export async function machineFacts({ operations, caller }: Look, name: string): Promise<MachineView> {
  return operations.perform(showMachine, caller, { name })
}

/** A request with its machines, as far as the caller may see them. @throws Refusal `not_found`. */
export async function requestFacts(look: Look, id: string): Promise<RequestFacts> {
  return factsOf(look, await look.operations.perform(showRequest, look.caller, { id }))
}

/** What a request's card needs beside the request. */
export async function factsOf(look: Look, request: RequestView): Promise<RequestFacts> {
  const found = await Promise.all(request.machines.map((name) => unlessRefused(machineFacts(look, name))))
  const lines = request.state === 'pending' ? await linesOf(look, request) : undefined
  const machines = found.filter((machine) => machine !== undefined)
  return { request, machines, ...(lines === undefined ? {} : { lines }) }
}

/** How the price of a request comes about. It is not kept with it, so it is shown only while it gives the same price. */
async function linesOf(
  { operations, caller }: Look,
  request: RequestView,
): Promise<QuoteView['lines'] | undefined> {
  const { kind, template, cpus, memoryGb, count, days, until } = request
  if (kind !== 'machines') return undefined
  const term = days === null ? { until: until ?? 'never' } : { days }
  const quote = await unlessRefused(
    operations.perform(makeQuote, caller, { template, cpus, memoryGb, count, ...term }),
  )
  return quote?.total === request.quote.total ? quote.lines : undefined
}

/** What a reminder shows, with the price of what its button does. */
export async function expiryFacts(look: Look, name: string, sentAt: Instant): Promise<ExpiryFacts> {
  const { operations, caller, site } = look
  const machine = await machineFacts(look, name)
  const extension = await unlessRefused(
    operations.perform(quoteExtension, caller, { name, days: extensionDays }),
  )
  const grace = site.policies.machines.grace
  return { machine, sentAt, grace, ...(extension === undefined ? {} : { extension }) }
}

/** A session, with how far its desktop has come while it is being prepared. */
export async function leaseFacts(look: Look, id: string): Promise<LeaseFacts> {
  const { operations, caller, site } = look
  const lease = await operations.perform(showLease, caller, { id })
  const waiting = lease.state === 'preparing' ? lease.desktop : null
  const machine = waiting === null ? undefined : await unlessRefused(machineFacts(look, waiting))
  const progress = machine?.progress
  return { lease, desktopPage: desktopPage(site), ...(progress === undefined ? {} : { progress }) }
}

/** The page on which desktops are opened. */
export function desktopPage(site: Pick<Site, 'publicUrl'>): string {
  return pageAt(site, '/desktop')
}

/** A page of the portal, for a link. */
export function pageAt({ publicUrl }: Pick<Site, 'publicUrl'>, path: string): string {
  return new URL(path, publicUrl).href
}

/** As many names as are read for understanding a line. */
const mostNames = 2000
const pageSize = 200

/** The names that a line of this caller may mean: only what they may see. */
export async function lexiconOf(look: Look): Promise<Lexicon> {
  const { operations, caller } = look
  const [templates, images, machines, budgets, pools, hosts] = await Promise.all([
    operations.perform(listTemplates, caller, {}),
    operations.perform(listImages, caller, { limit: pageSize }),
    machineNames(look),
    operations.perform(listBudgets, caller, {}),
    operations.perform(listPools, caller, {}),
    operations.perform(listHosts, caller, {}),
  ])
  const nameOf = ({ name }: { name: string }): string => name
  return {
    templates: [...templates.items, ...images.items.filter(({ use }) => use === 'image')].map(nameOf),
    machines,
    budgets: budgets.items.map(({ code }) => code),
    pools: pools.items.map(nameOf),
    hosts: hosts.items.map(nameOf),
  }
}

async function machineNames({ operations, caller }: Look): Promise<string[]> {
  const names: string[] = []
  let cursor: string | undefined
  while (names.length < mostNames) {
    const page = await operations.perform(listMachines, caller, {
      limit: pageSize,
      ...(cursor === undefined ? {} : { cursor }),
    })
    names.push(...page.items.map(({ name }) => name))
    if (page.next === null) break
    cursor = page.next
  }
  return names
}
