import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { migrateMachine } from '../../src/operations/migrate-machine.ts'
import { applyMoves, proposeMoves } from '../../src/operations/rebalance.ts'
import { type Core, demoConfig, minute, openCore } from './core.ts'
import { ordered, shown } from './ordered.ts'

let core: Core
beforeEach(async () => {
  // Three hosts alike.
  const config = await demoConfig((yaml) =>
    yaml.replaceAll(/cpus: 2, memoryGb: 8, slots: 3,/g, 'cpus: 16, memoryGb: 64, slots: 40,'),
  )
  core = await openCore({ config })
  await ordered(core, { name: 'web', count: 3 })
})
afterEach(() => core.close())

async function proposal(goal: 'spread' | 'consolidate' = 'consolidate', user = 'olga') {
  return core.operations.perform(proposeMoves, await core.as(user), { goal })
}

async function applied(id: string, user = 'olga') {
  return core.operations.perform(applyMoves, await core.as(user), { id, goal: 'consolidate' })
}

async function hosts() {
  const machines = await Promise.all(['web01', 'web02', 'web03'].map((name) => shown(core, name)))
  return machines.map(({ host, state }) => `${host ?? ''} ${state}`)
}

describe('a proposal to consolidate', () => {
  test('says which hosts could be switched off, and changes nothing', async () => {
    const before = await hosts()

    const { moves, freed } = await proposal()

    expect(freed).toEqual(['cernwod01', 'cernwod03'])
    expect(moves.map(({ from, to }) => `${from} ${to}`)).toEqual([
      'cernwod01 cernwod02',
      'cernwod03 cernwod02',
    ])
    expect(await hosts()).toEqual(before)
  })

  test('is carried out on approval, while machines run; owner and operator are told', async () => {
    const { id, freed } = await proposal()

    const { machines } = await applied(id)
    await core.pass(5 * minute)

    expect(machines).toHaveLength(2)
    expect(new Set(await hosts()).size).toBe(1)
    expect((await proposal()).moves).toEqual([])
    const told = core.told.notices.map(({ user, notice }) => `${user}: ${notice.text ?? ''}`)
    expect(told).toContainEqual(
      expect.stringMatching(/^alice: web0\d is moved from .* could be switched off/),
    )
    expect(told.at(-1)).toBe('olga: 2 machines moved.')
    expect(freed).toHaveLength(2)
  })

  test('is refused when the machines have moved since', async () => {
    const { id } = await proposal()
    await core.operations.perform(migrateMachine, await core.as('olga'), { name: 'web01' })
    await core.settle()

    await expect(applied(id)).rejects.toMatchObject({ code: 'wrong_state' })
  })

  test('is looked at again at each move: what has changed meanwhile stays, and that is said', async () => {
    const { id, moves } = await proposal()
    const gone = moves[0]?.to ?? ''
    await applied(id)
    await core.store.transact(async (tx) => {
      const host = await tx.hosts.get(gone)
      if (host !== undefined) await tx.hosts.put({ ...host, state: 'down' })
    })

    await core.pass(5 * minute)

    const last = core.told.notices.findLast(({ notice }) => notice.kind === 'rebalanced')
    expect(last?.notice.text).toContain('was not moved.')
    expect(last?.notice.text).toContain('is down')
    expect((await hosts()).every((words) => words.endsWith('running'))).toBe(true)
  })

  test('is made and approved by operators only, and one at a time', async () => {
    const { id } = await proposal()

    await expect(proposal('consolidate', 'alice')).rejects.toMatchObject({ code: 'forbidden' })
    await expect(applied(id, 'alice')).rejects.toMatchObject({ code: 'forbidden' })
    await applied(id)
    await expect(applied(id)).rejects.toMatchObject({ code: 'busy' })
  })
})

test('there is nothing to move where hosts are even', async () => {
  const { id, moves } = await proposal('spread')

  expect(moves).toEqual([])
  const apply = core.operations.perform(applyMoves, await core.as('olga'), { id, goal: 'spread' })
  await expect(apply).rejects.toMatchObject({ code: 'wrong_state' })
})
