import { describe, expect, test } from 'vitest'
import { allocate, promisedSize, recorded, usageOn } from '../../src/machines/usage.ts'
import { aMachine, zone } from './a-machine.ts'

/** Made on New Year's Day at 13:00 in Zurich, with 2 CPUs and 4 GB. */
const machine = aMachine({ cpus: 2, memoryGb: 4 })

function at(day: string, time = '12:00'): string {
  return `2026-${day}T${time}:00.000Z`
}

describe('what a machine had on a day', () => {
  test.each([
    { about: 'nothing before it was made', day: '2025-12-31', use: undefined },
    { about: 'all of it on the day it was made', day: '2026-01-01', use: { cpus: 2, memoryGb: 4 } },
    { about: 'the same a year later', day: '2027-01-01', use: { cpus: 2, memoryGb: 4 } },
  ])('is $about', ({ day, use }) => {
    const found = usageOn(machine, day, zone)

    if (use === undefined) expect(found).toBeUndefined()
    else expect(found).toEqual({ ...use, state: 'running', budget: 'T-1042', owner: 'alice' })
  })

  test('is the most of each component when it was resized on that day', () => {
    const grown = allocate(machine, { cpus: 4, memoryGb: 2 }, at('01-10'))
    const back = allocate(grown, { cpus: 1, memoryGb: 1 }, at('01-10', '15:00'))

    const sizes = ['2026-01-09', '2026-01-10', '2026-01-11'].map((day) => usageOn(back, day, zone))

    expect(sizes).toMatchObject([
      { cpus: 2, memoryGb: 4 },
      { cpus: 4, memoryGb: 4 },
      { cpus: 1, memoryGb: 1 },
    ])
  })

  test('goes by the midnight of the site: 23:30 in Zurich is still that day', () => {
    const grown = allocate(machine, { cpus: 4 }, at('01-10', '22:30'))
    const atMidnight = allocate(machine, { cpus: 4 }, at('01-10', '23:00'))

    expect(usageOn(grown, '2026-01-10', zone)?.cpus).toBe(4)
    expect(usageOn(atMidnight, '2026-01-10', zone)?.cpus).toBe(2)
    expect(usageOn(atMidnight, '2026-01-11', zone)?.cpus).toBe(4)
  })

  test('belongs to whom it belonged last on that day', () => {
    const moved = allocate(machine, { budget: 'T-2000', owner: 'carol' }, at('01-10'))

    expect(usageOn(moved, '2026-01-09', zone)).toMatchObject({ budget: 'T-1042', owner: 'alice' })
    expect(usageOn(moved, '2026-01-10', zone)).toMatchObject({ budget: 'T-2000', owner: 'carol' })
  })

  test('is nobody’s before an orphan was claimed', () => {
    const orphan = aMachine({ owner: null, budget: null })

    const claimed = allocate(orphan, { owner: 'alice', budget: 'T-1042' }, at('01-10'))

    expect(usageOn(claimed, '2026-01-09', zone)?.budget).toBeNull()
    expect(usageOn(claimed, '2026-01-10', zone)?.budget).toBe('T-1042')
  })
})

describe('the state of a day', () => {
  const history = [
    { state: 'provisioning', at: at('01-01') },
    { state: 'running', at: at('01-01', '12:05') },
    { state: 'saved', at: at('01-03') },
    { state: 'running', at: at('01-06') },
    { state: 'archived', at: at('01-08') },
    { state: 'deleting', at: at('01-12') },
    { state: 'deleted', at: at('01-12', '12:01') },
  ] as const

  test.each([
    { day: '2026-01-02', state: 'running', about: 'while it ran' },
    { day: '2026-01-03', state: 'running', about: 'when it ran for a part of it' },
    { day: '2026-01-04', state: 'saved', about: 'while it was saved' },
    { day: '2026-01-06', state: 'running', about: 'when it was resumed' },
    { day: '2026-01-09', state: 'archived', about: 'while it was in the library' },
    { day: '2026-01-12', state: 'running', about: 'when it was deleted' },
    { day: '2026-01-13', state: undefined, about: 'after it was deleted' },
  ])('is $state $about', ({ day, state }) => {
    expect(usageOn(aMachine({ history: [...history] }), day, zone)?.state).toBe(state)
  })

  test('of a machine that came to its end is that of one that is saved', () => {
    const expired = aMachine({
      history: [
        { state: 'running', at: at('01-01') },
        { state: 'expired', at: at('01-31') },
      ],
    })

    expect(usageOn(expired, '2026-02-01', zone)?.state).toBe('saved')
  })

  test('of one that was taken over is known from its creation on', () => {
    const taken = aMachine({
      createdAt: '2009-10-16T10:00:00.000Z',
      history: [{ state: 'running', at: at('01-01') }],
    })

    expect(usageOn(taken, '2010-01-01', zone)?.state).toBe('running')
  })
})

describe('the record', () => {
  test('gets no row for what is the same as before', () => {
    const same = allocate(machine, { cpus: 2, owner: 'alice' }, at('01-10'))

    expect(same.usage).toHaveLength(1)
  })

  test('keeps what a machine has while more is promised', () => {
    const promised = { ...recorded(machine), cpus: 4, memoryGb: 2 }

    expect(usageOn(promised, '2026-01-10', zone)).toMatchObject({ cpus: 2, memoryGb: 4 })
    expect(promisedSize(promised)).toEqual({ cpus: 4, memoryGb: 4 })
  })

  test('is begun once', () => {
    const begun = recorded(machine)

    expect(recorded(begun)).toBe(begun)
  })
})
