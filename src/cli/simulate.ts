import { systemClock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { type Config, ConfigError } from '../config.ts'
import { openSimulator } from '../hypervisors/open.ts'
import { serveSimulator } from '../hypervisors/simulator-server.ts'
import { stopSignal } from './start.ts'

/**
 * Serves the simulated hypervisors that the site's file gives a `server`, until it is told to stop (SIGTERM, SIGINT).
 * Their machines are remembered in the folder of the file's store.
 */
export async function simulate(config: Config, log: Log): Promise<void> {
  const closing: (() => Promise<void>)[] = []
  const signal = stopSignal()
  try {
    for (const rule of config.hypervisors) {
      if (rule.kind !== 'simulator' || rule.server === undefined) continue
      const { name, server } = rule
      const farm = await openSimulator(rule, { clock: systemClock, log, dataPath: config.store.path })
      closing.push(() => farm.close())
      const served = await serveSimulator(farm, server, log)
      closing.push(() => served.close())
      log.info({ hypervisor: name, server }, 'simulating')
    }
    if (closing.length === 0) throw new ConfigError(config.file, [nothingToServe])
    log.info('ready')
    await signal
  } finally {
    for (const close of closing.reverse()) await close()
  }
  log.info('stopped')
}

const nothingToServe = {
  line: 1,
  path: 'hypervisors',
  wrong: 'has no simulator with a server',
  right: 'should have one, such as server: ./wod.sock',
}
