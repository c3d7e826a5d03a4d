import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { silentLog } from '../../src/base/log.ts'
import { approveRequest } from '../../src/operations/approve-request.ts'
import { openDesktop } from '../../src/operations/open-desktop.ts'
import { requestMachine } from '../../src/operations/request-machine.ts'
import { postgres } from '../../src/store/postgres.ts'
import { type Core, day, openCore } from '../operations/core.ts'
import { type Cluster, freshSchema, missingServer, openCluster } from '../store/cluster.ts'

const unless = missingServer === undefined ? '' : ` (needs PostgreSQL: ${missingServer})`

/** Two months of a site: what people were told and charged, and what was done how often. */
async function twoMonths(core: Core) {
  const { operations, store } = core
  const order = { template: 'slc5', days: 40, budget: 'T-1042', purpose: 'a test' }
  for (const name of ['one', 'two', 'three']) {
    const { id } = await operations.perform(requestMachine, await core.as('alice'), { ...order, name })
    await core.settle()
    await operations.perform(approveRequest, await core.as('bob'), { id })
  }
  await operations.perform(requestMachine, await core.as('carol'), { ...order, name: 'four' })
  await operations.perform(openDesktop, await core.as('carol'), { pool: 'public' })
  await core.settle()
  await core.pass(60 * day)
  const { jobs, charges } = await store.read(async (tx) => ({
    jobs: await tx.jobs.all(),
    charges: await tx.charges.page({ limit: 10_000 }),
  }))
  return {
    told: core.told.notices.map(({ user, notice }) => `${notice.at} ${notice.kind} ${user}`).sort(),
    charges: charges.items.length,
    // Cards are drawn as often as there is something new.
    unfinished: jobs.filter(({ state }) => state !== 'done').length,
  }
}

describe.skipIf(missingServer !== undefined)(`three processes on one site${unless}`, () => {
  let cluster: Cluster
  beforeAll(async () => {
    cluster = await openCluster()
  })
  afterAll(() => cluster.dispose())

  test('tell, remind and charge as one process does', { timeout: 300_000 }, async () => {
    const schema = freshSchema()
    const open = () => postgres({ url: cluster.url, schema, log: silentLog })
    const alone = await openCore()
    const several = await openCore({ stores: [await open(), await open(), await open()] })

    const [one, three] = [await twoMonths(alone), await twoMonths(several)]

    expect(one.told.length).toBeGreaterThan(20)
    expect(one.charges).toBeGreaterThan(60)
    expect(three).toEqual(one)
    await Promise.all([alone.close(), several.close()])
  })
})
