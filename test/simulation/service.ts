import { type Conversation, openConversation } from '../../bot/conversation.ts'
import { teller } from '../../bot/notices.ts'
import { refuse } from '../../src/base/errors.ts'
import type { Log } from '../../src/base/log.ts'
import type { Caller } from '../../src/identity/person.ts'
import type { SignIn } from '../../src/identity/sign-in.ts'
import { system } from '../../src/identity/person.ts'
import { callerFor } from '../../src/identity/roles.ts'
import { openRunner, type Runner } from '../../src/jobs/runner.ts'
import { putBackAll } from '../../src/jobs/taking.ts'
import type { Tools } from '../../src/jobs/trade.ts'
import { sweeps, trades } from '../../src/jobs/trades.ts'
import { beginConnection, endConnection, forgetConnections } from '../../src/operations/connections.ts'
import { openOperations, type Operations } from '../../src/operations/perform.ts'
import { routeConnection } from '../../src/operations/route-connection.ts'
import type { Store } from '../../src/store/store.ts'
import { openOn } from '../store/opened.ts'
import type { Owner } from './agenda.ts'
import { askedBy, drivenBy, toldBy, type World } from './world.ts'

/** One process of the service, from its start until it is stopped or killed. */
export interface Service {
  readonly process: Owner
  readonly store: Store
  readonly operations: Operations
  readonly runner: Runner
  readonly conversation: Conversation
  readonly router: FakeRouter
  as: (user: string) => Promise<Caller>
}

/** What the router does for leases, without sockets: connections are counted, and cut when their lease ends. */
export interface FakeRouter {
  readonly connections: Map<string, number>
  dial(rdp: string): Promise<string>
  hangUp(lease: string): Promise<void>
  close(lease: string, reason: string): Promise<number>
}

/** As `src/main.ts` opens them, in the same order. @throws Outage when the disk or the world do not let it start. */
export async function openService(world: World, log: Log): Promise<Service> {
  const { config, agenda, ids, random } = world
  const { clock } = agenda
  const { site } = config
  const process = (world.process += 1)
  const checkpointBytes = 20_000 + random.below(200_000)
  const store = await openOn(world.disk, { clock, log, checkpointBytes })
  const directory = askedBy(process, world)
  const driver = drivenBy(process, world)
  const hypervisors = new Map([[driver.name, driver]])
  const services = { store, site, clock, ids, directory, hypervisors, log, signIn: noPasswords }
  const operations = openOperations(services)
  const router = await openFakeRouter(operations)
  const as = async (user: string) => {
    const person = await world.directory.find(user)
    if (person === undefined) throw new Error(`the simulated site has no ${user}`)
    return callerFor(person, site.roles, 'rest', '127.0.0.1')
  }
  const tools: Tools = {
    ...{ store, site, clock, ids, log, directory },
    hypervisors,
    teller: teller({ chats: [toldBy(process, world)], operations, site, clock, log, readerOf: as }),
    registrars: [],
    closeConnections: (lease, reason) => router.close(lease, reason),
  }
  const pace = { observeMillis: 3_600_000 * (4 + random.below(20)), tidyMillis: 43_200_000 }
  const runner = openRunner(tools, {
    ...{ trades, sweeps: sweeps(site, pace), concurrency: 1 + random.below(12) },
    ...{ chance: () => random.next(), process: `P-${process}` },
  })
  await store.transact((tx) => putBackAll(tx, clock.now()))
  const conversation = openConversation({ operations, site, clock, log })
  return { process, store, operations, runner, conversation, router, as }
}

const noPasswords: SignIn = { check: () => Promise.reject(new Error('nobody signs in here')) }

async function openFakeRouter(operations: Operations): Promise<FakeRouter> {
  const caller = system('router')
  const connections = new Map<string, number>()
  await operations.perform(forgetConnections, caller, {})
  async function hangUp(lease: string, reason = 'client_closed'): Promise<void> {
    const count = connections.get(lease) ?? 0
    if (count === 0) return
    if (count === 1) connections.delete(lease)
    else connections.set(lease, count - 1)
    await operations.perform(endConnection, caller, { lease, reason })
  }
  return {
    connections,
    hangUp,
    async dial(rdp) {
      const routingToken = /loadbalanceinfo:s:(.*)/.exec(rdp)?.[1]?.trim() ?? null
      const said = { routingToken, pcb: null, mstshash: null }
      const source = { address: '127.0.0.1', localPort: 3389 }
      const route = await operations.perform(routeConnection, caller, { ...said, source })
      if (route.kind !== 'found') refuse('busy', 'The desktop is not ready.')
      const { lease } = route
      await operations.perform(beginConnection, caller, { lease })
      connections.set(lease, (connections.get(lease) ?? 0) + 1)
      return lease
    },
    async close(lease, reason) {
      const count = connections.get(lease) ?? 0
      for (let each = 0; each < count; each++) await hangUp(lease, reason)
      return count
    },
  }
}
