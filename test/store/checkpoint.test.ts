import { expect, test } from 'vitest'
import type { Store } from '../../src/store/store.ts'
import { type DiskOperation, type MemoryDisk, memoryFiles } from '../fakes/memory-files.ts'
import { aRow, second } from './documents.ts'
import { count, openOn, valueOf } from './opened.ts'

const journals = (disk: MemoryDisk) => disk.names().filter((name) => name.startsWith('journal-'))

test('closing leaves a checkpoint, one empty journal, and no lock', async () => {
  const disk = memoryFiles()
  const store = await openOn(disk)
  await count(store)

  await store.close()

  expect(disk.names()).toEqual(['checkpoint.jsonl', 'journal-0000000000000002.jsonl'])
  expect(disk.contents('journal-0000000000000002.jsonl')).toHaveLength(0)
})

test('closing what has not changed writes no checkpoint', async () => {
  const disk = memoryFiles()
  const store = await openOn(disk)
  await count(store)
  await store.close()
  const again = await openOn(disk)
  disk.done.length = 0

  await again.close()

  expect(disk.done.map(({ kind }) => kind)).toEqual(['remove'])
})

test('a journal that has grown is folded, and commits go on meanwhile', async () => {
  const disk = memoryFiles()
  const store = await openOn(disk, { checkpointBytes: 2000 })
  const gate = gateAtRename(disk)
  for (let n = 0; n < 30; n++) await count(store)
  await gate.reached

  const meanwhile = await count(store)
  const files = journals(disk).length
  gate.open()
  await store.close()

  expect(meanwhile).toBe(31)
  expect(files).toBe(2)
  expect(journals(disk)).toHaveLength(1)
  expect(await valueOf(await openOn(disk))).toBe(31)
})

test('a checkpoint holds what was durable when its journal ended, not what was refused meanwhile', async () => {
  const disk = memoryFiles()
  const store = await openOn(disk, { checkpointBytes: 2000 })
  const gate = gateAtRename(disk)
  for (let n = 0; n < 30; n++) await count(store)
  await gate.reached
  const held = disk.before
  disk.before = (operation) => {
    if (operation.kind === 'sync') throw new Error('EIO')
    return held(operation)
  }

  await expect(count(store)).rejects.toMatchObject({ code: 'store_unwritable' })
  disk.before = () => undefined
  gate.open()
  await store.close()

  expect(await valueOf(await openOn(disk))).toBe(30)
})

test.each<DiskOperation['kind']>(['create', 'rename', 'sync-folder', 'remove'])(
  'when %s fails during a checkpoint, nothing is lost and a later one is made',
  async (kind) => {
    const disk = memoryFiles()
    const store = await openOn(disk, { checkpointBytes: 500 })
    disk.before = (operation) => {
      if (operation.kind === kind) throw new Error('EIO')
    }
    for (let n = 0; n < 30; n++) await record(store, n)
    const health = store.health()
    disk.before = () => undefined
    for (let n = 30; n < 60; n++) await record(store, n)
    await store.close()

    const reopened = await openOn(disk)

    expect(health.writable).toBe(true)
    expect(await valueOf(reopened)).toBe(60)
    expect(await rowsOf(reopened)).toEqual(Array.from({ length: 60 }, (_, n) => second(59 - n)))
    expect(journals(disk)).toHaveLength(1)
  },
)

test('after a crash at any one operation, each answered commit is there, and each row once', async () => {
  const scenario = async (disk: MemoryDisk, answered: { count: number }) => {
    const store = await openOn(disk, { checkpointBytes: 300 })
    for (let n = 0; n < 8; n++) {
      await record(store, n)
      answered.count = n + 1
    }
    await store.close()
  }
  const whole = memoryFiles()
  await scenario(whole, { count: 0 })
  const operations = whole.done.length
  expect(operations).toBeGreaterThan(60)

  for (let crashAt = 0; crashAt < operations; crashAt++) {
    for (const luck of [[0], [0.99], [0.5, 0.4], [0, 0.99], [0.99, 0], [0, 0, 0.99]]) {
      const disk = memoryFiles()
      const answered = { count: 0 }
      disk.before = () => {
        if (disk.done.length === crashAt) disk.powerCut(inTurn(luck))
      }
      await scenario(disk, answered).catch(() => undefined)
      disk.before = () => undefined

      const store = await openOn(disk)
      const found = (await valueOf(store)) ?? 0
      const rows = await rowsOf(store)
      const note = `crash before operation ${crashAt} with luck ${luck.join()}`

      expect(found, note).toBeGreaterThanOrEqual(answered.count)
      expect(found, note).toBeLessThanOrEqual(answered.count + 1)
      expect(rows, note).toEqual(Array.from({ length: found }, (_, n) => second(found - 1 - n)))
      await record(store, found)
      await store.close()
      expect(await valueOf(await openOn(disk)), note).toBe(found + 1)
    }
  }
})

test('rows are spread over the files of their months, and a late row is found among older ones', async () => {
  const disk = memoryFiles()
  const store = await openOn(disk)
  const rows = ['10', '11', '12'].flatMap((month) =>
    [0, 2, 4].map((n) => aRow(`${month}-${n}`, second(n, month))),
  )
  await store.transact(async (tx) => {
    for (const row of rows) await tx.audit.append(row)
  })
  await store.close()
  const again = await openOn(disk)
  await again.transact(async (tx) => {
    for (const row of rows) await tx.audit.append(row)
    await tx.audit.append(aRow('11-1', second(1, '11')))
  })
  await again.close()

  const page = await (await openOn(disk)).read((tx) => tx.audit.page({ limit: 6, to: second(4, '12') }))

  expect(disk.names().filter((name) => name.startsWith('audit-'))).toHaveLength(3)
  expect(page.items.map(({ id }) => id)).toEqual(['12-2', '12-0', '11-4', '11-2', '11-1', '11-0'])
})

function inTurn(values: readonly number[]): () => number {
  let asked = 0
  return () => values[asked++ % values.length] ?? 0
}

function record(store: Store, n: number): Promise<void> {
  return store.transact(async (tx) => {
    await tx.counters.put({ id: 'a', value: n + 1 })
    await tx.audit.append(aRow(`A-${n}`, second(n)))
  })
}

function rowsOf(store: Store): Promise<string[]> {
  return store.read(async (tx) => (await tx.audit.page({ limit: 1000 })).items.map(({ at }) => at))
}

function gateAtRename(disk: MemoryDisk) {
  let open: () => void = () => undefined
  const opened = new Promise<void>((resolve) => (open = resolve))
  const reached = new Promise<void>((resolve) => {
    disk.before = async ({ kind }) => {
      if (kind !== 'rename') return
      resolve()
      await opened
    }
  })
  return { reached, open: () => open() }
}
