import { haproxyConfig } from '../../broker/router/haproxy.ts'
import { type Duration, roughMillis } from '../base/duration.ts'
import { messageOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { type Config, ConfigError } from '../config.ts'
import { openDesktopRouter, routerRule } from '../desktop-router.ts'
import { openDirectory } from '../identity/open.ts'
import { signIn } from '../identity/sign-in.ts'
import { throttle } from '../identity/throttle.ts'
import { realWorld, takeoverOf } from '../main.ts'
import { openedParts } from '../main/parts.ts'
import { openOperations } from '../operations/perform.ts'
import { openStore } from '../store/open.ts'
import { stopSignal } from './start.ts'

/**
 * Runs the router alone, on the database of a site: on an edge machine, or so that sessions outlive a restart of the rest.
 * When it is told to stop it takes nobody any more and waits for those who are there, for as long as `drain` says; told
 * again, it cuts them.
 * @throws ConfigError unless the site is kept in PostgreSQL.
 */
export async function runRouter(config: Config, log: Log, drain: Duration | undefined): Promise<void> {
  if (config.store.kind !== 'postgres') throw new ConfigError(config.file, [needsDatabase])
  const { clock, ids, chance: _, ...world } = realWorld(log)
  const { site } = config
  const opened = openedParts(log)
  try {
    const process = ids.next('P', clock.now())
    const store = await openStore(config.store, { log, clock })
    opened.add(() => store.close())
    const directory = await openDirectory(config.identity)
    opened.add(() => directory.close())
    const passwords = signIn({ directory, throttle: throttle(), clock })
    const operations = openOperations({ store, site, clock, ids, directory, signIn: passwords, log })
    const apart = world.apart ?? false
    const seen = { operations, store, log, clock, site, process, apart, ...takeoverOf(config) }
    const router = await openDesktopRouter(routerRule(config), seen)
    opened.add(() => router.shutdown())
    log.info({ site: site.name, process, rdp: `${config.rdp.host}:${router.port}` }, 'ready')
    const signal = await stopSignal()
    log.info({ signal }, 'stopping')
    if (drain !== undefined) await Promise.race([router.drain(roughMillis(drain)), stopSignal()])
  } finally {
    await opened.closeAll().catch((error: unknown) => log.error({ error: messageOf(error) }, 'not closed'))
  }
  log.info('stopped')
}

const needsDatabase = {
  line: 1,
  path: 'store.kind',
  wrong: 'is a folder that one process has to itself',
  right: 'should be postgres, so that a router can be a process of its own',
}

/** @throws ConfigError when the site's file does not say where HAProxy is. */
export function haproxyText({ rdp, file }: Config): string {
  if (rdp.haproxy === undefined) throw new ConfigError(file, [needsHaproxy])
  const { bind, socket, map } = rdp.haproxy
  const { host, port } = rdp
  return haproxyConfig({ bind, mapPath: map, socketPath: socket, router: { host, port } })
}

const needsHaproxy = {
  line: 1,
  path: 'rdp.haproxy',
  wrong: 'is missing',
  right:
    'should say where HAProxy listens, its runtime socket and its map: { bind: 0.0.0.0:3389, socket: …, map: … }',
}
