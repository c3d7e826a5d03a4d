import type { Desktop } from '../../broker/desktop.ts'
import type { Lease } from '../../broker/lease.ts'
import type { AuditRow } from '../../src/identity/audit.ts'
import type { Session } from '../../src/identity/tokens.ts'
import type { Job } from '../../src/jobs/job.ts'
import type { Machine } from '../../src/machines/machine.ts'
import type { Message } from '../../src/notices/message.ts'
import type { Request } from '../../src/requests/request.ts'

const dawn = '2026-11-02T06:00:00.000Z'

/** Documents as tests of the store need them: whatever a test does not name is as plain as can be. */
export function aMachine(facts: Partial<Machine> = {}): Machine {
  return {
    id: 'web1',
    ref: 'ref-1',
    state: 'running',
    history: [],
    template: 'slc5',
    os: 'linux',
    cpus: 1,
    memoryGb: 1,
    description: 'a server',
    purpose: 'a test',
    owner: 'alice',
    administrators: [],
    hypervisor: 'wod',
    host: 'cernwod01',
    address: null,
    rdp: null,
    budget: 'T-1042',
    request: null,
    pool: null,
    createdAt: dawn,
    expiresAt: null,
    extensions: 0,
    reminders: [],
    letGoOf: null,
    attentionAt: null,
    job: null,
    providerState: null,
    ...facts,
  }
}

export function aRequest(number: number, facts: Partial<Request> = {}): Request {
  return {
    id: `R-${number}`,
    number,
    state: 'pending',
    history: [],
    requester: 'alice',
    ask: { kind: 'machines', count: 1, name: null, host: null, until: null, days: 30 },
    template: 'slc5',
    cpus: 1,
    memoryGb: 1,
    description: 'a server',
    purpose: 'a test',
    administrators: [],
    budget: 'T-1042',
    quote: { id: 'Q-1', totalMilli: 0, perDayMilli: 0 },
    approvers: [{ user: 'bob', why: 'holder of T-1042' }],
    decisions: [],
    machines: [],
    createdAt: dawn,
    expiresAt: dawn,
    reminded: 0,
    attentionAt: null,
    failure: null,
    ...facts,
  }
}

export function aDesktop(facts: Partial<Desktop> = {}): Desktop {
  return { id: 'desk1', pool: 'office', state: 'spare', history: [], person: null, lease: null, ...facts }
}

export function aLease(facts: Partial<Lease> = {}): Lease {
  return {
    id: 'L-1',
    state: 'offered',
    history: [],
    pool: 'office',
    desktop: 'desk1',
    user: 'carol',
    terminal: null,
    ticket: 'fingerprint',
    nonce: 'nonce',
    createdAt: dawn,
    offeredAt: dawn,
    connectedAt: null,
    disconnectedAt: null,
    endsAt: dawn,
    warnedFor: null,
    endedAt: null,
    endReason: null,
    connections: 0,
    attentionAt: null,
    ...facts,
  }
}

export function aJob(facts: Partial<Job> = {}): Job {
  return {
    id: 'J-1',
    kind: 'provision-machine',
    input: { machine: 'web1' },
    subject: 'machine:web1',
    by: 'alice',
    state: 'queued',
    history: [],
    stages: [],
    attempts: 0,
    createdAt: dawn,
    dueAt: dawn,
    takenBy: null,
    takenUntil: null,
    endedAt: null,
    error: null,
    ...facts,
  }
}

export function aMessage(id: string, facts: Partial<Message> = {}): Message {
  return { id, user: 'alice', from: 'person', body: 'hello', at: dawn, editedAt: null, ...facts }
}

export function aSession(id: string, expiresAt: string): Session {
  return { id, user: 'alice', createdAt: dawn, expiresAt }
}

export function aRow(id: string, at = dawn): AuditRow {
  return {
    id,
    at,
    actor: 'alice',
    via: 'rest',
    operation: 'request-machine',
    subject: 'machine:web1',
    result: 'done',
    detail: null,
  }
}

/** The n-th second of a day of November 2026, or of another month. */
export function second(n: number, month = '11'): string {
  return new Date(Date.parse(`2026-${month}-02T06:00:00.000Z`) + n * 1000).toISOString()
}
