import { describe, expect, test } from 'vitest'
import type { Host } from '../../src/machines/host.ts'
import { explainPlacement, type Goals, place, placeMost } from '../../src/machines/placement.ts'
import type { HostLoad } from '../../src/machines/placement-filters.ts'
import { aHost } from './a-machine.ts'

const small = { cpus: 1, memoryGb: 1, count: 1 }
const big: Partial<Host> = { cpus: 16, memoryGb: 64, slots: 40 }
const few: Goals = new Map([['central', 'consolidate']])
const used = (machines: number): HostLoad => ({ machines, cpus: machines, memoryGb: machines })

describe('where machines are consolidated', () => {
  const hosts = ['a', 'b', 'c', 'd'].map((id) => aHost({ id, ...big }))
  const load = new Map([
    ['a', used(2)],
    ['b', used(9)],
    ['c', used(0)],
  ])

  test('one goes to the fullest host that has room', () => {
    expect(place(small, hosts, load, few)).toEqual({ placed: ['b'] })
  })

  test('the same machine goes to the emptiest where they are spread', () => {
    expect(place(small, hosts, load)).toEqual({ placed: ['c'] })
  })

  test('several go to different hosts in use, and an empty one stays as it is', () => {
    const placement = place({ ...small, count: 5 }, hosts, load, few)

    expect(placement).toEqual({ placed: ['b', 'a', 'b', 'a', 'b'] })
  })

  test('an empty host is used once those in use are full', () => {
    const full = new Map([
      ['a', used(40)],
      ['b', used(40)],
    ])

    expect(place(small, hosts, full, few)).toEqual({ placed: ['c'] })
  })
})

describe('machines that are to be apart', () => {
  const hosts = ['a', 'b'].map((id) => aHost({ id, ...big }))

  test('are placed on a host each', () => {
    expect(place({ ...small, count: 2, apart: true }, hosts, new Map())).toEqual({ placed: ['a', 'b'] })
  })

  test('are refused together when there are not as many hosts, and the reason is said', () => {
    const placement = place({ ...small, count: 3, apart: true }, hosts, new Map())

    const reasons = ['room for 1 of 3 only, then no two of them may be on one host']
    expect(placement).toEqual({
      refused: [
        { host: 'a', reasons },
        { host: 'b', reasons },
      ],
    })
  })
})

describe('filters by what a host is', () => {
  test.each<[string, Partial<Host>, object, string]>([
    ['template', { templates: ['w2008'] }, { template: 'slc5' }, 'has no template slc5'],
    ['processors', { cpu: 'EPYC' }, { cpu: 'Xeon' }, 'has other processors: EPYC, and it runs on Xeon'],
    ['where it is', {}, { not: 'cernwod01' }, 'is where it is now'],
    ['hypervisor', { hypervisor: 'pve' }, { hypervisor: 'wod' }, 'is of pve, not of wod'],
  ])('%s', (_what, host, order, reason) => {
    const placement = place({ ...small, ...order }, [aHost(host)], new Map())

    expect(placement).toEqual({ refused: [{ host: 'cernwod01', reasons: [reason] }] })
  })

  test.each<[string, Partial<Host>, object]>([
    ['a host that has the template', { templates: ['slc5'] }, { template: 'slc5' }],
    ['a host that does not say its templates', {}, { template: 'slc5' }],
    ['a host of the same processors', { cpu: 'Xeon' }, { cpu: 'Xeon' }],
    ['a host that does not say its processors', {}, { cpu: 'Xeon' }],
  ])('%s passes', (_what, host, order) => {
    expect(place({ ...small, ...order }, [aHost(host)], new Map())).toEqual({ placed: ['cernwod01'] })
  })
})

describe('an explanation', () => {
  const hosts = [
    aHost({ id: 'empty', ...big }),
    aHost({ id: 'half', ...big }),
    aHost({ id: 'full', ...big }),
    aHost({ id: 'away', state: 'draining', ...big }),
  ]
  const load = new Map([
    ['half', { machines: 20, cpus: 20, memoryGb: 32 }],
    ['full', { machines: 40, cpus: 20, memoryGb: 32 }],
  ])

  test('rates hosts in half stars, and gives a reason for each that can take none', () => {
    const views = explainPlacement(small, hosts, load)

    expect(views.map(({ host, score, takes, reasons }) => [host.id, score?.stars, takes, reasons])).toEqual([
      ['empty', 5, 1, []],
      ['half', 2.5, 0, []],
      ['away', undefined, 0, ['is draining']],
      ['full', undefined, 0, ['no free guest slot']],
    ])
  })

  test('rates the fuller host higher where machines are consolidated', () => {
    const views = explainPlacement(small, hosts, load, few)

    expect(views.slice(0, 2).map(({ host, score, takes }) => [host.id, score?.stars, takes])).toEqual([
      ['half', 2.5, 1],
      ['empty', 0, 0],
    ])
  })

  test('says what would stay free of each part', () => {
    const [first] = explainPlacement(small, hosts, load)

    expect(first?.score?.free).toEqual({ memory: 63 / 64, cpus: 63 / 64, slots: 39 / 40 })
  })
})

test('as many as there is room for are placed where that is enough', () => {
  const placed = placeMost({ ...small, count: 9 }, [aHost()], new Map())

  expect(placed).toEqual(['cernwod01', 'cernwod01', 'cernwod01'])
})
