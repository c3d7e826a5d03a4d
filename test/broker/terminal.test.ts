import { expect, test } from 'vitest'
import { identify, knownTerminal, TerminalRule } from '../../broker/terminal.ts'

const rules = [
  { name: 'lobby-1', kind: 'jackpc', address: '127.0.0.17', mac: '00:0B:3C:00:00:11', pool: 'public' },
  { name: 'office-204', kind: 'thinstation', mac: '00:0b:3c:00:00:12' },
  { name: 'lab-9', kind: 'wyse', address: '2001:DB8:0:0::9', pool: 'developers' },
].map((rule) => TerminalRule.parse(rule))

test.each([
  ['by the name it says', { name: 'office-204' }, '127.0.0.17', 'office-204'],
  ['by a name in capitals', { name: 'OFFICE-204' }, null, 'office-204'],
  ['by its name before its MAC', { name: 'office-204', mac: '00:0b:3c:00:00:11' }, null, 'office-204'],
  ['by its MAC before its address', { mac: '00:0b:3c:00:00:12' }, '127.0.0.17', 'office-204'],
  ['by a MAC with dashes and capitals', { mac: '00-0B-3C-00-00-11' }, null, 'lobby-1'],
  ['by a MAC without separators', { mac: '000b3c000011' }, null, 'lobby-1'],
  ['by its address', {}, '127.0.0.17', 'lobby-1'],
  ['by its address as an IPv6 socket shows it', {}, '::ffff:127.0.0.17', 'lobby-1'],
  ['by an IPv6 address in another spelling', {}, '2001:db8::0:9', 'lab-9'],
  ['by its address when its name is unknown', { name: 'stranger' }, '127.0.0.17', 'lobby-1'],
])('a terminal is known %s', (_, said, address, name) => {
  expect(knownTerminal(rules, said, address)?.name).toBe(name)
})

test('a terminal that nobody knows is what it says', () => {
  const facts = identify(rules, { name: 'Guest', mac: '0011.2233.4455', kind: 'browser' }, '::ffff:10.0.0.9')

  expect(facts).toEqual({ name: 'guest', mac: '00:11:22:33:44:55', kind: 'browser', address: '10.0.0.9' })
})

test('a terminal that says nothing and is not known has its address only', () => {
  expect(identify(rules, { mac: 'no mac' }, '10.0.0.9')).toEqual({
    name: null,
    mac: null,
    kind: null,
    address: '10.0.0.9',
  })
})

test('what the file of the site says of a terminal counts, whatever it says itself', () => {
  const facts = identify(rules, { name: 'lobby-1', mac: '00:00:00:00:00:99', kind: 'browser' }, null)

  expect(facts).toEqual({ name: 'lobby-1', mac: '00:0b:3c:00:00:11', kind: 'jackpc', address: null })
})
