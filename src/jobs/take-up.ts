import type { Instant } from '../base/clock.ts'
import { assert } from '../base/errors.ts'
import { withDeadline } from '../base/retry.ts'
import type { Hypervisor, MachineStatus } from '../hypervisors/hypervisor.ts'
import { foundMachine, namesForFound } from '../machines/found.ts'
import type { Leftover } from '../machines/host.ts'
import type { Transaction } from '../store/store.ts'
import { stateOf } from './facts.ts'
import type { Tools } from './trade.ts'

const deadlineMillis = 20_000
/** As many are taken up in one look: each is asked about once more. */
const mostAtOnce = 50
const fewAtOnce = 5

/**
 * Machines at a hypervisor that are not in our books: those that nobody made from here wait to be claimed; what is left
 * of one that was deleted is shown with its host.
 */
export async function takeUp(
  tools: Tools,
  hypervisor: Hypervisor,
  strangers: readonly MachineStatus[],
  since: Instant,
): Promise<void> {
  if (strangers.length === 0 && !(await anyLeftovers(tools, hypervisor.name))) return
  const there = await stillThere(hypervisor, strangers.slice(0, mostAtOnce))
  await tools.store.transact(async (tx) => {
    const leftovers = new Map<string, Leftover[]>()
    for (const status of there) {
      const [deleted] = await tx.machines.find('ref', status.ref)
      const last = deleted?.history.at(-1)
      if (deleted === undefined) await takeUpOne(tx, tools, hypervisor.name, status)
      else if (deleted.state === 'deleted' && last !== undefined && last.at <= since) {
        const { ref, host, providerState } = status
        const rows = leftovers.get(host ?? '') ?? []
        leftovers.set(host ?? '', [...rows, { ref, name: deleted.id, providerState }])
      }
    }
    await showLeftovers(tx, hypervisor.name, leftovers)
  })
}

async function anyLeftovers({ store }: Tools, hypervisor: string): Promise<boolean> {
  const hosts = await store.read((tx) => tx.hosts.find('hypervisor', hypervisor))
  return hosts.some(({ leftovers }) => leftovers !== undefined)
}

/** One that was listed may have been removed by us meanwhile, books and all. A few are asked about at a time. */
async function stillThere(
  hypervisor: Hypervisor,
  listed: readonly MachineStatus[],
): Promise<MachineStatus[]> {
  const found: MachineStatus[] = []
  for (let first = 0; first < listed.length; first += fewAtOnce) {
    const some = listed.slice(first, first + fewAtOnce)
    const answers = await Promise.all(
      some.map(({ ref }) =>
        withDeadline(hypervisor.name, deadlineMillis, undefined, (signal) => hypervisor.status(ref, signal)),
      ),
    )
    found.push(...some.filter((_, index) => answers[index]?.power !== 'missing'))
  }
  return found
}

async function takeUpOne(
  tx: Transaction,
  tools: Tools,
  hypervisor: string,
  status: MachineStatus,
): Promise<void> {
  const { ref, host, address, rdp, providerState, name: called = ref } = status
  if (host === null || (await tx.hosts.get(host)) === undefined) return
  const state = stateOf(status.power) ?? 'unreachable'
  const size = status.size ?? { cpus: 1, memoryGb: 1 }
  const found = { ref, called, hypervisor, host, state, address, rdp, size, providerState }
  await tx.machines.put(foundMachine(found, await freeName(tx, called), tools.clock.now()))
  tools.log.info({ hypervisor, host, ref, called }, 'found a machine that nobody made from here')
}

async function freeName(tx: Transaction, called: string): Promise<string> {
  for (const name of namesForFound(called)) {
    if ((await tx.machines.get(name)) === undefined) return name
  }
  assert.fail('there are fewer machines of a name than numbers')
}

async function showLeftovers(
  tx: Transaction,
  hypervisor: string,
  found: ReadonlyMap<string, Leftover[]>,
): Promise<void> {
  for (const host of await tx.hosts.find('hypervisor', hypervisor)) {
    const { leftovers, ...rest } = host
    const next = found.get(host.id)
    if (JSON.stringify(leftovers) === JSON.stringify(next)) continue
    await tx.hosts.put(next === undefined ? rest : { ...rest, leftovers: next })
  }
}
