import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Change, Store } from '../../src/store/store.ts'
import {
  aDesktop,
  aJob,
  aLease,
  aMachine,
  aMessage,
  aRequest,
  aRow,
  aSession,
  second,
} from '../store/documents.ts'

/** An empty store of the adapter under test, how to close it and open what it left, and how to clear up. */
export interface OpenedStore {
  store: Store
  reopen(): Promise<Store>
  dispose(): Promise<void>
}

/** Every promise of the port, to be kept by every adapter. */
export function storeContract(name: string, open: () => Promise<OpenedStore>): void {
  describe(`${name} keeps the store's promises`, () => {
    let opened: OpenedStore
    let store: Store
    beforeEach(async () => {
      opened = await open()
      store = opened.store
    })
    afterEach(() => opened.dispose())

    const put = (...values: [string, number][]) =>
      store.transact(async (tx) => {
        for (const [id, value] of values) await tx.counters.put({ id, value })
      })
    const valueOf = (id: string) => store.read(async (tx) => (await tx.counters.get(id))?.value)

    describe('transactions', () => {
      test('a transaction gives back what its work gives back, and its writes are there for others', async () => {
        const answer = await store.transact(async (tx) => {
          await tx.counters.put({ id: 'a', value: 1 })
          return 'done'
        })

        expect(answer).toBe('done')
        expect(await valueOf('a')).toBe(1)
      })

      test('a transaction sees its own writes, by id, by index, in counts and in pages', async () => {
        const seen = await store.transact(async (tx) => {
          await tx.messages.put(aMessage('m1'))
          await tx.messages.put(aMessage('m2'))
          await tx.messages.remove('m1')
          return {
            gone: await tx.messages.get('m1'),
            found: await tx.messages.find('conversation', 'alice'),
            count: await tx.messages.count('conversation', 'alice'),
            page: await tx.messages.page({ limit: 10 }),
          }
        })

        expect(seen.gone).toBeUndefined()
        expect(seen.found.map(({ id }) => id)).toEqual(['m2'])
        expect(seen.count).toBe(1)
        expect(seen.page.items.map(({ id }) => id)).toEqual(['m2'])
      })

      test('work that throws leaves nothing behind: no document, no index entry, no row', async () => {
        await store.transact((tx) => tx.messages.put(aMessage('m1', { user: 'alice' })))
        const fault = new Error('changed my mind')

        const attempt = store.transact(async (tx) => {
          await tx.messages.put(aMessage('m1', { user: 'bob' }))
          await tx.messages.put(aMessage('m2'))
          await tx.messages.remove('m1')
          await tx.audit.append(aRow('A-1'))
          throw fault
        })

        await expect(attempt).rejects.toBe(fault)
        await store.read(async (tx) => {
          expect((await tx.messages.all()).map(({ id }) => id)).toEqual(['m1'])
          expect(await tx.messages.count('conversation', 'alice')).toBe(1)
          expect(await tx.messages.count('conversation', 'bob')).toBe(0)
          expect((await tx.audit.page({ limit: 10 })).items).toEqual([])
        })
      })

      test('fifty transactions at once on one document are as fifty one after the other', async () => {
        await put(['a', 0])

        const answers = await Promise.all(
          Array.from({ length: 50 }, () =>
            store.transact(async (tx) => {
              const value = ((await tx.counters.get('a'))?.value ?? 0) + 1
              await tx.counters.put({ id: 'a', value })
              return value
            }),
          ),
        )

        expect(new Set(answers).size).toBe(50)
        expect(await valueOf('a')).toBe(50)
      })

      test('a read beside running transactions never sees half of one', async () => {
        await put(['left', 50], ['right', 50])
        const move = () =>
          store.transact(async (tx) => {
            const left = (await tx.counters.get('left'))?.value ?? 0
            await tx.counters.put({ id: 'left', value: left - 1 })
            await tx.counters.put({ id: 'right', value: 101 - left })
          })
        const sum = () =>
          store.read(async (tx) => {
            const left = (await tx.counters.get('left'))?.value ?? 0
            return left + ((await tx.counters.get('right'))?.value ?? 0)
          })

        const [sums] = await Promise.all([
          Promise.all(Array.from({ length: 20 }, sum)),
          Promise.all(Array.from({ length: 20 }, move)),
        ])

        expect(new Set(sums)).toEqual(new Set([100]))
      })

      test('what a read throws comes out unchanged', async () => {
        const fault = new Error('not found')

        const attempt = store.read(() => Promise.reject(fault))

        await expect(attempt).rejects.toBe(fault)
      })

      test('a transaction that is used after its end is a fault, and changes nothing', async () => {
        const late = await store.transact(async (tx) => () => tx.counters.put({ id: 'late', value: 1 }))

        await expect(late()).rejects.toMatchObject({ name: 'AssertionError' })
        expect(await valueOf('late')).toBeUndefined()
      })
    })

    describe('documents', () => {
      test('a document that was put cannot be changed any more, however deep', async () => {
        const machine = aMachine({ reminders: [{ end: 'e', dueAt: 'd', notice: 'n', deliveredAt: null }] })

        await store.transact((tx) => tx.machines.put(machine))
        const kept = await store.read((tx) => tx.machines.get('web1'))

        expect(Reflect.set(machine, 'owner', 'mallory')).toBe(false)
        expect(Reflect.set(kept?.reminders[0] ?? {}, 'notice', 'other')).toBe(false)
        expect(Reflect.set(kept?.administrators ?? {}, '0', 'mallory')).toBe(false)
      })

      test.each([
        ['a date', new Date(0)],
        ['a map', new Map()],
        ['a number that is none', Number.NaN],
        ['a function', () => 1],
        ['nothing within a list', [undefined]],
      ])('a document with %s in it is refused, and so is its transaction', async (_, body) => {
        const attempt = store.transact(async (tx) => {
          await tx.counters.put({ id: 'a', value: 1 })
          await tx.messages.put(aMessage('m1', { body: { text: body } }))
        })

        await expect(attempt).rejects.toMatchObject({ name: 'AssertionError' })
        expect(await valueOf('a')).toBeUndefined()
      })

      test('a property that is undefined is left out, now and after a restart', async () => {
        const body = { kept: 1, gone: undefined }

        await store.transact((tx) => tx.messages.put(aMessage('m1', { body })))
        const before = await store.read((tx) => tx.messages.get('m1'))
        const after = await (await opened.reopen()).read((tx) => tx.messages.get('m1'))

        expect(before?.body).toStrictEqual({ kept: 1 })
        expect(after?.body).toStrictEqual({ kept: 1 })
      })

      test('taking out a document that is not there is harmless', async () => {
        await store.transact((tx) => tx.counters.remove('nobody'))

        expect(await store.read((tx) => tx.counters.all())).toEqual([])
      })
    })

    describe('indexes', () => {
      test('what the documents of a key add up to follows every change, and every change that is taken back', async () => {
        const host = 'cernwod01'
        const totalOf = (key: string) => store.read((tx) => tx.machines.total('host', key))
        await store.transact(async (tx) => {
          await tx.machines.put(aMachine({ id: 'a', host, cpus: 1, memoryGb: 0.5 }))
          await tx.machines.put(aMachine({ id: 'b', host, cpus: 2, memoryGb: 4 }))
          await tx.machines.put(aMachine({ id: 'nowhere', host: null, cpus: 8, memoryGb: 8 }))
        })
        const first = await totalOf(host)
        const within = await store.transact(async (tx) => {
          await tx.machines.put(aMachine({ id: 'b', host, cpus: 4, memoryGb: 4 }))
          await tx.machines.put(aMachine({ id: 'c', host, cpus: 1, memoryGb: 1 }))
          await tx.machines.put(aMachine({ id: 'a', host: 'cernwod02', cpus: 1, memoryGb: 0.5 }))
          return tx.machines.total('host', host)
        })
        const broken = store.transact(async (tx) => {
          await tx.machines.remove('b')
          await tx.machines.total('host', host)
          throw new Error('not after all')
        })
        await expect(broken).rejects.toThrow('not after all')
        const kept = await totalOf(host)
        await store.transact(async (tx) => {
          await tx.machines.remove('b')
          await tx.machines.remove('c')
        })

        const none = { count: 0, sums: { cpus: 0, memoryGb: 0 } }
        expect(first).toEqual({ count: 2, sums: { cpus: 3, memoryGb: 4.5 } })
        expect(within).toEqual({ count: 2, sums: { cpus: 5, memoryGb: 5 } })
        expect(kept).toEqual(within)
        expect(await totalOf(host)).toEqual(none)
        expect(await totalOf('cernwod02')).toEqual({ count: 1, sums: { cpus: 1, memoryGb: 0.5 } })
        expect(await totalOf('unknown')).toEqual(none)
      })

      test('an index follows changes and removals', async () => {
        await store.transact((tx) => tx.machines.put(aMachine({ owner: 'alice', state: 'running' })))
        await store.transact((tx) => tx.machines.put(aMachine({ owner: 'bob', state: 'running' })))

        const seen = await store.read(async (tx) => ({
          alice: await tx.machines.find('owner', 'alice'),
          bob: await tx.machines.find('owner', 'bob'),
          running: await tx.machines.count('state', 'running'),
        }))
        await store.transact((tx) => tx.machines.remove('web1'))

        expect(seen.alice).toEqual([])
        expect(seen.bob.map(({ id }) => id)).toEqual(['web1'])
        expect(seen.running).toBe(1)
        expect(await store.read((tx) => tx.machines.find('owner', 'bob'))).toEqual([])
      })

      test('a document with several keys is found by each of them, once', async () => {
        const approvers = ['bob', 'dave', 'bob'].map((user) => ({ user, why: 'holder' }))

        await store.transact((tx) => tx.requests.put(aRequest(1, { approvers })))

        await store.read(async (tx) => {
          expect((await tx.requests.find('approver', 'bob')).map(({ id }) => id)).toEqual(['R-1'])
          expect((await tx.requests.find('approver', 'dave')).map(({ id }) => id)).toEqual(['R-1'])
          expect(await tx.requests.count('approver', 'bob')).toBe(1)
        })
      })

      test('a document whose state gives it no key is not found any more', async () => {
        await store.transact((tx) => tx.requests.put(aRequest(1)))

        await store.transact((tx) => tx.requests.put(aRequest(1, { state: 'denied' })))

        expect(await store.read((tx) => tx.requests.find('approver', 'bob'))).toEqual([])
      })

      test('what is found is in the order of the collection: requests by number, not by text', async () => {
        await store.transact(async (tx) => {
          for (const number of [10, 9, 100, 1]) await tx.requests.put(aRequest(number))
        })

        const found = await store.read((tx) => tx.requests.find('state', 'pending'))
        const all = await store.read((tx) => tx.requests.all())

        expect(found.map(({ number }) => number)).toEqual([1, 9, 10, 100])
        expect(all.map(({ number }) => number)).toEqual([1, 9, 10, 100])
      })

      test('what is due comes lowest key first, up to and with the bound, and no more than the limit', async () => {
        await store.transact(async (tx) => {
          for (const n of [5, 1, 3, 2, 4]) await tx.sessions.put(aSession(`s${n}`, second(n)))
        })

        const upTo = (bound: string, limit: number) =>
          store.read(async (tx) => (await tx.sessions.upTo('expiry', bound, limit)).map(({ id }) => id))

        expect(await upTo(second(3), 10)).toEqual(['s1', 's2', 's3'])
        expect(await upTo(second(9), 2)).toEqual(['s1', 's2'])
        expect(await upTo(second(0), 10)).toEqual([])
      })

      test('the lowest key tells when something is due next', async () => {
        const lowest = () => store.read((tx) => tx.jobs.lowest('due'))
        const before = await lowest()

        await store.transact(async (tx) => {
          await tx.jobs.put(aJob({ id: 'J-1', dueAt: second(7) }))
          await tx.jobs.put(aJob({ id: 'J-2', dueAt: second(5), state: 'running' }))
        })

        expect(before).toBeUndefined()
        expect(await lowest()).toBe(second(7))
      })

      test('a desktop has one open lease: a second one fails its whole transaction', async () => {
        await store.transact((tx) => tx.leases.put(aLease({ id: 'L-1' })))

        const attempt = store.transact(async (tx) => {
          await tx.counters.put({ id: 'a', value: 1 })
          await tx.leases.put(aLease({ id: 'L-2' }))
        })

        await expect(attempt).rejects.toMatchObject({ name: 'AssertionError' })
        expect(await valueOf('a')).toBeUndefined()
        expect(await store.read((tx) => tx.leases.get('L-2'))).toBeUndefined()
      })

      test('work that swallows such a fault is rejected all the same', async () => {
        await store.transact((tx) => tx.leases.put(aLease({ id: 'L-1' })))

        const attempt = store.transact(async (tx) => {
          await tx.counters.put({ id: 'a', value: 1 })
          await tx.leases.put(aLease({ id: 'L-2' })).catch(() => undefined)
        })

        await expect(attempt).rejects.toMatchObject({ name: 'AssertionError' })
        expect(await valueOf('a')).toBeUndefined()
      })

      test('once a lease has ended its desktop may have another, and a lease may be put again', async () => {
        await store.transact((tx) => tx.leases.put(aLease({ id: 'L-1' })))
        await store.transact((tx) => tx.leases.put(aLease({ id: 'L-1', connections: 1 })))

        await store.transact(async (tx) => {
          await tx.leases.put(aLease({ id: 'L-1', state: 'ended', endedAt: second(1) }))
          await tx.leases.put(aLease({ id: 'L-2' }))
        })

        const open = await store.read((tx) => tx.leases.find('open-desktop', 'desk1'))
        expect(open.map(({ id }) => id)).toEqual(['L-2'])
      })

      test('of two transactions that put an open lease on one desktop at the same time, one fails', async () => {
        const attempts = ['L-1', 'L-2'].map((id) => store.transact((tx) => tx.leases.put(aLease({ id }))))

        const results = await Promise.allSettled(attempts)

        expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
      })
    })

    describe('claims', () => {
      test('thirty people at ten desktops get ten different ones, and the rest get none', async () => {
        await store.transact(async (tx) => {
          for (let n = 0; n < 10; n++) await tx.desktops.put(aDesktop({ id: `desk${n}` }))
        })

        const claims = await Promise.all(
          Array.from({ length: 30 }, () =>
            store.transact(async (tx) => {
              const desktop = await tx.desktops.claim('free', 'office')
              if (desktop !== undefined) await tx.desktops.put({ ...desktop, state: 'leased' })
              return desktop?.id
            }),
          ),
        )

        const given = claims.filter((id) => id !== undefined)
        expect(given).toHaveLength(10)
        expect(new Set(given).size).toBe(10)
      })

      test('a claim whose transaction fails is free again', async () => {
        await store.transact((tx) => tx.desktops.put(aDesktop()))
        const attempt = store.transact(async (tx) => {
          const desktop = await tx.desktops.claim('free', 'office')
          if (desktop !== undefined) await tx.desktops.put({ ...desktop, state: 'leased' })
          throw new Error('the terminal went away')
        })
        await expect(attempt).rejects.toThrow('the terminal went away')

        const claimed = await store.transact((tx) => tx.desktops.claim('free', 'office'))

        expect(claimed?.id).toBe('desk1')
      })
    })

    describe('pages', () => {
      const pagesOf = async (options: { newestFirst?: boolean; user?: string }): Promise<string[][]> => {
        const pages: string[][] = []
        let after: string | null = ''
        while (after !== null) {
          const cursor: { after?: string } = after === '' ? {} : { after }
          const where = options.user === undefined ? {} : { where: conversation(options.user) }
          const { newestFirst = false } = options
          const page = await store.read((tx) =>
            tx.messages.page({ ...cursor, ...where, limit: 2, newestFirst }),
          )
          pages.push(page.items.map(({ id }) => id))
          after = page.next
        }
        return pages
      }
      const conversation = (key: string): { index: 'conversation'; key: string } => ({
        index: 'conversation',
        key,
      })
      beforeEach(() =>
        store.transact(async (tx) => {
          for (const id of ['m5', 'm1', 'm3', 'm2', 'm4']) await tx.messages.put(aMessage(id))
          await tx.messages.put(aMessage('m0', { user: 'aaron' }))
          await tx.messages.put(aMessage('m6', { user: 'zoe' }))
        }),
      )

      test.each([
        [{}, [['m0', 'm1'], ['m2', 'm3'], ['m4', 'm5'], ['m6']]],
        [{ newestFirst: true }, [['m6', 'm5'], ['m4', 'm3'], ['m2', 'm1'], ['m0']]],
        [{ user: 'alice' }, [['m1', 'm2'], ['m3', 'm4'], ['m5']]],
        [{ user: 'alice', newestFirst: true }, [['m5', 'm4'], ['m3', 'm2'], ['m1']]],
        [{ user: 'nobody' }, [[]]],
      ])('a walk through %o gives everything once, in order', async (options, expected) => {
        const pages = await pagesOf(options)

        expect(pages).toEqual(expected)
      })

      test('a last page that is full says that it is the last', async () => {
        const page = await store.read((tx) => tx.messages.page({ limit: 7 }))

        expect(page.items).toHaveLength(7)
        expect(page.next).toBeNull()
      })

      test('a cursor still holds when its document is gone', async () => {
        const first = await store.read((tx) => tx.messages.page({ limit: 2 }))
        await store.transact((tx) => tx.messages.remove('m1'))

        const next = await store.read((tx) => tx.messages.page({ limit: 2, after: first.next ?? '' }))

        expect(next.items.map(({ id }) => id)).toEqual(['m2', 'm3'])
      })
    })

    describe('journals', () => {
      const append = (...rows: ReturnType<typeof aRow>[]) =>
        store.transact(async (tx) => {
          for (const row of rows) await tx.audit.append(row)
        })
      const idsOf = (options: { from?: string; to?: string }, from: Store = store) =>
        from.read(async (tx) => (await tx.audit.page({ ...options, limit: 100 })).items.map(({ id }) => id))

      test('rows come newest first, across months', async () => {
        await append(aRow('A-2', second(2, '11')), aRow('A-1', second(1, '11')), aRow('A-3', second(1, '12')))

        expect(await idsOf({})).toEqual(['A-3', 'A-2', 'A-1'])
      })

      test('a row that is added again adds nothing: in its transaction, in the next, and after a restart', async () => {
        await append(aRow('A-1'), aRow('A-1'))
        await append(aRow('A-1'))
        store = await opened.reopen()
        await append(aRow('A-1'))

        expect(await idsOf({})).toEqual(['A-1'])
      })

      test('a page may be limited to a time: from the first instant, up to but without the last', async () => {
        await append(...[1, 2, 3, 4].map((n) => aRow(`A-${n}`, second(n))))

        expect(await idsOf({ from: second(2), to: second(4) })).toEqual(['A-3', 'A-2'])
        expect(await idsOf({ from: second(4) })).toEqual(['A-4'])
        expect(await idsOf({ to: second(2) })).toEqual(['A-1'])
      })

      test('a walk gives everything once, though rows from before and after a restart are mixed', async () => {
        await append(...[1, 3, 5, 7].map((n) => aRow(`A-${n}`, second(n))))
        store = await opened.reopen()
        await append(...[2, 4, 6].map((n) => aRow(`A-${n}`, second(n))), aRow('A-6b', second(6)))

        const seen: string[] = []
        let next: string | null = ''
        while (next !== null) {
          const cursor: { after?: string } = next === '' ? {} : { after: next }
          const page = await store.read((tx) => tx.audit.page({ ...cursor, limit: 3 }))
          seen.push(...page.items.map(({ id }) => id))
          next = page.next
        }

        expect(seen).toEqual(['A-7', 'A-6b', 'A-6', 'A-5', 'A-4', 'A-3', 'A-2', 'A-1'])
      })
    })

    describe('listeners', () => {
      const heard = (count: number) => {
        const commits: (readonly Change[])[] = []
        let stop: () => void = () => undefined
        const all = new Promise<(readonly Change[])[]>((resolve) => {
          stop = store.onCommit((changes) => {
            if (commits.push(changes) === count) resolve(commits)
          })
        })
        return { all, commits, stop: () => stop() }
      }

      test('a listener hears what each commit changed, in order, each document once', async () => {
        const ear = heard(2)

        await store.transact(async (tx) => {
          await tx.counters.put({ id: 'a', value: 1 })
          await tx.counters.put({ id: 'a', value: 2 })
          await tx.messages.put(aMessage('m1'))
        })
        await store.transact((tx) => tx.counters.remove('a'))

        expect(await ear.all).toEqual([
          [
            { collection: 'counters', id: 'a' },
            { collection: 'messages', id: 'm1' },
          ],
          [{ collection: 'counters', id: 'a' }],
        ])
      })

      test('a listener hears nothing of a transaction that failed, nor of one that changed nothing', async () => {
        const ear = heard(1)

        await store
          .transact(async (tx) => {
            await tx.counters.put({ id: 'a', value: 1 })
            throw new Error('no')
          })
          .catch(() => undefined)
        await store.transact((tx) => tx.counters.get('a'))
        await put(['b', 1])

        expect(await ear.all).toEqual([[{ collection: 'counters', id: 'b' }]])
      })

      test('a listener that throws harms nobody, and one that has stopped hears no more', async () => {
        store.onCommit(() => {
          throw new Error('deaf')
        })
        const stopped = heard(1)
        stopped.stop()
        const ear = heard(1)

        await put(['a', 1])
        await ear.all

        expect(stopped.commits).toEqual([])
        expect(await valueOf('a')).toBe(1)
      })
    })

    describe('the end', () => {
      test('everything that was answered is there after a restart', async () => {
        await put(['a', 1], ['b', 2])
        await store.transact(async (tx) => {
          await tx.counters.remove('b')
          await tx.requests.put(aRequest(12))
          await tx.audit.append(aRow('A-1'))
        })
        const seen = await store.read((tx) => tx.counters.all())

        const after = await opened.reopen()

        await after.read(async (tx) => {
          expect(await tx.counters.all()).toEqual(seen)
          expect(await tx.requests.find('approver', 'bob')).toEqual([aRequest(12)])
          expect((await tx.audit.page({ limit: 10 })).items).toEqual([aRow('A-1')])
        })
      })

      test('closing waits for what was asked for before, and twice is harmless', async () => {
        const asked = put(['a', 1])

        await Promise.all([store.close(), store.close()])

        await expect(asked).resolves.toBeUndefined()
        store = await opened.reopen()
        expect(await valueOf('a')).toBe(1)
      })

      test('a closed store says so', async () => {
        await store.close()

        await expect(put(['a', 1])).rejects.toMatchObject({ code: 'store_closed' })
        await expect(valueOf('a')).rejects.toMatchObject({ code: 'store_closed' })
      })

      test('a store that takes its writes says that it is well', () => {
        expect(store.health()).toEqual({ writable: true, reason: null })
      })
    })
  })
}
