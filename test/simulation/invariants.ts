import type { Desktop } from '../../broker/desktop.ts'
import type { Lease } from '../../broker/lease.ts'
import type { Account } from '../../pricing/budget.ts'
import { accountId } from '../../pricing/budget-period.ts'
import type { Charge } from '../../pricing/charge.ts'
import type { Commitment } from '../../pricing/commitment.ts'
import type { Tally } from '../../pricing/tally.ts'
import { plusMillis } from '../../src/base/clock.ts'
import { addDays, localDay } from '../../src/base/period.ts'
import type { AuditRow } from '../../src/identity/audit.ts'
import type { Job } from '../../src/jobs/job.ts'
import { isAlive, type Machine } from '../../src/machines/machine.ts'
import type { Notice } from '../../src/notices/notice.ts'
import type { Request } from '../../src/requests/request.ts'
import type { Page, Store } from '../../src/store/store.ts'
import { day } from '../operations/core.ts'
import type { Model } from './model.ts'
import type { World } from './world.ts'

/** Everything that the service has at one moment. */
export interface Picture {
  machines: Machine[]
  requests: Request[]
  accounts: Account[]
  commitments: Commitment[]
  tallies: Tally[]
  desktops: Desktop[]
  leases: Lease[]
  jobs: Job[]
  notices: Notice[]
}

export function pictureOf(store: Store): Promise<Picture> {
  return store.read(async (tx) => ({
    machines: await tx.machines.all(),
    requests: await tx.requests.all(),
    accounts: await tx.accounts.all(),
    commitments: await tx.commitments.all(),
    tallies: await tx.tallies.all(),
    desktops: await tx.desktops.all(),
    leases: await tx.leases.all(),
    jobs: await tx.jobs.all(),
    notices: await tx.notices.all(),
  }))
}

export interface Rows {
  charges: Charge[]
  audit: AuditRow[]
}

export function rowsOf(store: Store): Promise<Rows> {
  return store.read(async (tx) => ({
    charges: await pages((after) => tx.charges.page({ limit: 1000, ...after })),
    audit: await pages((after) => tx.audit.page({ limit: 1000, ...after })),
  }))
}

async function pages<T>(page: (after: { after?: string }) => Promise<Page<T>>): Promise<T[]> {
  const rows: T[] = []
  for (let after: { after?: string } | undefined = {}; after !== undefined;) {
    const { items, next }: Page<T> = await page(after)
    rows.push(...items)
    after = next === null ? undefined : { after: next }
  }
  return rows
}

/** What the invariants look at: what the service has, what people were told, and what the world is like. */
export interface Look {
  picture: Picture
  model: Model
  world: World
}

/** Everything that is wrong at a moment when nothing is half-done, in words. */
export function wrongsOf(look: Look): string[] {
  return [lost, doubled, leasesWrong, moneyWrong, remindersWrong, deletionsWrong].flatMap((rule) =>
    rule(look),
  )
}

/** Whatever somebody was told is so. */
function lost({ picture, model, world }: Look): string[] {
  const wrongs: string[] = []
  const requests = new Map(picture.requests.map((request) => [request.id, request]))
  for (const { answered, purpose } of model.wishes) {
    if (answered !== null && requests.get(answered)?.purpose !== purpose)
      wrongs.push(`lost: ${purpose} was answered with ${answered}, which is not there`)
  }
  for (const [id, verdict] of model.decisions) {
    const request = requests.get(id)
    if (request?.decisions.at(-1)?.verdict !== verdict)
      wrongs.push(`lost: ${id} was ${verdict} and is ${request?.state}`)
  }
  for (const machine of picture.machines) {
    const end = model.ends.get(machine.ref)
    if (end !== undefined && (machine.expiresAt ?? '') < end)
      wrongs.push(`lost: ${machine.id} was extended to ${end} and lasts until ${machine.expiresAt}`)
    const isDeleted = machine.history.some(({ state }) => state === 'deleting' || state === 'deleted')
    if (model.deletions.has(machine.ref) && !isDeleted) wrongs.push(`lost: the deletion of ${machine.id}`)
  }
  const leases = new Map(picture.leases.map((lease) => [lease.id, lease]))
  for (const [id, { user, at, ended }] of model.leases) {
    const lease = leases.get(id)
    // Leases that ended a month ago are let go of.
    if (lease === undefined && plusMillis(at, 30 * day) < world.now()) continue
    if (lease?.user !== user) wrongs.push(`lost: ${id} was given to ${user}`)
    else if (ended !== null && (lease.endedAt !== ended.at || lease.endReason !== ended.reason))
      wrongs.push(
        `lost: ${id} ended at ${ended.at}, ${ended.reason}, and now ${lease.endedAt}, ${lease.endReason}`,
      )
  }
  return wrongs
}

/** Nothing is there twice. */
function doubled({ picture, model }: Look): string[] {
  const wrongs: string[] = []
  const once = (what: string, keys: readonly string[]): void => {
    const twice = keys.find((key, index) => keys.indexOf(key) !== index)
    if (twice !== undefined) wrongs.push(`twice: ${what} ${twice}`)
  }
  once(
    'the handle',
    picture.machines.map(({ ref }) => ref),
  )
  once(
    'the request for',
    picture.requests.flatMap(({ purpose }) => (purpose.startsWith('wish ') ? purpose : [])),
  )
  for (const request of picture.requests) {
    const { id, ask, decisions, machines, state } = request
    if (decisions.length > 1) wrongs.push(`twice: a decision about ${id}`)
    if (ask.kind === 'machines' && machines.length > 0 && machines.length !== ask.count)
      wrongs.push(`twice: ${id} asked for ${ask.count} machines and made ${machines.join(' and ')}`)
    if (decisions[0]?.verdict === 'approved' && ['pending', 'denied', 'cancelled', 'expired'].includes(state))
      wrongs.push(`lost: ${id} was approved and is ${state}`)
  }
  if (picture.requests.length > 0 && model.wishes.length === 0)
    wrongs.push('twice: a request that nobody made')
  return wrongs
}

function leasesWrong({ picture }: Look): string[] {
  const wrongs: string[] = []
  const desktops = new Map(picture.desktops.map((desktop) => [desktop.id, desktop]))
  const held = new Map<string, string>()
  const holders = new Map<string, string>()
  for (const lease of picture.leases) {
    const { id, state, desktop, endReason, endedAt, user, pool, attentionAt } = lease
    if (state === 'ended') {
      if (endReason === null || endedAt === null) wrongs.push(`lease: ${id} ended without a reason`)
      continue
    }
    if (attentionAt === null) wrongs.push(`lease: ${id} is open and nobody looks at it again`)
    const other = holders.get(`${pool}|${user}`)
    if (other !== undefined) wrongs.push(`lease: ${user} has ${id} and ${other} in ${pool}`)
    holders.set(`${pool}|${user}`, id)
    if (desktop === null) continue
    const rival = held.get(desktop)
    if (rival !== undefined) wrongs.push(`lease: ${desktop} is under ${id} and ${rival}`)
    held.set(desktop, id)
    const known = desktops.get(desktop)
    if (known?.lease !== id)
      wrongs.push(`lease: ${id} is on ${desktop}, which is ${known?.state} under ${known?.lease}`)
  }
  for (const { id, lease, state } of picture.desktops) {
    if (lease !== null && held.get(id) !== lease)
      wrongs.push(`lease: ${id} is ${state} under ${lease}, which is over`)
  }
  return wrongs
}

/** What stands on each account is what the commitments and the ledger say, and all of it together is the limit. */
function moneyWrong({ picture, world }: Look): string[] {
  const { budgets } = world.config.site
  const held = new Map<string, number>()
  const spent = new Map<string, number>()
  const add = (sums: Map<string, number>, id: string, milli: number) =>
    sums.set(id, (sums.get(id) ?? 0) + milli)
  for (const { holds } of picture.commitments)
    for (const { account, milli } of holds) add(held, account, milli)
  for (const { budget, month, lines } of picture.tallies) {
    const rule = budgets.find(({ code }) => code === budget)
    const id = rule === undefined ? budget : accountId(rule, `${month}-01`)
    for (const { amountMilli } of lines) add(spent, id, amountMilli)
  }
  const accounts = new Map(picture.accounts.map((account) => [account.id, account]))
  const wrongs: string[] = []
  for (const id of new Set([...held.keys(), ...spent.keys(), ...accounts.keys()])) {
    const { heldMilli = 0, spentMilli = 0 } = accounts.get(id) ?? {}
    if (heldMilli !== (held.get(id) ?? 0))
      wrongs.push(`money: ${id} holds ${heldMilli}, its machines ${held.get(id) ?? 0}`)
    if (spentMilli !== (spent.get(id) ?? 0))
      wrongs.push(`money: ${id} spent ${spentMilli}, its ledger ${spent.get(id) ?? 0}`)
  }
  const machines = new Map(picture.machines.map((machine) => [machine.ref, machine]))
  for (const { id, ref, endedOn, holds } of picture.commitments) {
    const machine = machines.get(ref)
    const isGone = machine === undefined || machine.state === 'deleted' || machine.state === 'failed'
    if ((endedOn !== null || isGone) && holds.length > 0)
      wrongs.push(`money: ${id} is gone and money is held for it`)
    if (endedOn === null && isGone) wrongs.push(`money: the books of ${id} are open and it is gone`)
  }
  return wrongs
}

/** Nobody is reminded of the same thing twice. */
function remindersWrong({ picture, world }: Look): string[] {
  const wrongs: string[] = []
  const notices = new Map(picture.notices.map((notice) => [notice.id, notice]))
  const told = new Map<string, string>()
  for (const { user, key } of world.platform.posts.values()) {
    const notice = notices.get(key)
    if (notice === undefined) wrongs.push(`reminder: ${user} has a card of ${key}, which nobody wrote`)
    if (notice?.kind !== 'machine-expiring' && notice?.kind !== 'machine-expired') continue
    for (const machine of [notice.about.id, ...(notice.also ?? [])]) {
      // No two points at which somebody is reminded of one machine are within the same minute.
      const about = `${user} ${notice.kind} ${machine} ${notice.at.slice(0, 16)}`
      if (told.has(about)) wrongs.push(`reminder: ${about} twice, by ${told.get(about)} and ${key}`)
      told.set(about, key)
    }
  }
  for (const { id, kind, about, deliveries } of picture.notices) {
    for (const { user, message } of deliveries) {
      if (world.platform.posts.get(message)?.user !== user)
        wrongs.push(
          `reminder: ${kind} ${id} about ${about.id} counts as delivered to ${user}, who has nothing`,
        )
    }
  }
  return wrongs
}

/** What time deletes, somebody was told of who could have kept it. */
function deletionsWrong({ picture, world }: Look): string[] {
  const wrongs: string[] = []
  const graceMillis = world.config.site.policies.machines.grace.days * 86_400_000
  for (const machine of picture.machines) {
    const { id, history, reminders, expiresAt } = machine
    const deleting = history.find(({ state, reason }) => state === 'deleting' && reason === byTime)
    if (deleting === undefined) continue
    const ends = reminders.map(({ end }) => end).filter((end) => end <= deleting.at)
    // One whose deletion failed may have been extended since: what counts is the end that it had then.
    const isExtended = expiresAt !== null && expiresAt > deleting.at
    const then = isExtended ? ends.sort().at(-1) : expiresAt
    const keys = new Set(reminders.filter(({ end }) => end === then).map(({ notice }) => notice))
    const told = [...world.platform.posts.values()]
      .filter(({ key, card }) => keys.has(key) && JSON.stringify(card).includes(id))
      .map(({ at }) => at)
    const first = told.sort()[0]
    // Half of the grace is left to whoever is told late; clocks that change take an hour.
    const wait = first === undefined ? -1 : Date.parse(deleting.at) - Date.parse(first)
    if (wait < graceMillis / 2 - 3_600_000)
      wrongs.push(`deletion: ${id} at ${deleting.at}, of which people were told at ${first ?? 'no time'}`)
  }
  return wrongs
}

const byTime = 'its end and its grace have passed'

/** The ledger: no day before a machine was there or after it was gone, none of the future, none twice. */
export function rowsWrong({ charges, audit }: Rows, { picture, model, world }: Look): string[] {
  const wrongs: string[] = []
  const zone = world.config.site.timezone
  const today = localDay(world.now(), zone)
  const machines = new Map(picture.machines.map((machine) => [machine.ref, machine]))
  const seen = new Set<string>()
  for (const { id, ref, machine: name, day: charged, reason } of charges) {
    if (seen.has(id)) wrongs.push(`ledger: ${id} twice`)
    seen.add(id)
    const machine = machines.get(ref)
    if (reason !== null || machine === undefined) continue
    const gone = machine.history.find(({ state }) => state === 'deleted')?.at
    const last = gone === undefined ? addDays(today, -1) : localDay(gone, zone)
    if (charged < localDay(machine.createdAt, zone) || charged > last)
      wrongs.push(`ledger: ${name} was charged for ${charged}, and was there until ${last}`)
  }
  for (const [operation, answered] of model.done) {
    // Buttons do things too, which are not counted.
    const rows = audit.filter((row) => row.operation === operation && row.result === 'done').length
    if (rows < answered)
      wrongs.push(`lost: ${operation} was done ${answered} times, and ${rows} are in the audit`)
  }
  return wrongs
}

/** Once faults have stopped and time has passed: everything has come to rest, and the books are as the world is. */
export function unsettled({ picture, world }: Look, farm: readonly string[]): string[] {
  const wrongs: string[] = []
  const zone = world.config.site.timezone
  const today = localDay(world.now(), zone)
  for (const { id, kind, state, subject, dueAt } of picture.jobs) {
    // What waits for somebody's working hours is at rest.
    if (state === 'running' || (state === 'queued' && dueAt <= world.now()))
      wrongs.push(`stuck: ${kind} ${id} of ${subject} is ${state}`)
  }
  const known = new Map(picture.machines.map((machine) => [machine.ref, machine]))
  for (const machine of picture.machines) {
    const { id, ref, state, hypervisor } = machine
    if (hypervisor === null || !isAlive(machine)) continue
    if (world.farm.machine(ref) === undefined && !world.vanished.has(ref))
      wrongs.push(`farm: ${id} is ${state} in the books and nowhere else`)
    const made = world.farm.machine(ref)
    const sizes = [made ?? machine, machine].map(({ cpus, memoryGb }) => `${cpus} CPUs and ${memoryGb} GB`)
    if (sizes[0] !== sizes[1]) wrongs.push(`farm: ${id} has ${sizes[0]}, and in the books ${sizes[1]}`)
    if (machine.expiresAt !== null && machine.attentionAt === null)
      wrongs.push(`stuck: nobody looks at the end of ${id} any more, ${state} until ${machine.expiresAt}`)
    if (['provisioning', 'deleting', 'migrating'].includes(state)) wrongs.push(`stuck: ${id} is ${state}`)
  }
  for (const ref of farm) {
    const machine = known.get(ref)
    if (machine === undefined || !isAlive(machine))
      wrongs.push(`farm: ${ref} is there, and in the books ${machine?.state}`)
  }
  for (const request of picture.requests) {
    if (request.state === 'approved')
      wrongs.push(`stuck: ${request.id} is approved and nothing becomes of it`)
  }
  for (const { id, state } of picture.desktops) {
    if (['making', 'resetting', 'waking', 'leased'].includes(state))
      wrongs.push(`stuck: desktop ${id} is ${state}`)
  }
  for (const { id, state } of picture.leases) if (state !== 'ended') wrongs.push(`stuck: ${id} is ${state}`)
  for (const { id, chargedTo, paidTo, endedOn } of picture.commitments) {
    if (endedOn === null && chargedTo < (paidTo < today ? paidTo : today))
      wrongs.push(`ledger: ${id} is charged up to ${chargedTo} only`)
  }
  return wrongs
}
