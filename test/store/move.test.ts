import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { moveStores } from '../../src/cli/move.ts'
import { lowdb } from '../../src/store/lowdb.ts'
import { moveSite } from '../../src/store/move.ts'
import { postgres } from '../../src/store/postgres.ts'
import type { Store } from '../../src/store/store.ts'
import { memoryFiles } from '../fakes/memory-files.ts'
import { type Cluster, missingServer, openCluster } from './cluster.ts'
import { aDesktop, aLease, aMachine, aMessage, aRequest, aRow, second } from './documents.ts'
import { openOn, valueOf } from './opened.ts'

/** Something of most kinds, and more than goes into a page. */
async function fill(store: Store): Promise<void> {
  await store.transact(async (tx) => {
    await tx.machines.put(aMachine({ administrators: ['alice', 'bob'] }))
    for (const number of [1, 9, 10]) await tx.requests.put(aRequest(number))
    await tx.desktops.put(aDesktop())
    await tx.leases.put(aLease())
    for (let n = 0; n < 1100; n++) await tx.messages.put(aMessage(`m-${n}`, { body: { text: `\0 ${n}` } }))
    await tx.secrets.put({ id: 'key', value: 'secret' })
    await tx.counters.put({ id: 'a', value: 7 })
    for (let n = 0; n < 600; n++)
      await tx.audit.append(aRow(`A-${n}`, second(n % 7, n % 2 === 0 ? '10' : '11')))
  })
}

describe('moving to a store', () => {
  let from: Store
  let to: Store
  beforeEach(async () => {
    from = await openOn(memoryFiles())
    to = await openOn(memoryFiles())
  })
  afterEach(async () => {
    await from.close()
    await to.close()
  })

  test('that holds something is refused, and changes nothing', async () => {
    await fill(from)
    await to.transact((tx) => tx.audit.append(aRow('A-1')))

    await expect(moveSite(from, to)).rejects.toMatchObject({ code: 'store_not_empty' })
    expect(await valueOf(to)).toBeUndefined()
  })

  test('that does not give back what it was given is noticed', async () => {
    await fill(from)
    const forgetful: Store = {
      shared: false,
      ...{ onCommit: () => () => undefined, health: () => to.health(), close: () => to.close() },
      read: (work) => to.read(work),
      transact: async (work) => {
        const value = await to.transact(work)
        await to.transact((tx) => tx.messages.remove('m-7'))
        return value
      },
    }

    await expect(moveSite(from, forgetful)).rejects.toMatchObject({
      code: 'store_differs',
      message:
        'messages differ: 1100 before, 1099 after. Stop everything that uses either store, and move again.',
    })
  })
})

describe.skipIf(missingServer !== undefined)(`moving a site ${missingServer ?? ''}`, () => {
  let cluster: Cluster
  let folder: string
  beforeAll(async () => {
    cluster = await openCluster()
    folder = await mkdtemp(join(tmpdir(), 'jackdaw-move-'))
  })
  afterAll(async () => {
    await cluster.dispose()
    await rm(folder, { recursive: true })
  })

  test('from the embedded store to PostgreSQL and back, everything is as it was', async () => {
    const [first, second] = [join(folder, 'first'), join(folder, 'second')]
    const embedded = await lowdb({ path: first, log: silentLog, clock: systemClock })
    await fill(embedded)
    await embedded.close()

    const there = await moveStores(`lowdb:${first}`, cluster.url)
    const back = await moveStores(cluster.url, `lowdb:${second}`)

    expect(there).toMatch(/^messages +1100 {2}[0-9a-f]{64}$/m)
    expect(there).toMatch(/^audit +600 {2}[0-9a-f]{64}$/m)
    expect(back).toBe(there)
    await expect(moveStores(`lowdb:${first}`, cluster.url)).rejects.toMatchObject({ code: 'store_not_empty' })
    const store = await postgres({ url: cluster.url, log: silentLog })
    expect(await store.read((tx) => tx.requests.find('approver', 'bob'))).toEqual(
      [1, 9, 10].map((n) => aRequest(n)),
    )
    await store.close()
  })

  test('a store that is named in no known way is refused', async () => {
    await expect(moveStores('sqlite:x', cluster.url)).rejects.toMatchObject({ code: 'store_unfit' })
  })
})
