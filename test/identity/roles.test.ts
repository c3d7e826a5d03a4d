import { expect, test } from 'vitest'
import type { Person } from '../../src/identity/person.ts'
import { callerFor, rolesOf } from '../../src/identity/roles.ts'

function aPerson(facts: Partial<Person>): Person {
  return { user: 'olga', name: 'Olga', email: null, groups: [], ...facts }
}

test.each([
  ['by name', aPerson({}), { operator: ['olga'], auditor: [] }, ['operator']],
  [
    'by group',
    aPerson({ groups: ['ops'] }),
    { operator: ['ops'], auditor: ['ops'] },
    ['operator', 'auditor'],
  ],
  ['as everyone', aPerson({}), { operator: [], auditor: ['everyone'] }, ['auditor']],
  ['not at all', aPerson({ groups: ['ops'] }), { operator: ['bob'], auditor: ['web'] }, []],
])('a person has roles %s', (_, person, rules, expected) => {
  expect(rolesOf(person, rules)).toEqual(expected)
})

test('a caller is the person, their roles and the way they came', () => {
  const person = { ...aPerson({ groups: ['ops'] }), secret: 'left behind' }

  const caller = callerFor(person, { operator: ['ops'], auditor: [] }, 'rest', '10.0.0.1')

  expect(caller).toEqual({
    user: 'olga',
    name: 'Olga',
    email: null,
    groups: ['ops'],
    roles: ['operator'],
    via: 'rest',
    address: '10.0.0.1',
  })
})
