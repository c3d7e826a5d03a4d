import { describe, expect, test } from 'vitest'
import { askingOf, leaseInFront, terminalOf } from '../../broker/asker.ts'
import { loadBalanceInfo, shortCodeOf, ticketFor } from '../../broker/ticket.ts'
import { TerminalRule } from '../../broker/terminal.ts'
import { after, aLease } from './samples.ts'

const ticket = ticketFor('key', { id: 'L-1', nonce: 'n' })
const nothing = { routingToken: null, pcb: null, mstshash: null }
const tsv = 'tsv://MS Terminal Services Plugin.1.Public'

test.each([
  ['nothing', {}, {}],
  ['a ticket of ours', { routingToken: loadBalanceInfo(ticket) }, { ticket }],
  ['a ticket in its blob, and a name beside it', { pcb: ticket, mstshash: 'bob' }, { ticket, name: 'bob' }],
  ['a collection', { routingToken: tsv }, { pool: 'public' }],
  ['a collection in its blob, and a name', { pcb: tsv, mstshash: 'bob' }, { pool: 'public', name: 'bob' }],
  ['the cookie of another broker', { routingToken: 'Cookie: msts=3640205228.15629.0000' }, { strange: true }],
  ['a ticket that was cut short', { routingToken: loadBalanceInfo(ticket).slice(0, -1) }, { strange: true }],
  ['a blob that says nothing to us', { pcb: '5f1c2a3e-vm', mstshash: 'bob' }, { name: 'bob' }],
  ['a domain and a name', { mstshash: 'CORP\\Alice' }, { name: 'alice' }],
  ['a name at a domain', { mstshash: 'Alice@corp.example' }, { name: 'alice' }],
  ['an empty name', { mstshash: '' }, {}],
])('a connection may say %s', (_, said, expected) => {
  const asking = askingOf({ ...nothing, ...said })

  expect(asking).toEqual({ ticket: null, strange: false, pool: null, name: null, ...expected })
})

describe('a terminal', () => {
  const rule = (facts: object) => TerminalRule.parse({ kind: 'jackpc', ...facts })
  const rules = [
    rule({ name: 'lobby-1', address: '10.0.0.1' }),
    rule({ name: 'lobby-2', port: 13_402 }),
    rule({ name: 'lobby-3', address: '2001:db8::3' }),
  ]

  test.each([
    ['by its address', '10.0.0.1', 3389, 'lobby-1', 'address'],
    ['by its address, as an IPv6 socket has it', '::ffff:10.0.0.1', 3389, 'lobby-1', 'address'],
    ['by its address before its port', '10.0.0.1', 13_402, 'lobby-1', 'address'],
    ['by its IPv6 address, however it is written', '2001:DB8:0::3', 3389, 'lobby-3', 'address'],
    ['by its port', '10.9.9.9', 13_402, 'lobby-2', 'port'],
  ])('is known %s', (_, address, localPort, name, by) => {
    expect(terminalOf(rules, { address, localPort })).toMatchObject({ rule: { name }, by })
  })

  test('is not known by anything else', () => {
    expect(terminalOf(rules, { address: '10.9.9.9', localPort: 3389 })).toBeUndefined()
  })
})

describe('of several leases of one terminal it is', () => {
  const offered = aLease({ id: 'L-1', state: 'offered', history: [{ state: 'offered', at: after(1) }] })
  const left = aLease({
    id: 'L-2',
    state: 'disconnected',
    history: [{ state: 'disconnected', at: after(9) }],
  })
  const older = aLease({ id: 'L-3', state: 'connected', history: [{ state: 'connected', at: after(5) }] })

  test.each([
    ['the one that was just offered there', [left, offered, older], 'L-1'],
    ['else the one that something happened to last', [older, left], 'L-2'],
    ['none where there is none', [], undefined],
  ])('%s', (_, leases, id) => {
    expect(leaseInFront(leases)?.id).toBe(id)
  })
})

test('a short code is eight letters and digits that are not misread, another for each lease', () => {
  const codes = Array.from({ length: 500 }, (_, n) => shortCodeOf({ id: `L-${n}`, nonce: `n${n}` }))

  expect(new Set(codes).size).toBe(500)
  expect(codes.every((code) => /^[2-9a-hjkmnp-tv-z]{8}$/.test(code))).toBe(true)
})
