import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Store } from '../../src/store/store.ts'
import { type MemoryDisk, memoryFiles } from '../fakes/memory-files.ts'
import { aMessage, aRow, second } from './documents.ts'
import { openOn } from './opened.ts'

const ids = ['m1', 'm2', 'm3', 'm4', 'm5']
const users = ['alice', 'bob', 'carol']

type Write = { put: string; user: string } | { remove: string } | { row: number }
type Step =
  | { do: 'transact'; writes: Write[][] }
  | { do: 'fail'; writes: Write[] }
  | { do: 'reopen' }
  | { do: 'kill' }
  | { do: 'crash'; writes: Write[][]; operation: number; luck: number[] }
  | { do: 'full-disk'; writes: Write[][]; kind: 'write' | 'sync' | 'rename' | 'create' }

const write: fc.Arbitrary<Write> = fc.oneof(
  fc.record({ put: fc.constantFrom(...ids), user: fc.constantFrom(...users) }),
  fc.record({ remove: fc.constantFrom(...ids) }),
  fc.record({ row: fc.nat({ max: 60 }) }),
)
const writes = fc.array(write, { maxLength: 4 })
const transactions = fc.array(writes, { minLength: 1, maxLength: 4 })
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('transact' as const), writes: transactions }),
  fc.record({ do: fc.constant('fail' as const), writes }),
  fc.record({ do: fc.constantFrom('reopen' as const, 'kill' as const) }),
  fc.record({
    do: fc.constant('crash' as const),
    writes: transactions,
    operation: fc.nat({ max: 25 }),
    luck: fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 1, maxLength: 8 }),
  }),
  fc.record({
    do: fc.constant('full-disk' as const),
    writes: transactions,
    kind: fc.constantFrom('write' as const, 'sync' as const, 'rename' as const, 'create' as const),
  }),
)

/** What a store should hold, as plain maps. */
interface Model {
  messages: Map<string, string>
  rows: Map<string, string>
}

test('whatever happens, what was answered is there, whole, and what was refused is not', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 15 }),
      fc.constantFrom(1, 400, 3000),
      async (steps, checkpointBytes) => {
        const disk = memoryFiles()
        const open = () => openOn(disk, { checkpointBytes })
        let [store, model] = [await open(), emptyModel()]
        for (const each of steps) {
          const next = await take(each, { disk, store, model, open })
          store = next.store
          model = next.model
          expect(await stateOf(store)).toEqual(shown(model))
        }
        await store.close()
        expect(await stateOf(await open())).toEqual(shown(model))
      },
    ),
    { numRuns: 300 },
  )
})

interface At {
  disk: MemoryDisk
  store: Store
  model: Model
  open: () => Promise<Store>
}

async function take(each: Step, at: At): Promise<{ store: Store; model: Model }> {
  const { disk, store, model, open } = at
  switch (each.do) {
    case 'transact':
      await Promise.all(each.writes.map((list) => apply(store, list)))
      return { store, model: each.writes.reduce(changed, model) }
    case 'fail':
      await expect(apply(store, each.writes, new Error('no'))).rejects.toThrow('no')
      return at
    case 'reopen':
      await store.close()
      return { store: await open(), model }
    case 'kill':
      disk.kill()
      return { store: await open(), model }
    case 'full-disk':
      return fullDisk(each, at)
    case 'crash':
      return crash(each, at)
  }
}

/** Commits are refused together or not at all, and the store goes on. */
async function fullDisk(each: Step & { do: 'full-disk' }, { disk, store, model }: At) {
  let left = each.kind === 'sync' ? 1 : Infinity // The next one cuts off what was refused, for good.
  disk.before = ({ kind }) => {
    if (kind === each.kind && left-- > 0) throw new Error('ENOSPC')
  }
  const results = await Promise.allSettled(each.writes.map((list) => apply(store, list)))
  disk.before = () => undefined
  const taken = each.writes.filter((_, n) => results[n]?.status === 'fulfilled')
  return { store, model: taken.reduce(changed, model) }
}

/** The power goes at some operation: what was answered is kept, and of the rest the first few may be. */
async function crash(each: Step & { do: 'crash' }, { disk, store, model, open }: At) {
  const start = disk.done.length
  let asked = 0
  const luck = () => each.luck[asked++ % each.luck.length] ?? 0
  disk.before = () => {
    if (disk.done.length === start + each.operation) disk.powerCut(luck)
  }
  const results = await Promise.allSettled(each.writes.map((list) => apply(store, list)))
  await store.close()
  disk.before = () => undefined
  disk.powerCut(luck)
  const answered = results.findLastIndex(({ status }) => status === 'fulfilled') + 1
  const reopened = await open()
  const state = await stateOf(reopened)
  const possible = each.writes
    .slice(answered)
    .reduce(
      (models, list) => [...models, changed(models.at(-1) ?? model, list)],
      [each.writes.slice(0, answered).reduce(changed, model)],
    )
  expect(possible.map(shown)).toContainEqual(state)
  const kept = possible.find((one) => JSON.stringify(shown(one)) === JSON.stringify(state)) ?? model
  return { store: reopened, model: kept }
}

function apply(store: Store, list: readonly Write[], fault?: Error): Promise<void> {
  return store.transact(async (tx) => {
    for (const each of list) {
      if ('put' in each) await tx.messages.put(aMessage(each.put, { user: each.user }))
      else if ('remove' in each) await tx.messages.remove(each.remove)
      else await tx.audit.append(rowOf(each.row))
    }
    if (fault !== undefined) throw fault
  })
}

function emptyModel(): Model {
  return { messages: new Map(), rows: new Map() }
}

function changed(model: Model, list: readonly Write[]): Model {
  const next = { messages: new Map(model.messages), rows: new Map(model.rows) }
  for (const each of list) {
    if ('put' in each) next.messages.set(each.put, each.user)
    else if ('remove' in each) next.messages.delete(each.remove)
    else next.rows.set(rowOf(each.row).id, rowOf(each.row).at)
  }
  return next
}

/** Rows over three months, some at the same instant. */
function rowOf(n: number) {
  return aRow(`A-${n}`, second(Math.floor(n / 2), ['10', '11', '12'][n % 3] ?? '10'))
}

function shown(model: Model) {
  const messages = [...model.messages].sort(([a], [b]) => (a < b ? -1 : 1))
  const byUser = users.map((user) => messages.filter(([, other]) => other === user).map(([id]) => id))
  const rows = [...model.rows].map(([id, at]) => `${at} ${id}`).sort()
  return { messages, byUser, counts: byUser.map((list) => list.length), rows: rows.reverse() }
}

function stateOf(store: Store) {
  return store.read(async (tx) => {
    const byUser: string[][] = []
    const counts: number[] = []
    for (const user of users) {
      byUser.push((await tx.messages.find('conversation', user)).map(({ id }) => id))
      counts.push(await tx.messages.count('conversation', user))
    }
    const messages = (await tx.messages.all()).map(({ id, user }): [string, string] => [id, user])
    const rows: string[] = []
    let after: string | null = ''
    while (after !== null) {
      const page = await tx.audit.page({ ...(after === '' ? {} : { after }), limit: 7 })
      rows.push(...page.items.map(({ id, at }) => `${at} ${id}`))
      after = page.next
    }
    return { messages, byUser, counts, rows }
  })
}
