import { afterEach, beforeEach, expect, test } from 'vitest'
import { messageOf } from '../../src/base/errors.ts'
import { approveRequest } from '../../src/operations/approve-request.ts'
import { extendMachine } from '../../src/operations/extend-machine.ts'
import { requestMachine } from '../../src/operations/request-machine.ts'
import { resizeMachine } from '../../src/operations/resize-machine.ts'
import { transferMachine } from '../../src/operations/transfer-machine.ts'
import { type Core, day, demoConfig, openCore } from './core.ts'

let core: Core
/** The demo site on 2 December 2026: T-2000 is closed, and alice has webafs20 on T-1042 until 22 January. */
beforeEach(async () => {
  const edit = (yaml: string): string =>
    yaml.replace('title: Office automation', 'title: Office automation\n    closed: 2026-12-01')
  core = await openCore({ config: await demoConfig(edit) })
  const { id } = await ask({ name: 'webafs20', days: 60 })
  await core.operations.perform(approveRequest, await core.as('bob'), { id })
  await core.pass(9 * day)
})
afterEach(() => core.close())

async function ask(input: object = {}) {
  return core.operations.perform(requestMachine, await core.as('alice'), {
    ...{ template: 'slc5', days: 60, budget: 'T-1042', purpose: 'AFS web server' },
    ...input,
  })
}

async function extend(input: object) {
  return core.operations.perform(extendMachine, await core.as('alice'), { name: 'webafs20', ...input })
}

async function resize(input: object) {
  return core.operations.perform(resizeMachine, await core.as('alice'), { name: 'webafs20', ...input })
}

async function transfer(input: object) {
  return core.operations.perform(transferMachine, await core.as('alice'), { name: 'webafs20', ...input })
}

/** Everything that an order could have left behind. */
async function written() {
  return core.store.read(async (tx) => ({
    requests: await tx.requests.all(),
    machines: await tx.machines.all(),
    commitments: await tx.commitments.all(),
    accounts: await tx.accounts.all(),
    counters: await tx.counters.all(),
    notices: await tx.notices.all(),
    jobs: await tx.jobs.all(),
  }))
}

const longest = 'The longest term is 365 days, so until 2027-12-02'

test.each([
  ['an unknown code', ask, { budget: 'T-9' }, 'unknown_budget', ['no budget T-9', 'may use T-1042']],
  ['a code that is none', ask, { budget: "'; drop" }, 'unknown_budget', ['You may use T-1042']],
  ['no code', ask, { budget: ' ' }, 'invalid_input', ['budget', 'a budget code']],
  ['a closed code', ask, { budget: 'T-2000' }, 'unknown_budget', ['since 2026-12-01', 'may use T-1042']],
  [
    'a transfer to a closed code',
    transfer,
    { budget: 'T-2000' },
    'unknown_budget',
    ['since 2026-12-01', 'You may use T-1042'],
  ],
  [
    'more than is left',
    ask,
    { count: 10, cpus: 4, memoryGb: 4, days: 365 },
    'budget_exhausted',
    ['T-1042 has', 'CHF left and this needs', 'Its holder bob can raise it.'],
  ],
  ['CPUs below zero', ask, { cpus: -1 }, 'invalid_input', ['cpus']],
  ['part of a CPU', ask, { cpus: 1.5 }, 'invalid_input', ['cpus']],
  ['more CPUs than its template may have', ask, { cpus: 5 }, 'bad_size', ['4']],
  ['absurd memory', ask, { memoryGb: 1e12 }, 'invalid_input', ['memoryGb']],
  ['memory that is no number', ask, { memoryGb: 'much' }, 'invalid_input', ['memoryGb']],
  ['no machines', ask, { count: 0 }, 'invalid_input', ['count']],
  ['a thousand machines', ask, { count: 1000 }, 'invalid_input', ['count']],
  ['a resize below zero', resize, { memoryGb: -4 }, 'invalid_input', ['memoryGb']],
  ['a resize beyond the template', resize, { memoryGb: 64 }, 'bad_size', ['32']],
  ['days below zero', ask, { days: -1 }, 'invalid_input', ['days']],
  ['a day that does not exist', ask, { days: undefined, until: '2027-02-30' }, 'invalid_input', ['until']],
  ['a day in the past', ask, { days: undefined, until: '2026-11-01' }, 'bad_term', ['has passed', longest]],
  ['today', ask, { days: undefined, until: '2026-12-02' }, 'bad_term', ['has passed', longest]],
  ['beyond the longest term', ask, { days: 366 }, 'bad_term', ['too far off', longest]],
  [
    'never, where that is not allowed',
    ask,
    { days: undefined, until: 'never' },
    'bad_term',
    ['an end', longest],
  ],
  ['no term', ask, { days: undefined }, 'bad_term', ['Say for how long']],
  ['two terms', ask, { until: '2027-01-01' }, 'bad_term', ['not both']],
  ['an extension to the past', extend, { until: '2026-11-30' }, 'bad_term', ['Choose a later end']],
  ['an extension beyond the longest term', extend, { days: 3660 }, 'bad_term', ['too far off', longest]],
])(
  '%s is refused with the fact and the remedy, and nothing is written',
  async (_what, act, input, code, words) => {
    const before = await written()

    const refused: unknown = await act(input).catch((error: unknown) => error)

    expect(refused).toMatchObject({ code })
    for (const part of words) expect(messageOf(refused) + JSON.stringify(refused)).toContain(part)
    expect(await written()).toEqual(before)
  },
)
