import type { MachineView } from '../../../src/operations/shapes/machine.ts'
import type { TerminalView } from '../../../src/operations/manage-terminals.ts'
import type { PoolCareView } from '../../../src/operations/shapes/pool.ts'
import type { LeaseView } from '../../../src/operations/shapes/lease.ts'
import type { QuoteView } from '../../../src/operations/shapes/quote.ts'
import type { RequestView } from '../../../src/operations/shapes/request.ts'
import type { Drawing } from '../../../bot/cards/drawing.ts'

/** How cards are drawn here: for alice, on New Year's Day at noon in Zurich. */
export function aDrawing(user = 'alice', differences: Partial<Drawing> = {}): Drawing {
  return {
    reader: { user, groups: [], roles: [] },
    now: '2026-01-01T11:00:00.000Z',
    zone: 'Europe/Zurich',
    currency: 'CHF',
    ...differences,
  }
}

/** Alice's running server, which ends in 30 days. */
export function aMachineView(differences: Partial<MachineView> = {}): MachineView {
  return {
    name: 'webafs20',
    template: 'slc5',
    os: 'linux',
    description: '',
    purpose: 'AFS web server',
    owner: 'alice',
    administrators: ['web-services'],
    cpus: 2,
    memoryGb: 4,
    state: 'running',
    providerState: null,
    host: 'cernwod03',
    address: '10.128.0.4',
    createdAt: '2026-01-01T10:00:00.000Z',
    expiresAt: '2026-01-31T11:00:00.000Z',
    extensions: 0,
    extendedAt: null,
    letGo: false,
    budget: 'T-1042',
    request: 'R-12',
    pool: null,
    costToDate: '3.70',
    currency: 'CHF',
    image: null,
    isolated: false,
    blank: null,
    archive: null,
    handover: null,
    snapshots: [],
    verbs: ['shutdown', 'power-off', 'reset', 'save', 'resize', 'delete', 'extend', 'console'],
    ...differences,
  }
}

/** Alice's request for a server on T-1042, which bob may decide on. */
export function aRequestView(differences: Partial<RequestView> = {}): RequestView {
  return {
    id: 'R-12',
    state: 'pending',
    kind: 'machines',
    requester: 'alice',
    template: 'slc5',
    cpus: 2,
    memoryGb: 4,
    count: 1,
    until: null,
    days: 60,
    description: '',
    purpose: 'AFS web server',
    administrators: [],
    budget: 'T-1042',
    currency: 'CHF',
    quote: { id: 'Q-1', total: '107.30', perDay: '3.70' },
    leftAfter: '1892.70',
    shareAfter: 0.054,
    approvers: [{ user: 'bob', why: 'holder of T-1042' }],
    decisions: [],
    machines: [],
    createdAt: '2026-01-01T11:00:00.000Z',
    expiresAt: '2026-01-04T11:00:00.000Z',
    failure: null,
    history: [{ state: 'pending', at: '2026-01-01T10:00:00.000Z', reason: null }],
    warnings: [],
    ...differences,
  }
}

export const bobApproved: RequestView['decisions'][number] = {
  by: 'bob',
  at: '2026-01-01T12:02:00.000Z',
  verdict: 'approved',
  reason: null,
  via: 'web',
}

export function aQuoteView(differences: Partial<QuoteView> = {}): QuoteView {
  return {
    id: 'Q-1',
    currency: 'CHF',
    total: '107.30',
    perDay: '3.70',
    days: 60,
    freeDays: 31,
    chargeableDays: 29,
    lines: [
      { item: 'base', quantity: 1, unitPrice: '0.96', days: 29, amount: '27.84' },
      { item: 'memory', quantity: 3, unitPrice: '0.685', days: 29, amount: '59.595' },
      { item: 'cpu', quantity: 1, unitPrice: '0.685', days: 29, amount: '19.865' },
      { item: 'free', quantity: 1, unitPrice: '0.00', days: 31, amount: '0.00' },
    ],
    validUntil: '2026-01-01T23:00:00.000Z',
    ...differences,
  }
}

/** Alice's session on a desktop of the public pool. */
export function aLeaseView(differences: Partial<LeaseView> = {}): LeaseView {
  return {
    id: 'L-1',
    pool: 'public',
    desktop: 'public-001',
    user: 'alice',
    terminal: { name: 'lobby-1', mac: null, kind: 'jackpc', address: '127.0.0.17' },
    state: 'connected',
    createdAt: '2026-01-01T10:00:00.000Z',
    offeredAt: '2026-01-01T10:00:00.000Z',
    connectedAt: '2026-01-01T10:01:00.000Z',
    endsAt: '2026-01-01T12:00:00.000Z',
    endedAt: null,
    endReason: null,
    traffic: null,
    history: [],
    ...differences,
  }
}

export function aLeaseRequest(differences: Partial<RequestView> = {}): RequestView {
  return aRequestView({
    ...{ kind: 'lease', count: 1, days: null, until: '2026-01-01T15:00:00.000Z', description: '' },
    purpose: 'More time on public-001 of pool public',
    administrators: [],
    quote: { id: 'Q-1', total: '0.15', perDay: '1.20' },
    lease: { id: 'L-1', pool: 'public', desktop: 'public-001', perHour: '0.05' },
    ...differences,
  })
}

export const aRoll: NonNullable<PoolCareView['roll']> = {
  ...{ state: 'done', version: '2026-11', atOnce: 1, by: 'olga' },
  ...{ at: '2026-01-01T10:00:00.000Z', endedAt: '2026-01-01T10:30:00.000Z' },
  ...{ fresh: 3, left: 4, inUse: 2, kept: 1, aside: 0 },
}

export function aPoolView(differences: Partial<PoolCareView> = {}): PoolCareView {
  return {
    ...{ name: 'public', title: 'public', kind: 'shared', state: 'open', reason: null },
    ...{ template: 'desktop', version: '2026-11' },
    desktops: { ready: 2, saved: 1, coming: 0, waiting: 0, total: 9, max: 10 },
    keeps: { ready: 2, saved: 1, why: 'its usual number' },
    roll: null,
    ...differences,
  }
}

export function aTerminalView(differences: Partial<TerminalView> = {}): TerminalView {
  return {
    ...{ name: '?00:0b:3c:00:00:77', standing: 'waiting', kind: 'wyse', mac: '00:0b:3c:00:00:77' },
    ...{ address: '10.0.0.8', port: null, pool: null, owner: null, location: null },
    ...{ lastSeenAt: '2026-01-01T10:55:00.000Z', session: null },
    ...differences,
  }
}
