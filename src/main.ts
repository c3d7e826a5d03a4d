import { mkdir } from 'node:fs/promises'
import { type ChatServices, openChats, type OpenedChats } from '../bot/open.ts'
import { teller } from '../bot/notices.ts'
import { chatSecrets } from '../bot/secrets.ts'
import { changedTariffs } from '../pricing/used-tariff.ts'
import { type Callers, checkOrigin, openCallers } from './api/callers.ts'
import { openControl } from './api/control.ts'
import { deviceFiles } from './api/device-files.ts'
import { feeds } from './api/feeds.ts'
import { consoleChannel } from './api/console-channel.ts'
import { terminalChannel } from './api/terminal-channel.ts'
import { openUpgrades } from './api/upgrades.ts'
import { diskTransfer } from './api/disk-transfer.ts'
import { describing, openapiDocument } from './api/openapi.ts'
import { callerOfRequest, rest, type RestServices } from './api/rest.ts'
import { httpApp, listen } from './api/server.ts'
import { type Clock, systemClock } from './base/clock.ts'
import { roughMillis } from './base/duration.ts'
import { messageOf } from './base/errors.ts'
import { type Ids, randomIds } from './base/ids.ts'
import type { Log } from './base/log.ts'
import { type Config, laterFault } from './config.ts'
import { type HypervisorServices, openHypervisors } from './hypervisors/open.ts'
import { consolesOf } from './main/consoles.ts'
import { openRdpFiles, type RdpFiles } from './main/rdp-files.ts'
import { openDirectory } from './identity/open.ts'
import { system, type Via } from './identity/person.ts'
import { callerFor } from './identity/roles.ts'
import { signIn } from './identity/sign-in.ts'
import { followHypervisors } from './jobs/follow-hypervisors.ts'
import { openRunner, type Runner } from './jobs/runner.ts'
import type { Tools } from './jobs/trade.ts'
import { type Pace, sweeps, trades, usualPace } from './jobs/trades.ts'
import { catalogue } from './operations/catalogue.ts'
import { openOperations, type Operations } from './operations/perform.ts'
import { type Layout, openLayout } from './portal/layout.tsx'
import { portal } from './portal/routes.tsx'
import { callerOf as sessionCaller } from './portal/session.ts'
import { type DesktopRouter, openDesktopRouter, routerRule } from './desktop-router.ts'
import { type Opened, openedParts } from './main/parts.ts'
import { findingsOf, storeFinding, textRecords } from './main/findings.ts'
import { readinessOf } from './main/readiness.ts'
import { openThrottle } from './main/shared-throttle.ts'
import { writeBackup } from './store/backup.ts'
import { openRegistrars } from './registration/open.ts'
import { openStore } from './store/open.ts'
import type { Store } from './store/store.ts'

/** What is handed in: the world as it is, or as a test wants it. */
export interface World {
  clock: Clock
  ids: Ids
  log: Log
  /** A chance in [0, 1). */
  chance: () => number
  /** How the simulator waits; real time unless a test says otherwise. */
  sleep?: HypervisorServices['sleep']
  /** How chats wait between calls; real time unless a test says otherwise. */
  timing?: ChatServices['timing']
  /** How long Mattermost is waited for, where a test is in a hurry. */
  mattermostTimings?: ChatServices['mattermostTimings']
  /** Where tokens are that do not stand in the site's file. */
  env: Readonly<Record<string, string | undefined>>
  /** How often the world is looked at. */
  pace: Pace
  /** Given, the store is this one, already open. */
  store?: Store
  /** Whether jobs run by themselves. A test that moves the clock drains them instead. */
  selfDriving: boolean
  /** Whether connections to desktops are relayed in a thread of their own. It needs the program as it was built. */
  apart?: boolean
}

export function realWorld(log: Log): World {
  return {
    ...{ clock: systemClock, ids: randomIds, log, chance: Math.random, env: process.env },
    ...{ pace: usualPace, selfDriving: true, apart: true },
  }
}

/** A running service. */
export interface Service {
  /** Who it is among the processes of the site, as in the log and in `takenBy` of jobs. */
  readonly name: string
  readonly httpPort: number
  readonly rdpPort: number
  readonly operations: Operations
  readonly store: Store
  readonly runner: Runner
  readonly hypervisors: Tools['hypervisors']
  /** How dials of the RDP router came out. */
  routed(): ReturnType<DesktopRouter['counts']>
  /** No new work; what is in hand finishes or is put back; the store is flushed. Harmless twice. */
  stop(): Promise<void>
}

/** How long jobs and requests in hand may take when the service stops: together well under ten seconds. */
const graceMillis = { http: 1500, jobs: 4000 }
const jobsAtOnce = 16

/**
 * Opens everything in order, and closes it in reverse.
 * @throws Outage when a part cannot be opened; what was open by then is closed again.
 */
export async function startService(config: Config, world: World): Promise<Service> {
  const opened = openedParts(world.log)
  try {
    const core = await openCore(config, world, opened)
    const ports = await openFaces(config, world, core, opened)
    const { operations, store, runner, tools } = core
    return {
      ...ports,
      name: core.name,
      operations,
      store,
      runner,
      hypervisors: tools.hypervisors,
      routed: () => core.router.counts(),
      stop: () => opened.closeAll(),
    }
  } catch (error) {
    await opened.closeAll()
    throw error
  }
}

interface Core {
  name: string
  store: Store
  operations: Operations
  callers: Callers
  chats: OpenedChats
  layout: Layout
  router: DesktopRouter
  rdpFiles: RdpFiles
  runner: Runner
  tools: Tools
}

/** What remembers, decides and works: all but what listens for people. */
async function openCore(config: Config, world: World, opened: Opened): Promise<Core> {
  const { clock, ids, log } = world
  const { site } = config
  const dataPath = config.store.path
  await mkdir(dataPath, { recursive: true, mode: 0o700 })
  // Who we are among the processes that may share the store.
  const name = ids.next('P', clock.now())
  const store = world.store ?? (await openStore(config.store, { log, clock }))
  opened.add(() => store.close())
  await checkTariffs(store, config)
  const directory = await openDirectory(config.identity)
  opened.add(() => directory.close())
  const sleep = world.sleep === undefined ? {} : { sleep: world.sleep }
  const hypervisors = await openHypervisors(config.hypervisors, { clock, log, dataPath, ...sleep })
  opened.add(async () => {
    await Promise.all([...hypervisors.values()].map((driver) => driver.close()))
  })
  const passwords = signIn({ directory, throttle: await openThrottle(store, { ids, log }), clock })
  const rdpFiles = await openRdpFiles(config, { store, clock, ids, log })
  const operations = openOperations({
    ...{ store, site, clock, ids, directory, hypervisors, log },
    signIn: passwords,
    rdp: rdpFiles.finish,
  })
  const callers = openCallers({ operations, directory, signIn: passwords, site })
  const layout = openLayout(site)
  const personNamed = async (user: string, via: Via) => {
    const person = await directory.find(user)
    return person === undefined ? undefined : callerFor(person, site.roles, via, null)
  }
  const chats = openChats(config.chat, {
    ...{ operations, site, clock, ids, log, layout, checkOrigin, personNamed },
    ...(world.timing === undefined ? {} : { timing: world.timing }),
    secrets: chatSecrets(world.env),
    mattermostTimings: world.mattermostTimings,
    callerOf: async (request) => (await sessionCaller(request, callers)) ?? undefined,
    onMessages: (listener) => watchMessages(store, log, listener),
  })
  opened.add(() => chats.close())
  const apart = world.apart ?? false
  const seen = { operations, store, log, clock, site, apart, process: name, ...takeoverOf(config) }
  const router = await openDesktopRouter(routerRule(config), seen)
  opened.add(() => router.shutdown())
  const tools: Tools = {
    ...{ store, site, clock, ids, log, hypervisors, directory },
    registrars: await openRegistrars(config.registration, { env: world.env, clock }),
    teller: teller({
      ...{ chats: chats.chats, operations, site, clock, log },
      readerOf: (user) => personNamed(user, 'system'),
    }),
    closeConnections: (lease, reason) => router.close(lease, reason),
  }
  const runner = await openWork(tools, world, name, config)
  opened.add(() => runner.stop(graceMillis.jobs))
  if (world.selfDriving) opened.add(followHypervisors(tools))
  return { name, store, operations, callers, chats, layout, router, runner, tools, rdpFiles }
}

/** The jobs, at work. */
async function openWork(tools: Tools, world: World, process: string, config: Config): Promise<Runner> {
  const due = sweeps(tools.site, world.pace)
  const runner = openRunner(tools, {
    ...{ trades, sweeps: due, concurrency: jobsAtOnce, chance: world.chance, process },
    ...takeoverOf(config),
  })
  // Hosts are known before anybody can ask for a machine.
  for (const sweep of due) await sweep.run(tools)
  if (world.selfDriving) await runner.start()
  return runner
}

export function takeoverOf({ store }: Config): { holdMillis?: number } {
  if (store.kind === 'lowdb' || store.takeover === undefined) return {}
  return { holdMillis: roughMillis(store.takeover) }
}

/**
 * What was charged by a tariff must stay explainable by the site's file.
 * @throws ConfigError for each tariff that was charged by and is not as it was.
 */
async function checkTariffs(store: Store, { site, file }: Config): Promise<void> {
  const used = await store.read((tx) => tx.tariffs.all())
  const problems = changedTariffs(used, site.tariffs).map(({ name, from, index }) => ({
    path: index === null ? ['tariffs'] : ['tariffs', index],
    wrong: `${index === null ? 'has no' : 'has another'} ${name} from ${from} than machines were charged by`,
    right: 'should have it as it was: for other prices add a later tariff instead',
  }))
  if (problems.length > 0) throw await laterFault(file, problems)
}

/** What listens for people, programs and the command line. */
async function openFaces(
  config: Config,
  { clock, ids, log }: World,
  { store, operations, callers, chats, layout, router, tools, rdpFiles }: Core,
  opened: Opened,
): Promise<Pick<Service, 'httpPort' | 'rdpPort'>> {
  const { site } = config
  const openapi = openapiDocument(catalogue, site)
  const restFor = (callerOf: RestServices['callerOf']) => rest({ operations, catalogue, callerOf, log })
  const onChange = (listener: Parameters<Store['onCommit']>[0]) => store.onCommit(listener)
  const app = httpApp({
    site,
    proxies: config.http.proxies ?? [],
    readiness: () => readinessOf({ store, hypervisors: tools.hypervisors, chats: chats.chats }),
    faces: [
      ...chats.faces,
      { path: '/api', router: describing(openapi) },
      { path: '/api/v1', router: diskTransfer({ operations, callers, site, ids, log }) },
      { path: '/api/v1', router: restFor((request) => callerOfRequest(request, callers)) },
      { path: '/', router: deviceFiles({ operations, site, signer: rdpFiles.signer }) },
      { path: '/', router: feeds({ operations, callers, site, clock, log }) },
      { path: '/', router: portal({ operations, site, clock, callers, layout, log, openapi, onChange }) },
    ],
    log,
  })
  const control = await openControl({
    dataPath: config.store.path,
    api: restFor(async () => system('cli')),
    examine: async () => [await storeFinding(store), ...(await findingsOf({ ...tools, textRecords }))],
    backup: (to) => writeBackup(store, { site: site.name, at: clock.now() }, to),
    log,
  })
  opened.add(() => control.close(0))
  const http = await listen(app, config.http)
  opened.add(() => http.close(graceMillis.http))
  const upgrades = openUpgrades(http.server, config.http.proxies)
  const channel = terminalChannel(upgrades, { operations, callers, onChange, log })
  opened.add(async () => channel())
  const consoles = consolesOf(tools.hypervisors)
  const screens = consoleChannel(upgrades, { operations, callers, onChange, consoles, log })
  opened.add(async () => screens())
  return { httpPort: http.port, rdpPort: router.port }
}

/** Tells whose conversation in the built-in chat has changed. */
function watchMessages(store: Store, log: Log, listener: (user: string) => void): () => void {
  return store.onCommit((changes) => {
    for (const { collection, id } of changes) {
      if (collection !== 'messages') continue
      store
        .read((tx) => tx.messages.get(id))
        .then((message) => message !== undefined && listener(message.user))
        .catch((error: unknown) => log.warn({ error: messageOf(error) }, 'chat not told of a message'))
    }
  })
}
