import { isPersons, shortName } from '../../broker/asker.ts'
import type { Desktop } from '../../broker/desktop.ts'
import type { Lease } from '../../broker/lease.ts'
import { shortCodeOf } from '../../broker/ticket.ts'
import { dueKey } from '../../pricing/commitment.ts'
import type { Machine } from '../machines/machine.ts'
import { requestOrder } from '../requests/request.ts'
import type { CollectionName, Documents, Indexes } from './store.ts'

/** What an index files a document under: nothing, one key or several. */
export type Keys = string | null | readonly string[]

/** How a collection is ordered and looked up, as data: every adapter answers from the same table. */
export interface CollectionRule<K extends CollectionName> {
  /** The order key: unique in its collection, compared by code unit. */
  order(document: Documents[K]): string
  readonly indexes: { readonly [I in Indexes[K]]: (document: Documents[K]) => Keys }
  /** Indexes in which no two documents may share a key: a second one fails the transaction that puts it. */
  readonly unique: readonly Indexes[K][]
  /** Indexes of which is kept what the documents of each key add up to, and in which numbers. */
  readonly totals?: { readonly [I in Indexes[K]]?: Numbers<Documents[K]> }
}

export type Numbers<D> = Readonly<Record<string, (document: D) => number>>

export const collections: { readonly [K in CollectionName]: CollectionRule<K> } = {
  machines: {
    order: byId,
    indexes: {
      owner: (machine) => machine.owner,
      administrator: (machine) => (machine.state === 'deleted' ? [] : machine.administrators),
      state: (machine) => machine.state,
      budget: (machine) => machine.budget,
      host: (machine) => machine.host,
      ref: (machine) => machine.ref,
      pool: (machine) => machine.pool,
      orphan: (machine) => when(isOrphan(machine), 'yes'),
      attention: (machine) => machine.attentionAt,
    },
    unique: [],
    totals: { host: { cpus: (machine) => machine.cpus, memoryGb: (machine) => machine.memoryGb } },
  },
  requests: {
    order: requestOrder,
    indexes: {
      state: (request) => request.state,
      requester: (request) => request.requester,
      approver: (request) => (request.state === 'pending' ? request.approvers.map(({ user }) => user) : null),
      attention: (request) => request.attentionAt,
    },
    unique: [],
  },
  accounts: { order: byId, indexes: {}, unique: [] },
  commitments: {
    order: byId,
    indexes: {
      open: ({ budget, endedOn }) => when(endedOn === null, budget),
      due: dueKey,
    },
    unique: [],
  },
  tallies: { order: byId, indexes: { statement: ({ budget, month }) => `${budget}|${month}` }, unique: [] },
  tariffs: { order: byId, indexes: {}, unique: [] },
  hosts: { order: byId, indexes: { hypervisor: (host) => host.hypervisor }, unique: [] },
  images: { order: byId, indexes: { owner: (image) => image.owner }, unique: [] },
  desktops: {
    order: byId,
    indexes: {
      pool: (desktop) => desktop.pool,
      free: (desktop) => when(desktop.state === 'spare', desktop.pool),
      stored: (desktop) => when(desktop.state === 'stored', desktop.pool),
      storing: (desktop) => when(desktop.state === 'storing', desktop.pool),
      coming: (desktop) => when(isComing(desktop), desktop.pool),
      person: (desktop) => (desktop.person === null ? null : `${desktop.pool}|${desktop.person}`),
    },
    unique: [],
  },
  leases: {
    order: byId,
    indexes: {
      'open-desktop': (lease) => when(isOpen(lease), lease.desktop),
      'open-user': (lease) => when(isOpen(lease), `${lease.pool}|${lease.user}`),
      'open-pool': (lease) => when(isOpen(lease), lease.pool),
      'open-terminal': (lease) => when(isOpen(lease), lease.terminal?.name ?? null),
      'open-address': (lease) => when(isOpen(lease), lease.terminal?.address ?? null),
      'open-name': (lease) => (isOpen(lease) ? namesOf(lease) : []),
      state: (lease) => lease.state,
      pool: (lease) => lease.pool,
      user: (lease) => lease.user,
      ticket: (lease) => when(isOpen(lease), lease.ticket),
      waiting: (lease) => when(lease.state === 'preparing' && lease.desktop === null, lease.pool),
      attention: (lease) => lease.attentionAt,
      ended: (lease) => lease.endedAt,
    },
    unique: ['open-desktop'],
  },
  jobs: {
    order: byId,
    indexes: {
      due: (job) => when(job.state === 'queued', job.dueAt),
      taken: (job) => when(job.state === 'running', job.takenUntil),
      subject: (job) => when(job.state === 'queued' || job.state === 'running', job.subject),
      ended: (job) => job.endedAt,
    },
    unique: [],
  },
  notices: {
    order: byId,
    indexes: {
      about: ({ about, also = [] }) => [
        `${about.kind}:${about.id}`,
        ...also.map((name) => `machine:${name}`),
      ],
    },
    unique: [],
  },
  messages: {
    // By time: a line that was posted under a key bears an id that says nothing about when.
    order: ({ at, id }) => `${at} ${id}`,
    indexes: { conversation: (message) => message.user },
    unique: [],
  },
  sessions: { order: byId, indexes: { expiry: (session) => session.expiresAt }, unique: [] },
  settings: { order: byId, indexes: {}, unique: [] },
  pools: { order: byId, indexes: {}, unique: [] },
  demand: { order: byId, indexes: { day: ({ day }) => day }, unique: [] },
  terminals: {
    order: byId,
    indexes: {
      standing: ({ standing }) => standing,
      // What waits to be confirmed is known by nothing yet.
      mac: (terminal) => when(terminal.standing === 'enrolled', terminal.mac),
      address: (terminal) => when(terminal.standing === 'enrolled', terminal.address),
      port: ({ standing, port }) => when(standing === 'enrolled' && port !== null, String(port)),
    },
    unique: [],
  },
  links: { order: byId, indexes: { user: ({ platform, user }) => `${platform}|${user}` }, unique: [] },
  vouchers: { order: byId, indexes: { expiry: (voucher) => voucher.expiresAt }, unique: [] },
  attempts: { order: byId, indexes: { at: (attempt) => attempt.at }, unique: [] },
  answers: { order: byId, indexes: { at: (answer) => answer.at }, unique: [] },
  counters: { order: byId, indexes: {}, unique: [] },
  secrets: { order: byId, indexes: {}, unique: [] },
  processes: { order: byId, indexes: {}, unique: [] },
  relays: {
    order: byId,
    indexes: { process: (relay) => relay.process, lease: (relay) => relay.lease },
    unique: [],
  },
}

/** The keys of a document in an index, each once. */
export function keyList(keys: Keys): readonly string[] {
  if (keys === null) return []
  return typeof keys === 'string' ? [keys] : [...new Set(keys)]
}

function byId(document: { id: string }): string {
  return document.id
}

function when(condition: boolean, key: string | null): string | null {
  return condition ? key : null
}

function isOpen(lease: Lease): boolean {
  return lease.state !== 'ended'
}

/** What a client may call its lease by: the person's name, what mstsc leaves of it, and the short code. */
function namesOf(lease: Lease): string[] {
  const code = shortCodeOf(lease)
  return isPersons(lease) ? [lease.user, lease.user.slice(0, shortName), code] : [code]
}

/** On its way to being spare, for nobody in particular. */
function isComing({ person, state, lease }: Desktop): boolean {
  if (person !== null) return false
  return state === 'making' || state === 'resetting' || (state === 'waking' && lease === null)
}

/** A server that nobody answers for. Desktops answer to their pool. */
function isOrphan(machine: Machine): boolean {
  return machine.owner === null && machine.pool === null && !['deleted', 'failed'].includes(machine.state)
}
