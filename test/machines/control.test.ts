import { expect, test } from 'vitest'
import { canMove } from '../../src/base/states.ts'
import { mayControl, maySee } from '../../src/machines/access.ts'
import { checkVerb, type Verb, verbs } from '../../src/machines/control.ts'
import { machineStates, type MachineState } from '../../src/machines/machine.ts'
import { aMachine, refusalOf } from './a-machine.ts'

test.each<[Verb, MachineState]>([
  ['start', 'stopped'],
  ['start', 'saved'],
  ['shutdown', 'running'],
  ['power-off', 'running'],
  ['power-off', 'paused'],
  ['reset', 'running'],
  ['save', 'running'],
  ['resume', 'saved'],
  ['resize', 'stopped'],
  ['delete', 'unreachable'],
  ['delete', 'failed'],
  ['extend', 'expired'],
])('%s may be asked of a machine that is %s', (verb, state) => {
  expect(checkVerb(aMachine({ state }), verb)).toBe('allowed')
})

test.each<[Verb, MachineState]>([
  ['start', 'running'],
  ['resume', 'running'],
  ['shutdown', 'stopped'],
  ['power-off', 'stopped'],
  ['save', 'saved'],
  ['delete', 'deleting'],
  ['delete', 'deleted'],
])('%s has nothing to do for a machine that is %s', (verb, state) => {
  expect(checkVerb(aMachine({ state }), verb)).toBe('already')
})

test.each<[Verb, MachineState, string]>([
  ['reset', 'stopped', 'webafs20 is stopped; start it first.'],
  ['save', 'stopped', 'webafs20 is stopped; start it first.'],
  ['shutdown', 'saved', 'webafs20 is saved; resume it first.'],
  ['resize', 'paused', 'webafs20 is paused; resume it first.'],
  ['start', 'expired', 'webafs20 has expired; extend it first.'],
  ['start', 'archived', 'webafs20 is archived; restore it first.'],
  ['save', 'provisioning', 'webafs20 is still being made; wait until it is ready.'],
  ['extend', 'deleting', 'webafs20 is being deleted; request a new machine.'],
])('%s is refused for a machine that is %s, with the remedy', (verb, state, message) => {
  const refusal = refusalOf(() => checkVerb(aMachine({ state }), verb))

  expect(refusal).toMatchObject({ code: 'wrong_state', message })
})

test('every verb leads where the table of states allows', () => {
  const illegal = Object.values(verbs).flatMap(({ from, to }) =>
    to === null ? [] : from.filter((state) => state !== to && !canMove(machineStates, state, to)),
  )

  expect(illegal).toEqual([])
})

const alice = { user: 'alice', groups: ['developers'], roles: [] }
const carol = { user: 'carol', groups: ['web-services'], roles: [] }

test.each([
  ['its owner', alice, {}, true],
  ['somebody else', carol, {}, false],
  ['an administrator by name', carol, { administrators: ['Carol'] }, true],
  ['an administrator through a group', carol, { administrators: ['web-services'] }, true],
  ['an operator', { ...carol, roles: ['operator'] }, {}, true],
  ['an auditor', { ...carol, roles: ['auditor'] }, {}, false],
  ['anybody, of an orphan', alice, { owner: null }, false],
])('whether %s may control a machine', (_who, asker, differences, expected) => {
  expect(mayControl(asker, aMachine(differences))).toBe(expected)
})

test('auditors may see what they may not control', () => {
  expect(maySee({ ...carol, roles: ['auditor'] }, aMachine())).toBe(true)
  expect(maySee(carol, aMachine())).toBe(false)
})
