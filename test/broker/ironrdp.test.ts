import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { initSync, RdpFile } from 'ironrdp-wasm'
import { beforeAll, expect, test } from 'vitest'
import { rdpProperties, rdpText } from '../../broker/rdp-file.ts'
import { ticketFor } from '../../broker/ticket.ts'
import { aPool } from './samples.ts'

beforeAll(async () => {
  const script = createRequire(import.meta.url).resolve('ironrdp-wasm')
  initSync({ module: await readFile(join(dirname(script), 'rdp_client_bg.wasm')) })
})

test('IronRDP reads every property of a file as it was meant', () => {
  const properties = rdpProperties({
    address: 'rdp.example.org:3389',
    user: 'Zoë: the second',
    ticket: ticketFor('key', { id: 'L-1', nonce: 'n1' }),
    allowed: { ...aPool().rdp, drives: true, size: { width: 1280, height: 800 } },
    gateway: 'gw.example.org',
  })
  const theirs = new RdpFile()

  theirs.parse(rdpText(properties))

  const read = properties.map(({ name, type, value }) => ({
    name,
    type,
    value: (typeof value === 'number' ? theirs.getInt(name) : theirs.getStr(name)) ?? null,
  }))
  expect(read).toEqual(properties)
})
