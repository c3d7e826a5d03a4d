import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { silentLog } from '../../src/base/log.ts'
import { postgres } from '../../src/store/postgres.ts'
import { behindAll, fromColumn, toColumn } from '../../src/store/postgres/text.ts'
import type { Store } from '../../src/store/store.ts'
import { type Cluster, missingServer, openCluster } from './cluster.ts'
import { aMessage } from './documents.ts'

const anyText = fc.string({
  unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)),
})
const awkward = [
  '\0',
  '\u0001',
  '\u0001\u0002',
  '\ud83d',
  '\ude00\ud83d',
  '\u{1f600}',
  '\ue000\u0100',
  '\uffff',
  '日本',
  '{"a\\',
]

describe('text in a column', () => {
  test('any text comes back as it was', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(fromColumn(toColumn(text))).toBe(text)
      }),
    )
  })

  test('columns are well-formed, and sort byte by byte as the texts do by code unit', () => {
    fc.assert(
      fc.property(anyText, anyText, (a, b) => {
        const [first, second] = [a, b].map((text) => Buffer.from(toColumn(text)))
        const order = Buffer.compare(first ?? Buffer.of(), second ?? Buffer.of())

        expect(first?.toString()).toBe(toColumn(a))
        expect(first?.includes(0)).toBe(false)
        expect(order).toBe(a < b ? -1 : a > b ? 1 : 0)
        expect(toColumn(a) < behindAll).toBe(true)
      }),
    )
  })
})

describe.skipIf(missingServer !== undefined)(`awkward text in PostgreSQL ${missingServer ?? ''}`, () => {
  let cluster: Cluster
  let store: Store
  beforeAll(async () => {
    cluster = await openCluster()
    store = await postgres({ url: cluster.url, log: silentLog })
  })
  afterAll(async () => {
    await store.close()
    await cluster.dispose()
  })

  test('it may be an id, a key and a document, and is ordered by code unit', async () => {
    await store.transact(async (tx) => {
      for (const text of awkward)
        await tx.messages.put(aMessage(text, { user: text, body: { [text]: text } }))
    })

    await store.read(async (tx) => {
      for (const text of awkward) {
        const message = aMessage(text, { user: text, body: { [text]: text } })
        expect(await tx.messages.get(text)).toEqual(message)
        expect(await tx.messages.find('conversation', text)).toEqual([message])
      }
      expect((await tx.messages.all()).map(({ id }) => id)).toEqual([...awkward].sort())
      expect(await tx.messages.lowest('conversation')).toBe('\0')
    })
  })
})
