import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Host } from '../../src/machines/host.ts'
import type { Machine } from '../../src/machines/machine.ts'
import type { HostLoad } from '../../src/machines/placement-filters.ts'
import type { Goal } from '../../src/machines/placement-score.ts'
import { proposeRebalance } from '../../src/machines/rebalance.ts'
import { aHost, aMachine } from './a-machine.ts'

const roomy: Partial<Host> = { cpus: 8, memoryGb: 32, slots: 20 }

interface Farm {
  hosts: Host[]
  machines: Map<string, Machine[]>
  load: Map<string, HostLoad>
}

/** Hosts with machines of these sizes in GB on them. */
function aFarm(sizes: Record<string, readonly number[]>, facts: Record<string, Partial<Host>> = {}): Farm {
  const names = Object.keys(sizes)
  const hosts = names.map((id) => aHost({ id, ...roomy, ...facts[id] }))
  const machines = new Map(
    names.map((host) => [
      host,
      (sizes[host] ?? []).map((memoryGb, index) =>
        aMachine({ id: `${host}-${index}`, ref: `vm-${host}-${index}`, host, cpus: 1, memoryGb }),
      ),
    ]),
  )
  return { hosts, machines, load: loadOf(machines) }
}

function loadOf(machines: ReadonlyMap<string, readonly Machine[]>): Map<string, HostLoad> {
  return new Map(
    Array.from(machines, ([host, all]) => [
      host,
      {
        machines: all.length,
        cpus: all.reduce((sum, { cpus }) => sum + cpus, 0),
        memoryGb: all.reduce((sum, { memoryGb }) => sum + memoryGb, 0),
      },
    ]),
  )
}

const proposed = (farm: Farm, goal: Goal, most = 20) =>
  proposeRebalance({ ...farm, goalOf: () => goal, most })

describe('hosts that machines are spread over', () => {
  test('are brought nearer to each other, the fullest first, and the reason is said', () => {
    const { moves, hosts } = proposed(aFarm({ a: [8, 8, 8, 4], b: [4], c: [] }), 'spread')

    expect(moves[0]).toEqual({ machine: 'a-0', from: 'a', to: 'c', why: 'a is 88 % full and c 0 %' })
    expect(hosts.map(({ host }) => host)).toEqual(
      ['a', 'b', 'c'].filter((id) => moves.some((move) => [move.from, move.to].includes(id))),
    )
    expect(Math.max(...hosts.map(({ after }) => after))).toBeLessThan(0.88)
  })

  test('are left alone when they are nearly even', () => {
    expect(proposed(aFarm({ a: [8, 4], b: [8] }), 'spread')).toEqual({ moves: [], freed: [], hosts: [] })
  })

  test('are left alone when moving the only large machine would only swap them', () => {
    expect(proposed(aFarm({ a: [24], b: [] }), 'spread').moves).toEqual([])
  })

  test('are relieved in turn, also where the fullest has nothing that would help', () => {
    const { moves } = proposed(aFarm({ a: [28], b: [8, 8, 8], c: [] }), 'spread')

    expect(moves.map(({ machine, to }) => [machine, to])).toEqual([['b-0', 'c']])
  })

  test('get no more moves than were asked for', () => {
    const { moves } = proposed(aFarm({ a: [4, 4, 4, 4, 4, 4, 4], b: [], c: [] }), 'spread', 2)

    expect(moves).toHaveLength(2)
  })
})

describe('hosts that machines are consolidated on', () => {
  test('are emptied whole, those with the fewest machines first, onto those in use', () => {
    const { moves, freed } = proposed(aFarm({ a: [4, 4, 4], b: [4], c: [4, 2], d: [] }), 'consolidate')

    expect(freed).toEqual(['b', 'c'])
    expect(moves.map(({ machine, to }) => [machine, to])).toEqual([
      ['b-0', 'a'],
      ['c-0', 'a'],
      ['c-1', 'a'],
    ])
    expect(moves[0]?.why).toBe('b could be switched off: one machine is left on it')
  })

  test('are not made fuller than leaves them room to take another', () => {
    expect(proposed(aFarm({ a: [16, 10], b: [4] }), 'consolidate').moves).toEqual([])
  })

  test('are left as they are when not all of one would leave', () => {
    const farm = aFarm({ a: [16, 8], b: [2, 16] })

    expect(proposed(farm, 'consolidate')).toEqual({ moves: [], freed: [], hosts: [] })
  })

  test('are emptied only as far as the limit goes for a whole one', () => {
    const { freed, moves } = proposed(aFarm({ a: [4, 4, 4], b: [4], c: [4, 2] }), 'consolidate', 2)

    expect(freed).toEqual(['b'])
    expect(moves).toHaveLength(1)
  })
})

describe('what is not moved', () => {
  test.each<[string, Partial<Machine>]>([
    ['a desktop', { pool: 'public', owner: null }],
    ['one that nobody claimed', { owner: null }],
    ['one on a host that does not answer', { state: 'unreachable' }],
    ['one that is being made', { state: 'provisioning' }],
  ])('%s', (_what, facts) => {
    const farm = aFarm({ a: [8, 8, 8], b: [4] })
    const machines = new Map(
      Array.from(farm.machines, ([host, all]) => [host, all.map((machine) => ({ ...machine, ...facts }))]),
    )

    expect(proposed({ ...farm, machines }, 'spread').moves).toEqual([])
    expect(proposed({ ...farm, machines }, 'consolidate').moves).toEqual([])
  })

  test.each<[string, Partial<Host>]>([
    ['to a host of another group', { group: 'desktops' }],
    ['to another hypervisor', { hypervisor: 'pve' }],
    ['to one that is down', { state: 'down' }],
    ['to one that is being emptied', { state: 'draining' }],
    ['while it runs, to other processors', { cpu: 'EPYC' }],
  ])('anything %s', (_what, facts) => {
    const farm = aFarm({ a: [8, 8, 8], b: [4] }, { a: { cpu: 'Xeon' }, b: facts })

    expect(proposed(farm, 'spread').moves).toEqual([])
    expect(proposed(farm, 'consolidate').moves).toEqual([])
  })
})

test('a proposal moves each machine once, keeps room on every host, and never makes the fullest fuller', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 8 }), { maxLength: 6 })
  const farms = fc.record({ a: sizes, b: sizes, c: sizes, d: sizes })
  fc.assert(
    fc.property(farms, fc.constantFrom<Goal>('spread', 'consolidate'), (farm, goal) => {
      const built = aFarm(farm)
      fc.pre([...built.load.values()].every(({ memoryGb }) => memoryGb <= 32))

      const { moves, freed, hosts } = proposed(built, goal)

      expect(new Set(moves.map(({ machine }) => machine)).size).toBe(moves.length)
      expect(hosts.every(({ after }) => after <= 1)).toBe(true)
      expect(hosts.filter(({ host }) => freed.includes(host)).every(({ after }) => after === 0)).toBe(true)
      const fullest = (of: 'before' | 'after') => Math.max(0, ...hosts.map((host) => host[of]))
      if (goal === 'spread') expect(fullest('after')).toBeLessThanOrEqual(fullest('before'))
    }),
  )
})
