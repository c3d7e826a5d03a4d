import { expect, test } from 'vitest'
import { z } from 'zod'
import type { Formats } from '../../src/store/formats.ts'
import type { Store } from '../../src/store/store.ts'
import { type MemoryDisk, memoryFiles } from '../fakes/memory-files.ts'
import { aRow, second } from './documents.ts'
import { count, openOn, valueOf } from './opened.ts'

const Counter = z.object({ id: z.string(), value: z.number() })
const Row = z.looseObject({ actor: z.string() })

/** Two releases further on: values count in hundredths, then from one; actors bear a prefix. */
const later: Formats = {
  current: 3,
  upgrades: {
    1: (kind, value) => {
      if (kind === 'audit') return { ...Row.parse(value), actor: `user:${Row.parse(value).actor}` }
      if (kind !== 'counters') return value
      const { id, value: hundreds } = Counter.parse(value)
      return { id, value: hundreds * 100 }
    },
    2: (kind, value) => {
      if (kind !== 'counters') return value
      const { id, value: fromNone } = Counter.parse(value)
      return { id, value: fromNone + 1 }
    },
  },
}

/** A folder of this release, with documents and rows in the checkpoint and its files, and in the change journal. */
async function folderOfToday(): Promise<MemoryDisk> {
  const disk = memoryFiles()
  const first = await openOn(disk)
  await count(first, 'folded')
  await first.transact((tx) => tx.audit.append(aRow('A-1', second(1))))
  await first.close()
  const again = await openOn(disk)
  await count(again, 'journalled')
  await again.transact((tx) => tx.audit.append(aRow('A-2', second(2))))
  disk.kill()
  return disk
}

function actorsOf(store: Store): Promise<string[]> {
  return store.read(async (tx) => (await tx.audit.page({ limit: 10 })).items.map(({ actor }) => actor))
}

test('a folder of an older format comes up through every format between, documents and rows', async () => {
  const disk = await folderOfToday()

  const store = await openOn(disk, { formats: later })

  expect([await valueOf(store, 'folded'), await valueOf(store, 'journalled')]).toEqual([101, 101])
  expect(await actorsOf(store)).toEqual(['user:alice', 'user:alice'])
})

test('what was upgraded once, and what was written since, is not upgraded again', async () => {
  const disk = await folderOfToday()
  const store = await openOn(disk, { formats: later })
  await count(store, 'folded')
  await store.transact((tx) => tx.audit.append({ ...aRow('A-3', second(3)), actor: 'user:bob' }))
  await store.close()

  const again = await openOn(disk, { formats: later })

  expect([await valueOf(again, 'folded'), await valueOf(again, 'journalled')]).toEqual([102, 101])
  expect(await actorsOf(again)).toEqual(['user:bob', 'user:alice', 'user:alice'])
})

test('an upgrade that is cut short at any operation leaves the folder as it was, or upgraded', async () => {
  const whole = await folderOfToday()
  const before = whole.done.length
  await openOn(whole, { formats: later })
  const operations = whole.done.length - before
  expect(operations).toBeGreaterThan(8)

  for (let crashAt = 0; crashAt < operations; crashAt++) {
    const disk = await folderOfToday()
    const from = disk.done.length
    disk.before = () => {
      if (disk.done.length === from + crashAt) disk.powerCut()
    }
    await openOn(disk, { formats: later }).catch(() => undefined)
    disk.before = () => undefined
    disk.powerCut()

    const store = await openOn(disk, { formats: later })

    const note = `crash before operation ${crashAt}`
    expect([await valueOf(store, 'folded'), await valueOf(store, 'journalled')], note).toEqual([101, 101])
    expect(await actorsOf(store), note).toEqual(['user:alice', 'user:alice'])
  }
})

test('a release that does not know the format leaves the folder alone', async () => {
  const disk = await folderOfToday()
  await (await openOn(disk, { formats: later })).close()
  const before = disk.contents('checkpoint.jsonl')

  await expect(openOn(disk)).rejects.toMatchObject({ code: 'store_too_new', transient: false })

  expect(disk.contents('checkpoint.jsonl')).toEqual(before)
})
