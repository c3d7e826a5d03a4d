import type { Log } from '../base/log.ts'
import type { Config } from '../config.ts'
import { realWorld, type Service, startService } from '../main.ts'

/** After this long a stop that hangs is given up. The contract promises ten seconds. */
const patienceMillis = 9_500

/** Runs the service until it is told to stop (SIGTERM, SIGINT). */
export async function run(config: Config, log: Log): Promise<void> {
  const service = await startService(config, realWorld(log))
  welcome(config, service, log)
  const signal = await stopSignal()
  log.info({ signal }, 'stopping')
  const patience = setTimeout(() => {
    log.error('stopping took too long')
    process.exit(1)
  }, patienceMillis)
  await service.stop()
  clearTimeout(patience)
  log.info('stopped')
}

export function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    process.once('SIGTERM', resolve)
    process.once('SIGINT', resolve)
  })
}

const mostShown = 12

/** Where to look and who can log in. Passwords are shown only where they stand in the demo's own file. */
function welcome(config: Config, { name, httpPort, rdpPort }: Service, log: Log): void {
  const { site, http, rdp, store, file } = config
  log.info(
    {
      site: site.name,
      process: name,
      http: `${http.host}:${httpPort}`,
      rdp: `${rdp.host}:${rdpPort}`,
      data: store.path,
      file,
    },
    'ready',
  )
  if (!process.stdout.isTTY && process.env.npm_lifecycle_event === undefined) return
  const base = `http://${http.host}:${httpPort}`
  const shown = config.identity.local.slice(0, mostShown)
  const more = config.identity.local.length - shown.length
  const people = shown.map(({ user, groups, ...secret }) => {
    const how = secret.password === undefined ? '' : `, password ${secret.password}`
    return `    ${user.padEnd(8)} ${groups.join(', ')}${how}`
  })
  process.stderr.write(
    [
      '',
      `  ${site.name}`,
      '',
      `  Portal      ${base}/`,
      `  Chat        ${base}/chat`,
      `  Thin client ${base}/desktop`,
      `  API         ${base}/api/docs`,
      '',
      '  Who can log in:',
      ...people,
      ...(more > 0 ? [`    and ${more} more`] : []),
      '',
      '  Ctrl-C stops it.',
      '',
      '',
    ].join('\n'),
  )
}
