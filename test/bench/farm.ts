import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { z } from 'zod'
import { silentLog } from '../../src/base/log.ts'
import { openDirectory } from '../../src/identity/open.ts'
import { system } from '../../src/identity/person.ts'
import { observeHypervisors } from '../../src/jobs/observe-hypervisors.ts'
import type { Tools } from '../../src/jobs/trade.ts'
import type { Machine } from '../../src/machines/machine.ts'
import { listMachines } from '../../src/operations/list-machines.ts'
import { type Core, countedIds, demoConfig, minute, openCore } from '../operations/core.ts'
import { numbers, putAll, someMachine } from './fixtures.ts'
import { cpuMillisOf, type Row } from './measure.ts'

const sizes = [1_000, 5_000, 20_000] as const
const perHost = 20
const rounds = 5
/** A page is too quick to be measured alone. */
const turns = 50

interface Measured {
  machines: number
  /** For each round, in milliseconds of a processor. */
  looks: number[]
  pages: number[]
  lists: number[]
  kilobytes: number
}

/** One process with a simulated farm that grows: looking at all of it, listing it, and what a machine takes of memory. */
export async function farmRows(): Promise<Row[]> {
  await measure(1_000) // The code is run once before it is measured.
  const found: Measured[] = []
  for (const machines of sizes) found.push(await measure(machines))
  const [first, ...larger] = found
  return first === undefined ? [] : larger.flatMap((one) => rowsOf(one, first))
}

function rowsOf(one: Measured, first: Measured): Row[] {
  const against = `with ${first.machines} machines`
  const each = (times: readonly number[], { machines }: Measured) => times.map((millis) => millis / machines)
  return [
    {
      ...{ name: `farm: a look at everything, a machine of ${one.machines}`, against },
      ratios: ratios(each(one.looks, one), each(first.looks, first)),
      note: `${middle(first.looks).toFixed(0)} ms, ${middle(one.looks).toFixed(0)} ms for all of them`,
    },
    {
      ...{ name: `farm: the first page of the list, ${one.machines} machines`, against },
      ratios: ratios(one.pages, first.pages),
      note: `${(middle(first.pages) / turns).toFixed(2)} ms, ${(middle(one.pages) / turns).toFixed(2)} ms`,
    },
    {
      ...{ name: `farm: the whole list, a machine of ${one.machines}`, against },
      ratios: ratios(each(one.lists, one), each(first.lists, first)),
      note: `${middle(first.lists).toFixed(0)} ms, ${middle(one.lists).toFixed(0)} ms for all of them`,
    },
    {
      ...{ name: `farm: memory, a machine of ${one.machines}`, against },
      ratios: [one.kilobytes / first.kilobytes],
      note: `${first.kilobytes.toFixed(1)} KB, ${one.kilobytes.toFixed(1)} KB a machine, the farm and the store together`,
    },
  ]
}

function ratios(some: readonly number[], base: readonly number[]): number[] {
  return some.map((value, index) => value / (base[index] ?? middle(base)))
}

function middle(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

async function measure(machines: number): Promise<Measured> {
  const core = await siteOf(machines)
  const before = heapKilobytes()
  await fill(core, machines)
  const tools = await toolsOf(core)
  const sweep = observeHypervisors(0)
  await sweep.run(tools)
  const kilobytes = (heapKilobytes() - before) / machines
  const timed = async (work: () => Promise<unknown>): Promise<number[]> => {
    const times: number[] = []
    for (let round = 0; round < rounds; round++) times.push(await cpuMillisOf(work))
    return times
  }
  const looks = await timed(async () => {
    core.clock.set(new Date(Date.parse(core.clock.now()) + minute).toISOString())
    await sweep.run(tools)
  })
  const unlike = machines - (await core.store.read((tx) => tx.machines.count('state', 'running')))
  if (unlike > 0) throw new Error(`${unlike} machines are not as they were made`)
  const pages = await timed(async () => {
    for (let turn = 0; turn < turns; turn++) await pageAfter(core, undefined, 50)
  })
  const lists = await timed(() => listAll(core))
  await core.close()
  return { machines, looks, pages, lists, kilobytes }
}

async function siteOf(machines: number): Promise<Core> {
  const config = await demoConfig()
  const hosts = numbers(Math.ceil(machines / perHost)).map((n) => ({
    ...{ name: `h${n}`, cpus: 32, memoryGb: 256, slots: 60, group: 'central' },
  }))
  const hypervisors = config.hypervisors.map((rule) =>
    rule.kind === 'simulator' ? { ...rule, hosts } : rule,
  )
  const site = { ...config.site, pools: [] }
  return openCore({ config: { ...config, hypervisors, site } })
}

async function fill(core: Core, machines: number): Promise<void> {
  const hosts = Math.ceil(machines / perHost)
  const hostOf = (n: number) => n % hosts
  await putAll(core.store, numbers(machines), async (tx, n) => {
    await tx.machines.put(placed(n, `h${hostOf(n)}`))
  })
  for (const n of numbers(machines)) {
    await core.hypervisor.appear({ ref: `vm-${n}`, name: `web${n}`, host: `h${hostOf(n)}` })
  }
}

function placed(n: number, host: string): Machine {
  const size = { cpus: 1, memoryGb: 1, address: null, providerState: 'Running' }
  return { ...someMachine(n), ...size, host, hypervisor: 'wod', state: 'running', attentionAt: null }
}

async function toolsOf({ store, config, clock, told, hypervisor }: Core): Promise<Tools> {
  const directory = await openDirectory(config.identity)
  const outside = { directory, teller: told, registrars: [], closeConnections: async () => 0 }
  const hypervisors = new Map([[hypervisor.name, hypervisor]])
  return { store, site: config.site, clock, ids: countedIds(), log: silentLog, hypervisors, ...outside }
}

function pageAfter({ operations }: Core, cursor: string | undefined, limit: number) {
  return operations.perform(listMachines, system(), { limit, ...(cursor === undefined ? {} : { cursor }) })
}

async function listAll(core: Core): Promise<void> {
  let cursor: string | undefined
  do cursor = (await pageAfter(core, cursor, 200)).next ?? undefined
  while (cursor !== undefined)
}

setFlagsFromString('--expose-gc')
const collect = z.custom<() => void>((value) => typeof value === 'function').parse(runInNewContext('gc'))

function heapKilobytes(): number {
  collect()
  return process.memoryUsage().heapUsed / 1024
}
