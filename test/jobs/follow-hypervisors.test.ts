import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { plusMillis } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { openDirectory } from '../../src/identity/open.ts'
import { followHypervisors } from '../../src/jobs/follow-hypervisors.ts'
import type { Tools } from '../../src/jobs/trade.ts'
import { type Core, countedIds, openCore } from '../operations/core.ts'
import { ordered, shown } from '../operations/ordered.ts'

let core: Core
let stop: () => Promise<void>
beforeEach(async () => {
  core = await openCore()
  await ordered(core)
  core.clock.set(plusMillis(core.clock.now(), 60_000))
})
afterEach(async () => {
  await stop()
  await core.close()
})

async function toolsOf({ store, config, clock, told, hypervisor }: Core): Promise<Tools> {
  const directory = await openDirectory(config.identity)
  const outside = { directory, teller: told, registrars: [], closeConnections: async () => 0 }
  const hypervisors = new Map([[hypervisor.name, hypervisor]])
  return { store, site: config.site, clock, ids: countedIds(), log: silentLog, hypervisors, ...outside }
}

async function refOf(): Promise<string> {
  return (await core.store.read((tx) => tx.machines.get('webafs20')))?.ref ?? ''
}

test('a machine that dies shows it without waiting for the look at everything', async () => {
  stop = followHypervisors(await toolsOf(core))

  await core.hypervisor.stopBehindOurBack(await refOf())

  await vi.waitFor(async () => expect((await shown(core)).state).toBe('stopped'), 5_000)
})

test('a hypervisor that breaks off its hints is listened to again', async () => {
  const tools = await toolsOf(core)
  const { hypervisor } = core
  let calls = 0
  const changes = (signal: AbortSignal) => {
    calls += 1
    if (calls === 1) throw new Error('the connection was lost')
    return hypervisor.changes(signal)
  }
  stop = followHypervisors({ ...tools, hypervisors: new Map([['wod', { ...hypervisor, changes }]]) })
  await vi.waitFor(() => expect(calls).toBe(2), 5_000)

  await hypervisor.stopBehindOurBack(await refOf())

  await vi.waitFor(async () => expect((await shown(core)).state).toBe('stopped'), 5_000)
})
