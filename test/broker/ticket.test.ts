import { expect, test } from 'vitest'
import { fingerprintOf, loadBalanceInfo, poolIn, ticketFor, ticketIn } from '../../broker/ticket.ts'

const lease = { id: 'L-1', nonce: 'n1' }

test('the same lease gives the same ticket, so that its file can be written again', () => {
  expect(ticketFor('key', lease)).toBe(ticketFor('key', { ...lease }))
})

test.each([
  ['key', ticketFor('another key', lease)],
  ['lease', ticketFor('key', { ...lease, id: 'L-2' })],
  ['nonce', ticketFor('key', { ...lease, nonce: 'n2' })],
  ['place where the id ends', ticketFor('key', { id: 'L-', nonce: '1n1' })],
])('another %s gives another ticket', (_, other) => {
  expect(other).not.toBe(ticketFor('key', lease))
})

test('the text that clients carry is even, short and of plain characters', () => {
  const text = loadBalanceInfo(ticketFor('key', lease))

  expect(text).toMatch(/^Cookie: msts=[A-Za-z0-9_-]+$/)
  expect(text).toHaveLength(56)
})

test('what is kept of a ticket does not give it away', () => {
  const ticket = ticketFor('key', lease)

  expect(fingerprintOf(ticket)).not.toContain(ticket)
  expect(fingerprintOf(ticket)).toBe(fingerprintOf(ticketFor('key', lease)))
})

const ticket = ticketFor('key', lease)
test.each([
  ['a routing token', loadBalanceInfo(ticket), ticket],
  ['a preconnection blob', ticket, ticket],
  ['nothing', null, undefined],
  ['a token of another balancer', 'Cookie: msts=3640205228.15629.0000', undefined],
  ['a token that is too long', `${loadBalanceInfo(ticket)}A`, undefined],
  ['a collection', 'tsv://MS Terminal Services Plugin.1.public', undefined],
])('a ticket is looked for in %s', (_, text, expected) => {
  expect(ticketIn(text)).toBe(expected)
})

test.each([
  ['tsv://MS Terminal Services Plugin.1.public', 'public'],
  ['tsv://ms terminal services plugin.1.Pool-A', 'Pool-A'],
  ['tsv://VMResource.1.public', undefined],
  ['Cookie: msts=abc', undefined],
  [null, undefined],
])('the pool in %s is %s', (text, pool) => {
  expect(poolIn(text)).toBe(pool)
})
