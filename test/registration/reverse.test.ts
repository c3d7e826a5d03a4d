import fc from 'fast-check'
import { expect, test } from 'vitest'
import { reverseName, zoneOf } from '../../src/registration/reverse.ts'

test.each([
  ['10.128.0.3', '3.0.128.10.in-addr.arpa'],
  ['2001:db8::567:89ab', 'b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa'],
  ['::1', `1.${'0.'.repeat(31)}ip6.arpa`],
  ['webafs20.local', undefined],
  ['fe80::1%eth0', undefined],
  ['::ffff:10.1.2.3', undefined],
])('the way back from %s is %s', (address, name) => {
  expect(reverseName(address)).toBe(name)
})

test('every IPv6 address has a way back of 34 labels', () => {
  fc.assert(
    fc.property(fc.ipV6(), (address) => {
      fc.pre(!address.includes('.'))

      expect(reverseName(address)?.split('.')).toHaveLength(34)
    }),
  )
})

test('the smallest zone that a name is in counts', () => {
  const zones = ['10.in-addr.arpa', '128.10.in-addr.arpa', '8.10.in-addr.arpa']

  expect(zoneOf('3.0.128.10.in-addr.arpa', zones)).toBe('128.10.in-addr.arpa')
  expect(zoneOf('3.0.28.10.in-addr.arpa', zones)).toBe('10.in-addr.arpa')
  expect(zoneOf('1.2.0.192.in-addr.arpa', zones)).toBeUndefined()
})
