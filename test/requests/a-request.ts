import type { Decision, Request } from '../../src/requests/request.ts'
import { ApprovalPolicy } from '../../src/requests/approval.ts'

export const zone = 'Europe/Zurich'

/** Alice's request for a server on T-1042, which bob may decide on until three days later. */
export function aRequest(differences: Partial<Request> = {}): Request {
  return {
    id: 'R-12',
    number: 12,
    state: 'pending',
    history: [{ state: 'pending', at: '2026-01-01T12:00:00.000Z' }],
    requester: 'alice',
    ask: { kind: 'machines', count: 1, name: 'webafs20', host: null, until: null, days: 30 },
    template: 'slc5',
    cpus: 1,
    memoryGb: 1,
    description: '',
    purpose: 'AFS web server',
    administrators: [],
    budget: 'T-1042',
    quote: { id: 'Q-1', totalMilli: 0, perDayMilli: 960 },
    approvers: [{ user: 'bob', why: 'holder of T-1042' }],
    decisions: [],
    machines: [],
    createdAt: '2026-01-01T12:00:00.000Z',
    expiresAt: '2026-01-04T12:00:00.000Z',
    reminded: 0,
    attentionAt: '2026-01-01T12:15:00.000Z',
    failure: null,
    ...differences,
  }
}

export function aDecision(differences: Partial<Decision> = {}): Decision {
  return {
    by: 'bob',
    at: '2026-01-01T13:00:00.000Z',
    verdict: 'approved',
    reason: null,
    via: 'slack',
    ...differences,
  }
}

export function anApprovalPolicy(
  differences: Partial<Record<keyof ApprovalPolicy, unknown>> = {},
): ApprovalPolicy {
  return ApprovalPolicy.parse({ expire: 'P3D', fallback: ['olga'], remindAfter: 'PT15M', ...differences })
}

/** What a function refuses with, or nothing. */
export function refusalOf(work: () => unknown): unknown {
  try {
    work()
    return undefined
  } catch (error) {
    return error
  }
}
