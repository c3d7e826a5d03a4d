import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { type Service, startService, type World } from '../../src/main.ts'
import { type MemoryDisk, memoryFiles } from '../fakes/memory-files.ts'
import {
  countedIds,
  demoConfig,
  leisurely,
  type MovableClock,
  movableClock,
  passTime,
} from '../operations/core.ts'
import { freePort } from '../service/process.ts'
import type { Store } from '../../src/store/store.ts'
import { openOn } from '../store/opened.ts'
import { type Browser, openBrowser } from './browser.ts'

/** The whole service on fake time, with its real ports, reached as people reach it. */
export interface StorySite {
  service: Service
  clock: MovableClock
  url: string
  /** A browser of its own, signed in. */
  signIn(user: string): Promise<Browser>
  /** A browser that has not signed in. */
  visit(): Browser
  settle(): Promise<void>
  pass(amountMillis: number): Promise<void>
  close(): Promise<void>
}

export interface StoryOptions {
  /** Changes of the demo site's file. */
  edit?: (yaml: string) => string
  /** On real time, with jobs that run by themselves: for a browser that watches. */
  live?: boolean
  /** What the embedded store is on. */
  disk?: MemoryDisk
  /** Another store than the embedded one. */
  store?: Store
  /** Tokens, as the environment would hold them. */
  env?: Record<string, string>
  /** How chats wait between calls. */
  timing?: World['timing']
  /** Where else the world is another one. */
  world?: Partial<World>
}

export async function openStorySite({
  edit = (yaml) => yaml,
  live = false,
  disk = memoryFiles(),
  store,
  env = {},
  timing,
  world = {},
}: StoryOptions = {}): Promise<StorySite> {
  const folder = await mkdtemp(join(tmpdir(), 'jackdaw-story-'))
  const [port, rdpPort] = [await freePort(), await freePort()]
  const config = await demoConfig((yaml) =>
    edit(yaml)
      .replace('port: 8080', `port: ${port}`)
      .replace(/publicUrl: \S+/, `publicUrl: http://127.0.0.1:${port}`)
      .replace(/port: 3389\b/, `port: ${rdpPort}`)
      .replace(/^( +publicAddress:) \S+/m, `$1 127.0.0.1:${rdpPort}`),
  )
  const clock = movableClock('2026-11-23T08:00:00.000Z')
  const service = await startService(
    { ...config, store: { ...config.store, path: join(folder, 'data') } },
    {
      ...{ ids: countedIds(), log: silentLog, chance: () => 0, pace: leisurely, selfDriving: live, env },
      clock: live ? systemClock : clock,
      ...(live ? {} : { sleep: () => Promise.resolve() }),
      ...(timing === undefined ? {} : { timing }),
      store: store ?? (await openOn(disk, { clock })),
      ...world,
    },
  )
  const url = `http://127.0.0.1:${service.httpPort}`
  if (!live) await service.runner.drain()
  return {
    ...{ service, clock, url },
    visit: () => openBrowser(url),
    signIn: async (user) => {
      const browser = openBrowser(url)
      await browser.open('/')
      await browser.submit('Sign in', { user, password: user })
      return browser
    },
    settle: () => service.runner.drain(),
    pass: (amount) => passTime(clock, service.runner, amount),
    close: async () => {
      await service.stop()
      await rm(folder, { recursive: true })
    },
  }
}
