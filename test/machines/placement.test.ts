import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Host } from '../../src/machines/host.ts'
import { explainRefusal, place } from '../../src/machines/placement.ts'
import type { HostLoad } from '../../src/machines/placement-filters.ts'
import { aHost } from './a-machine.ts'

const small = { cpus: 1, memoryGb: 1, count: 1 }
const noLoad = new Map<string, HostLoad>()

describe('each reason for a refusal is named', () => {
  test.each<[string, Partial<Host>, Partial<HostLoad>, object, string]>([
    ['slots', {}, { machines: 3 }, {}, 'no free guest slot'],
    ['memory', {}, { memoryGb: 6 }, { memoryGb: 4 }, 'not enough memory: 2 of 8 GB free'],
    ['CPUs, overcommit applied', {}, { cpus: 7 }, { cpus: 2 }, 'not enough CPUs: 1 of 8 free'],
    ['more promised than there is', {}, { memoryGb: 9 }, {}, 'not enough memory: 0 of 8 GB free'],
    ['draining', { state: 'draining' }, {}, {}, 'is draining'],
    ['down', { state: 'down' }, {}, {}, 'is down'],
    ['group', { group: 'desktops' }, {}, { group: 'central' }, 'is in group desktops, not central'],
  ])('%s', (_what, host, load, order, reason) => {
    const full = new Map([['cernwod01', { machines: 0, cpus: 0, memoryGb: 0, ...load }]])

    const placement = place({ ...small, ...order }, [aHost(host)], full)

    expect(placement).toEqual({ refused: [{ host: 'cernwod01', reasons: [reason] }] })
  })
})

test('all shortages of a host are told at once', () => {
  const full = new Map([['cernwod01', { machines: 3, cpus: 8, memoryGb: 8 }]])

  const placement = place(small, [aHost()], full)

  expect(placement).toMatchObject({
    refused: [
      {
        reasons: ['no free guest slot', 'not enough memory: 0 of 8 GB free', 'not enough CPUs: 0 of 8 free'],
      },
    ],
  })
})

test('a pinned host is the only one considered', () => {
  const hosts = [aHost(), aHost({ id: 'cernwod02', state: 'draining' })]

  const placement = place({ ...small, host: 'cernwod02' }, hosts, noLoad)

  expect(placement).toEqual({
    refused: [
      { host: 'cernwod02', reasons: ['is draining'] },
      { host: 'cernwod01', reasons: ['is not the host asked for'] },
    ],
  })
})

test('a pinned host that nobody knows is said to be unknown', () => {
  const placement = place({ ...small, host: 'cernwod99' }, [aHost()], noLoad)

  expect(placement).toMatchObject({ refused: [{ host: 'cernwod99', reasons: ['is not known'] }, {}] })
})

test('a machine goes to the host with the greatest free share', () => {
  const hosts = [aHost({ id: 'a' }), aHost({ id: 'b' })]

  const placement = place(small, hosts, new Map([['a', { machines: 1, cpus: 1, memoryGb: 4 }]]))

  expect(placement).toEqual({ placed: ['b'] })
})

test('equal hosts are taken by name, whatever order they come in', () => {
  const placement = place(small, [aHost({ id: 'b' }), aHost({ id: 'a' })], noLoad)

  expect(placement).toEqual({ placed: ['a'] })
})

test('machines of one order go to different hosts before any host gets a second', () => {
  const hosts = [
    aHost({ id: 'a' }),
    aHost({ id: 'b' }),
    aHost({ id: 'c', memoryGb: 64, slots: 40, cpus: 16 }),
  ]

  const placement = place({ ...small, count: 4 }, hosts, noLoad)

  expect(placement).toEqual({ placed: ['c', 'a', 'b', 'c'] })
})

test('an order that fits in part is refused whole, with what there was room for', () => {
  const placement = place({ ...small, count: 4 }, [aHost()], noLoad)

  expect(placement).toEqual({
    refused: [{ host: 'cernwod01', reasons: ['room for 3 of 4 only, then no free guest slot'] }],
  })
})

test('placement never promises more than there is, and is all or nothing', () => {
  const amount = fc.integer({ min: 1, max: 64 })
  const hostArb = fc.record({
    cpus: amount,
    memoryGb: amount.map((quarters) => quarters / 4),
    slots: fc.integer({ min: 1, max: 20 }),
    state: fc.constantFrom('up' as const, 'draining' as const, 'down' as const),
    overcommit: fc.record({ cpus: fc.integer({ min: 1, max: 4 }), memory: fc.constantFrom(1, 1.5) }),
  })
  const order = fc.record({
    cpus: fc.integer({ min: 1, max: 8 }),
    memoryGb: fc.integer({ min: 1, max: 16 }).map((tenths) => tenths / 10),
    count: fc.integer({ min: 1, max: 50 }),
  })

  fc.assert(
    fc.property(fc.array(hostArb, { maxLength: 12 }), order, (rules, wish) => {
      const hosts = rules.map((rule, index) => aHost({ ...rule, id: `h${index}` }))
      const placement = place(wish, hosts, noLoad)
      if ('refused' in placement) {
        expect(placement.refused.every(({ reasons }) => reasons.length > 0)).toBe(true)
        expect(placement.refused.map(({ host }) => host).sort()).toEqual(hosts.map(({ id }) => id).sort())
        return
      }
      expect(placement.placed).toHaveLength(wish.count)
      for (const host of hosts) {
        const here = placement.placed.filter((name) => name === host.id).length
        expect(here === 0 || host.state === 'up').toBe(true)
        expect(here).toBeLessThanOrEqual(host.slots)
        expect(here * wish.cpus).toBeLessThanOrEqual(host.cpus * host.overcommit.cpus)
        expect(here * wish.memoryGb).toBeLessThanOrEqual(host.memoryGb * host.overcommit.memory + 1e-6)
      }
    }),
  )
})

test('a thousand hosts take fifty machines, one each', () => {
  const hosts = Array.from({ length: 1000 }, (_, index) =>
    aHost({ id: `h${String(index).padStart(4, '0')}` }),
  )

  const placement = place({ ...small, count: 50 }, hosts, noLoad)

  expect(placement).toEqual({ placed: hosts.slice(0, 50).map(({ id }) => id) })
})

test('a refusal is explained host by host', () => {
  const text = explainRefusal([
    { host: 'cernwod01', reasons: ['no free guest slot', 'not enough memory: 0 of 8 GB free'] },
    { host: 'cernwod02', reasons: ['is draining'] },
  ])

  expect(text).toBe(
    'cernwod01: no free guest slot and not enough memory: 0 of 8 GB free; cernwod02: is draining',
  )
})

test('an explanation stays short where there are many hosts', () => {
  const refused = Array.from({ length: 12 }, (_, index) => ({ host: `h${index}`, reasons: ['is down'] }))

  const text = explainRefusal(refused)

  expect(text).toMatch(/^h0: is down; .*h9: is down; and 2 more hosts$/)
})
