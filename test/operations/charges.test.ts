import { readFile } from 'node:fs/promises'
import { afterEach, describe, expect, test } from 'vitest'
import type { Charge } from '../../pricing/charge.ts'
import { instant, millis } from '../../src/base/clock.ts'
import { approveRequest } from '../../src/operations/approve-request.ts'
import { ledger } from '../../src/operations/charging.ts'
import { claimMachine } from '../../src/operations/claim-machine.ts'
import { makeQuote } from '../../src/operations/make-quote.ts'
import { correctCharges } from '../../src/operations/correct-charges.ts'
import { controlMachine } from '../../src/operations/control-machine.ts'
import { deleteMachine } from '../../src/operations/delete-machine.ts'
import { extendMachine } from '../../src/operations/extend-machine.ts'
import { importMachines } from '../../src/operations/import-machines.ts'
import { requestMachine } from '../../src/operations/request-machine.ts'
import { resizeMachine } from '../../src/operations/resize-machine.ts'
import { showBudget } from '../../src/operations/show-budget.ts'
import { showMachine } from '../../src/operations/show-machine.ts'
import { type Core, day, demoConfig, hour, openCore } from './core.ts'

let core: Core
afterEach(() => core.close())

/** The demo site, opened in the morning of 23 November 2026 in Zurich, with its file changed by text. */
async function open(edit?: (yaml: string) => string, at?: string): Promise<void> {
  core = await openCore({ config: await demoConfig(edit), ...(at === undefined ? {} : { at }) })
}

/** Without free days, so that each day costs something. */
const noneFree = (yaml: string): string => yaml.replace('freeDays: 31', 'freeDays: 0')

async function ask(input: object = {}) {
  return core.operations.perform(requestMachine, await core.as('alice'), {
    ...{ template: 'slc5', days: 60, budget: 'T-1042', purpose: 'AFS web server', name: 'webafs20' },
    ...input,
  })
}

async function approve(id: string, input: object = {}) {
  return core.operations.perform(approveRequest, await core.as('bob'), { id, ...input })
}

async function aRunningMachine(input: object = {}): Promise<void> {
  await approve((await ask(input)).id)
  await core.settle()
}

async function show(name = 'webafs20') {
  return core.operations.perform(showMachine, await core.as('alice'), { name })
}

async function budget(code = 'T-1042') {
  const { held, spent, left } = await core.operations.perform(showBudget, await core.as('bob'), { code })
  return { held, spent, left }
}

async function rows(): Promise<Charge[]> {
  return core.store.read(async (tx) => {
    const found: Charge[] = []
    for await (const row of ledger(tx, { from: '2000-01-01' })) found.push(row)
    return found.reverse()
  })
}

async function resize(size: { cpus?: number; memoryGb?: number }): Promise<void> {
  const answer = await core.operations.perform(resizeMachine, await core.as('alice'), {
    name: 'webafs20',
    ...size,
  })
  if ('request' in answer) await approve(answer.request)
  await core.settle()
}

async function remove(): Promise<void> {
  await core.operations.perform(deleteMachine, await core.as('alice'), { name: 'webafs20' })
  await core.settle()
}

describe('day by day', () => {
  test('what was held is spent at each midnight of the site, and the card shows today too', async () => {
    await open()
    await aRunningMachine({ cpus: 2, memoryGb: 4 })
    const held = await budget()

    await core.pass(31 * day)
    const free = await budget()
    await core.pass(9 * day)

    expect(held).toEqual({ held: '107.30', spent: '0.00', left: '1892.70' })
    expect(free).toEqual(held)
    expect(await budget()).toEqual({ held: '74.00', spent: '33.30', left: '1892.70' })
    expect((await show()).costToDate).toBe('37.00')
  })

  test('each day has its rows, the free ones a line of nothing', async () => {
    await open((yaml) => yaml.replace('freeDays: 31', 'freeDays: 1'))
    await aRunningMachine({ cpus: 2, memoryGb: 4 })

    await core.pass(2 * day)

    const lines = (await rows()).map(({ day, component, quantity, amountMilli }) => [
      day,
      component,
      quantity,
      amountMilli,
    ])
    expect(lines).toEqual([
      ['2026-11-23', 'free', 1, 0],
      ['2026-11-24', 'base', 1, 960],
      ['2026-11-24', 'cpu', 1, 685],
      ['2026-11-24', 'memory', 3, 2_055],
    ])
  })

  test('days that were missed are caught up, and looking again adds nothing', async () => {
    await open(noneFree)
    await aRunningMachine({ days: 30 })

    core.clock.set(instant(millis(core.clock.now()) + 20 * day))
    await core.settle()
    const caughtUp = await rows()
    await core.settle()

    expect(caughtUp).toHaveLength(20)
    expect(new Set(caughtUp.map(({ id }) => id)).size).toBe(20)
    expect(await rows()).toEqual(caughtUp)
    expect(await budget()).toEqual({ held: '9.60', spent: '19.20', left: '1971.20' })
  })

  test('a machine is charged to its end and no further, and what was quoted is what it cost', async () => {
    await open()
    await aRunningMachine({ days: 60, cpus: 2, memoryGb: 4 })

    await core.pass(90 * day)

    expect((await show()).state).toBe('deleted')
    expect(await budget()).toEqual({ held: '0.00', spent: '107.30', left: '1892.70' })
    expect((await show()).costToDate).toBe('107.30')
  })

  test('one that never ends goes on being charged once what was held for it is used up', async () => {
    await open((yaml) => noneFree(yaml).replace('maxTerm: P365D', 'maxTerm: P10D\n    never: true'))
    const request = await ask({ days: undefined, until: 'never' })
    await approve(request.id)
    await core.settle()

    await core.pass(15 * day)

    // Of the day that has begun it is certain that it will be charged.
    expect(await budget()).toEqual({ held: '0.96', spent: '14.40', left: '1984.64' })
  })
})

describe('another size', () => {
  test('prices the days before it by the size they had, and its own day by the larger one', async () => {
    await open(noneFree)
    await aRunningMachine({ days: 30 })
    await core.pass(10 * day)
    await resize({ cpus: 3 })
    const grown = await budget()
    await core.pass(10 * day)
    await resize({ cpus: 1 })

    const shrunk = await budget()
    await core.pass(10 * day)

    expect(grown).toEqual({ held: '46.60', spent: '9.60', left: '1943.80' })
    expect(shrunk).toEqual({ held: '10.97', spent: '32.90', left: '1956.13' })
    expect(await budget()).toEqual({ held: '0.00', spent: '43.87', left: '1956.13' })
    expect((await show()).costToDate).toBe('43.87')
  })

  test('that could not be had is not charged', async () => {
    await open(noneFree)
    await aRunningMachine({ days: 10 })
    const before = await budget()
    core.hypervisor.fault({
      on: 'resize',
      times: 1,
      outage: { code: 'hypervisor_refused', transient: false },
    })

    await resize({ cpus: 4 })
    await core.pass(10 * day)

    expect(before.held).toBe('9.60')
    expect(await budget()).toEqual({ held: '0.00', spent: '9.60', left: '1990.40' })
  })
})

describe('a machine that is not there all the time', () => {
  test('costs what its tariff says on days on which it was saved', async () => {
    await open((yaml) =>
      noneFree(yaml).replace("    perCpu: '0.685'", "    perCpu: '0.685'\n    saved: { base: '0.200' }"),
    )
    await aRunningMachine({ days: 10 })
    await core.pass(day)

    await core.operations.perform(controlMachine.save, await core.as('alice'), { name: 'webafs20' })
    await core.settle()
    await core.pass(4 * day)

    const saved = (await rows()).map(({ state, amountMilli }) => [state, amountMilli])
    expect(saved).toEqual([
      ['running', 960],
      ['running', 960],
      ['saved', 200],
      ['saved', 200],
      ['saved', 200],
    ])
    expect(await budget()).toEqual({ held: '4.04', spent: '2.52', left: '1993.44' })
  })

  test('that could not be made costs nothing, though it was tried over midnight', async () => {
    await open(noneFree, '2026-11-23T22:59:55.000Z')
    core.hypervisor.fault({
      on: 'provision',
      times: 99,
      outage: { code: 'host_unreachable', transient: true },
    })
    await aRunningMachine()

    await core.pass(hour)

    const all = await rows()
    expect((await show()).state).toBe('failed')
    expect(all.map(({ day, amountMilli, reason }) => [day, amountMilli, reason])).toEqual([
      ['2026-11-23', 960, null],
      ['2026-11-23', -960, 'it could not be made'],
    ])
    expect(await budget()).toEqual({ held: '0.00', spent: '0.00', left: '2000.00' })
  })

  test('is charged from the day it was claimed, and not for the days before', async () => {
    await open(noneFree)
    const olga = await core.as('olga')
    const csv = await readFile(new URL('../fixtures/cvi-machines.csv', import.meta.url), 'utf8')
    await core.operations.perform(importMachines, olga, { csv })
    await core.pass(3 * day)

    await core.operations.perform(claimMachine, olga, { name: 'becodev01', owner: 'alice', budget: 'T-1042' })
    await core.pass(day)

    const days = new Set((await rows()).map((row) => row.day))
    expect((await show('becodev01')).expiresAt).toBeNull()
    expect([...days]).toEqual(['2026-11-26'])
  })
})

describe('free days', () => {
  test('go on where a machine of the same name on the same budget left off', async () => {
    await open()
    await aRunningMachine({ days: 60 })
    await core.pass(20 * day)
    await remove()

    const again = await ask({ days: 30 })
    const other = await ask({ days: 30, name: 'webafs21' })

    const order = { template: 'slc5', days: 30, budget: 'T-1042', name: 'webafs20' }
    const quoted = await core.operations.perform(makeQuote, await core.as('alice'), order)
    expect([again.quote.total, other.quote.total, quoted.total]).toEqual(['18.24', '0.00', '18.24'])
  })

  test.each([
    { about: 'begin anew once long enough has passed', after: 31, budget: 'T-1042', total: '0.00' },
    { about: 'are the same the day before', after: 30, budget: 'T-1042', total: '28.80' },
    { about: 'begin anew on another budget', after: 0, budget: 'T-2000', total: '0.00' },
  ])('$about', async ({ after, budget, total }) => {
    await open()
    await aRunningMachine({ days: 60 })
    await core.pass(20 * day)
    await remove()
    await core.pass(after * day)

    const again = await ask({ days: 30, budget })

    expect(again.quote.total).toBe(total)
  })
})

describe('a month that is closed', () => {
  test('never gets another row: what comes late is booked in the month that is open', async () => {
    await open(noneFree)
    await aRunningMachine({ days: 3 })
    // It ends on 26 November, and its owner comes back to it on 1 December, within its grace.
    await core.pass(8 * day)
    const november = (await rows()).filter(({ at }) => at < '2026-12-01')

    await core.operations.perform(extendMachine, await core.as('alice'), { name: 'webafs20', days: 2 })
    await core.pass(2 * day)

    const after = await rows()
    expect(november).toHaveLength(3)
    expect(after.filter(({ at }) => at < '2026-12-01')).toEqual(november)
    expect(after.slice(3).map((row) => [row.day, row.at.slice(0, 10)])).toEqual([
      ['2026-11-26', '2026-12-01'],
      ['2026-11-27', '2026-12-01'],
      ['2026-11-28', '2026-12-01'],
      ['2026-11-29', '2026-12-01'],
      ['2026-11-30', '2026-12-01'],
      ['2026-12-01', '2026-12-01'],
      ['2026-12-02', '2026-12-02'],
    ])
  })
})

describe('a correction', () => {
  test('takes days back with a reason, once, and their money is left again', async () => {
    await open(noneFree)
    await aRunningMachine({ days: 30 })
    await core.pass(10 * day)
    const wrong = { name: 'webafs20', from: '2026-11-29', to: '2026-12-01', reason: 'the host was down' }
    const olga = await core.as('olga')

    const first = await core.operations.perform(correctCharges, olga, wrong)
    const second = await core.operations.perform(correctCharges, olga, wrong)

    const reversed = (await rows()).filter(({ reason }) => reason !== null)
    expect([first, second]).toMatchObject([
      { rows: 3, amount: '2.88' },
      { rows: 0, amount: '0.00' },
    ])
    expect(reversed.map((row) => [row.day, row.at.slice(0, 10), row.amountMilli])).toEqual([
      ['2026-11-29', '2026-12-03', -960],
      ['2026-11-30', '2026-12-03', -960],
      ['2026-12-01', '2026-12-03', -960],
    ])
    expect(await budget()).toEqual({ held: '19.20', spent: '6.72', left: '1974.08' })
    expect((await show()).costToDate).toBe('7.68')
  })

  test('is for operators', async () => {
    await open(noneFree)
    await aRunningMachine()
    const wrong = { name: 'webafs20', from: '2026-11-23', to: '2026-11-23', reason: 'I would like that' }

    const refused = core.operations.perform(correctCharges, await core.as('alice'), wrong)

    await expect(refused).rejects.toMatchObject({ code: 'forbidden' })
  })
})

describe('an approval after the day of its quote', () => {
  const dearerTomorrow = (yaml: string): string =>
    yaml.replace(
      /(tariffs:\n)([\s\S]*?)(\n\n# Who may spend)/,
      (_, head: string, first: string, tail: string) =>
        `${head}${first}\n  - { name: dearer, from: 2026-11-24, freeDays: 0, base: '2.000', perGb: '0', perCpu: '0' }${tail}`,
    )

  test('at a higher price asks for it to be accepted, and nothing is kept until then', async () => {
    await open((yaml) => dearerTomorrow(noneFree(yaml)))
    const known = await ask({ days: 10 })

    await core.pass(day)
    const refused: unknown = await approve(known.id).catch((error: unknown) => error)

    expect(refused).toMatchObject({
      code: 'quote_expired',
      message: `${known.id} was quoted at 18.96 CHF and costs 20.00 CHF now. Accept the new quote, or deny it.`,
      extras: { quote: { total: '20.00', quoted: '18.96', currency: 'CHF' } },
    })
    expect(await budget()).toEqual({ held: '0.00', spent: '0.00', left: '2000.00' })
    await expect(approve(known.id, { acceptQuote: known.quote.id })).rejects.toMatchObject({
      code: 'quote_expired',
    })
  })

  test('goes through at the price that was accepted, which the request then bears', async () => {
    await open((yaml) => dearerTomorrow(noneFree(yaml)))
    const request = await ask({ days: 10 })
    await core.pass(day)
    const refused: unknown = await approve(request.id).catch((error: unknown) => error)

    const acceptQuote = quoteIn(refused)
    const approved = await approve(request.id, { acceptQuote })

    expect(approved).toMatchObject({ state: 'approved', quote: { id: acceptQuote, total: '20.00' } })
    expect((await budget()).held).toBe('20.00')
  })

  test('goes through as it is when it costs no more', async () => {
    await open(noneFree)
    const request = await ask({ days: undefined, until: '2026-12-03' })
    await core.pass(day)

    const approved = await approve(request.id)

    expect(approved.quote).toEqual(request.quote)
    expect((await budget()).held).toBe('8.64')
  })
})

function quoteIn(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'extras' in error) {
    const { extras } = error
    if (typeof extras === 'object' && extras !== null && 'quote' in extras) {
      const { quote } = extras
      if (typeof quote === 'object' && quote !== null && 'id' in quote) return String(quote.id)
    }
  }
  throw new Error('no quote was shown')
}
