import { beforeEach, describe, expect, test } from 'vitest'
import type { Store } from '../../src/store/store.ts'
import { type DiskOperation, type MemoryDisk, memoryFiles } from '../fakes/memory-files.ts'
import { aRow } from './documents.ts'
import { count, openOn, valueOf } from './opened.ts'

let disk: MemoryDisk
let store: Store
beforeEach(async () => {
  disk = memoryFiles()
  store = await openOn(disk)
  disk.done.length = 0
})

const syncs = () => disk.done.filter(({ kind }) => kind === 'sync').length

describe('commits share syncs', () => {
  test('a hundred transactions at once need no more than two', async () => {
    await Promise.all(Array.from({ length: 100 }, () => count(store)))

    expect(syncs()).toBeLessThanOrEqual(2)
    expect(await valueOf(store)).toBe(100)
  })

  test('transactions one after the other need one each, and those that change nothing need none', async () => {
    await count(store)
    await count(store)
    await store.transact((tx) => tx.counters.get('a'))

    expect(syncs()).toBe(2)
  })
})

describe('nobody is answered before the disk has it', () => {
  test('neither the transaction, nor its listeners, nor one that saw it, nor a read that saw it', async () => {
    const gate = gateAt(disk, 'sync')
    const answered: string[] = []
    store.onCommit(() => answered.push('listener'))

    const all = [
      count(store).then(() => answered.push('first')),
      gate.reached.then(() => count(store)).then(() => answered.push('second')),
      gate.reached.then(() => valueOf(store)).then((value) => answered.push(`read ${value ?? 'nothing'}`)),
      gate.reached
        .then(() =>
          store.transact(async (tx) => {
            throw new Error(`taken by ${(await tx.counters.get('a'))?.value ?? 'nobody'}`)
          }),
        )
        .catch((error: unknown) => answered.push(String(error))),
    ]
    await gate.reached
    await manyTurns()
    const before = [...answered]
    gate.open()
    await Promise.all(all)

    expect(before).toEqual([])
    expect(answered.slice(0, 2)).toEqual(['listener', 'first'])
    expect(answered.slice(2).sort()).toEqual(['Error: taken by 2', 'listener', 'read 2', 'second'])
  })

  test('a read that saw a write which then failed looks again', async () => {
    await count(store)
    const gate = gateAt(disk, 'sync', new Error('EIO'))

    const refused = count(store)
    const read = gate.reached.then(() => valueOf(store))
    await gate.reached
    await manyTurns()
    gate.open()

    await expect(refused).rejects.toMatchObject({ code: 'store_unwritable' })
    expect(await read).toBe(1)
  })

  test('a refusal that rests on a write which then failed is not given', async () => {
    const gate = gateAt(disk, 'sync', new Error('EIO'))
    const first = count(store)
    const second = gate.reached.then(() =>
      store.transact(async (tx) => {
        if ((await tx.counters.get('a')) !== undefined) throw new Error('the name is taken')
      }),
    )

    await gate.reached
    await manyTurns()
    gate.open()

    await expect(first).rejects.toMatchObject({ code: 'store_unwritable' })
    await expect(second).rejects.toMatchObject({ code: 'store_unwritable' })
  })
})

describe('a disk that does not take writes', () => {
  test.each<DiskOperation['kind']>(['write', 'sync'])(
    'when %s fails, nothing was changed, the store says why, and recovers by itself',
    async (kind) => {
      await count(store)
      failing(disk, (operation) => operation.kind === kind)
      const heard: unknown[] = []
      store.onCommit((changes) => heard.push(changes))

      const refused = await Promise.allSettled([count(store), count(store), count(store, 'b')])
      const sick = store.health()
      const meanwhile = await valueOf(store)
      disk.before = () => undefined
      const healed = await count(store)

      expect(refused.map((result) => result.status)).toEqual(['rejected', 'rejected', 'rejected'])
      expect(refused[0]).toMatchObject({ reason: { code: 'store_unwritable', transient: true } })
      expect(sick).toEqual({ writable: false, reason: 'ENOSPC: no space left on device' })
      expect(meanwhile).toBe(1)
      expect(healed).toBe(2)
      expect(store.health()).toEqual({ writable: true, reason: null })
      expect(heard).toEqual([[{ collection: 'counters', id: 'a' }]])
      await expectAfterPowerCut({ a: 2, b: undefined })
    },
  )

  test('rows of a journal that were refused are gone, and can be added when it recovers', async () => {
    failing(disk, ({ kind }) => kind === 'sync')
    const append = () => store.transact((tx) => tx.audit.append(aRow('A-1')))
    await expect(append()).rejects.toMatchObject({ code: 'store_unwritable' })
    disk.before = () => undefined

    await append()

    const page = await store.read((tx) => tx.audit.page({ limit: 10 }))
    expect(page.items).toEqual([aRow('A-1')])
  })

  test('a write that is torn by a full disk is written over by the next one', async () => {
    await count(store)
    let isFull = true
    disk.before = ({ kind }) => {
      if (isFull && (kind === 'sync' || kind === 'truncate')) throw new Error('EIO')
    }
    await expect(count(store, 'a-long-name-that-makes-a-long-line')).rejects.toMatchObject({
      code: 'store_unwritable',
    })
    isFull = false

    await count(store)

    await expectAfterPowerCut({ a: 2, 'a-long-name-that-makes-a-long-line': undefined })
  })

  test('a transaction without changes finds out that the disk is well again', async () => {
    failing(disk, ({ kind }) => kind === 'write')
    await expect(count(store)).rejects.toMatchObject({ code: 'store_unwritable' })
    const look = () => store.transact((tx) => tx.counters.get('a'))
    await expect(look()).rejects.toMatchObject({ code: 'store_unwritable' })
    const before = store.health().writable
    disk.before = () => undefined

    await look()

    expect(before).toBe(false)
    expect(store.health().writable).toBe(true)
  })

  test('it can be closed, and what was answered is there afterwards', async () => {
    await count(store)
    failing(disk, ({ kind }) => kind === 'write' || kind === 'sync')
    await expect(count(store)).rejects.toMatchObject({ code: 'store_unwritable' })

    await store.close()

    disk.before = () => undefined
    expect(await valueOf(await openOn(disk))).toBe(1)
  })

  test('a folder that cannot be written at the start is said to be so', async () => {
    const other = memoryFiles()
    failing(other, ({ kind }) => kind === 'create')

    await expect(openOn(other)).rejects.toMatchObject({ code: 'store_unwritable' })
  })
})

test('a transaction within a transaction is a fault at once, not a wait without end', async () => {
  const nested = store.transact(async () => count(store))

  await expect(nested).rejects.toMatchObject({ name: 'AssertionError' })
  expect(await count(store)).toBe(1)
})

async function expectAfterPowerCut(expected: Record<string, number | undefined>): Promise<void> {
  disk.powerCut()
  const reopened = await openOn(disk)
  for (const [id, value] of Object.entries(expected)) expect(await valueOf(reopened, id)).toBe(value)
}

function failing(on: MemoryDisk, when: (operation: DiskOperation) => boolean): void {
  on.before = (operation) => {
    if (when(operation)) throw new Error('ENOSPC: no space left on device')
  }
}

/** Holds the first operation of a kind until it is let go, which then fails if there is a fault. */
function gateAt(on: MemoryDisk, kind: DiskOperation['kind'], fault?: Error) {
  let open: () => void = () => undefined
  const opened = new Promise<void>((resolve) => (open = resolve))
  const reached = new Promise<void>((resolve) => {
    on.before = async (operation) => {
      if (operation.kind !== kind) return
      on.before = () => undefined
      resolve()
      await opened
      if (fault !== undefined) throw fault
    }
  })
  return { reached, open: () => open() }
}

/** Lets everything go on that waits for nothing outside. */
async function manyTurns(): Promise<void> {
  for (let turn = 0; turn < 200; turn++) await Promise.resolve()
}

test('what a killed process wrote and did not sync, and the next one shows, is not lost by a power cut', async () => {
  disk.before = ({ kind }) => {
    if (kind === 'sync') disk.kill()
  }
  await count(store).catch(() => undefined)
  disk.before = () => undefined
  const next = await openOn(disk)
  const shown = await valueOf(next)

  disk.powerCut()

  expect(await valueOf(await openOn(disk))).toBe(shown)
  expect(shown).toBe(1)
})
