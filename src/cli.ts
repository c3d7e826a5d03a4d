#!/usr/bin/env node
import { Command, InvalidArgumentError } from 'commander'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { type Duration, parseDuration } from './base/duration.ts'
import { messageOf, Outage } from './base/errors.ts'
import { openLog } from './base/log.ts'
import { backupSite, restoreSite } from './cli/backup.ts'
import { examine } from './cli/doctor.ts'
import { importFile } from './cli/import.ts'
import { mattermostSetup } from './cli/mattermost-setup.ts'
import { moveStores, storeWords } from './cli/move.ts'
import { haproxyText, runRouter } from './cli/router.ts'
import { simulate } from './cli/simulate.ts'
import { slackManifestOf } from './cli/slack-manifest.ts'
import { run } from './cli/start.ts'
import { ConfigError, type Here, loadConfig, parseEndpoint } from './config.ts'
import { hashPassword } from './identity/local.ts'

/** 0 fine, 1 our fault, 2 the configuration's fault, 3 the data directory is in use or damaged. */
export const exitCodes = { fine: 0, ours: 1, configuration: 2, data: 3 } as const

const dataFaults: ReadonlySet<string> = new Set([
  'store_in_use',
  'store_damaged',
  'store_too_new',
  'store_not_empty',
  'backup_damaged',
])

const program = new Command('jackdaw')
  .description('Servers on request in chat, desktops for thin clients.')
  .showHelpAfterError()

const configOption = ['--config <file>', "the site's file; else JACKDAW_CONFIG, else the demo site"] as const

program
  .command('start', { isDefault: true })
  .description('run the service')
  .option(...configOption)
  .option('--http <host:port>', "listen here, not where the site's file says", endpoint)
  .option('--rdp <host:port>', 'the same for the RDP router', endpoint)
  .option('--data <folder>', 'keep here what belongs to this process alone', (folder: string) =>
    resolve(folder),
  )
  .allowExcessArguments()
  .action(async ({ config, ...here }: Here & { config?: string }, command: Command) => {
    refuseUnknown(command.args)
    const loaded = await loadConfig(config, process.env, here)
    await run(loaded, openLog({ level: process.env.JACKDAW_LOG ?? 'info', terminal: process.stdout.isTTY }))
  })

program
  .command('check')
  .description("check a site's file: every fault at once")
  .option(...configOption)
  .action(async ({ config }: { config?: string }) => {
    const { file, site } = await loadConfig(config, process.env)
    process.stdout.write(`${file}: in order. Site "${site.name}", ${site.timezone}, ${site.currency}.\n`)
  })

program
  .command('import <file>')
  .description('take over machines from a list of another system (CSV)')
  .option('--dry-run', 'say what would be done, and do nothing')
  .option(...configOption)
  .action(async (file: string, { config, dryRun }: { config?: string; dryRun?: boolean }) => {
    const loaded = await loadConfig(config, process.env)
    process.stdout.write(await importFile(loaded, await readFile(file, 'utf8'), dryRun ?? false))
  })

program
  .command('backup <file>')
  .description("write all of a site's data to a file, while the service runs or not")
  .option(...configOption)
  .action(async (file: string, { config }: { config?: string }) => {
    process.stdout.write(await backupSite(await loadConfig(config, process.env), file))
  })

program
  .command('restore <file>')
  .description("put a backup in the place of a site's data, while the service is stopped")
  .option('--force', 'also when there is a site: it is moved aside')
  .option(...configOption)
  .action(async (file: string, { config, force }: { config?: string; force?: boolean }) => {
    process.stdout.write(await restoreSite(await loadConfig(config, process.env), file, force ?? false))
  })

program
  .command('router')
  .description(
    "run the RDP router alone, on a site's database: at the edge, or to outlive restarts of the rest",
  )
  .option(...configOption)
  .option('--rdp <host:port>', "listen here, not where the site's file says", endpoint)
  .option(
    '--drain <duration>',
    'when told to stop, wait this long for sessions to end, such as PT2H',
    duration,
  )
  .action(async ({ config, rdp, drain }: RouterOptions) => {
    const loaded = await loadConfig(config, process.env, { rdp })
    const log = openLog({ level: process.env.JACKDAW_LOG ?? 'info', terminal: process.stdout.isTTY })
    await runRouter(loaded, log, drain)
  })

program
  .command('haproxy')
  .description(
    "print a configuration for HAProxy in front of the RDP router, as rdp.haproxy of the site's file says",
  )
  .option(...configOption)
  .action(async ({ config }: { config?: string }) => {
    process.stdout.write(haproxyText(await loadConfig(config, process.env)))
  })

program
  .command('simulate')
  .description('serve simulated hypervisors to the processes of a site, as a real one would be there for all')
  .option(...configOption)
  .action(async ({ config }: { config?: string }) => {
    const loaded = await loadConfig(config, process.env)
    await simulate(
      loaded,
      openLog({ level: process.env.JACKDAW_LOG ?? 'info', terminal: process.stdout.isTTY }),
    )
  })

program
  .command('move')
  .description('copy a site from one store to another, while the service is stopped')
  .requiredOption('--from <store>', storeWords)
  .requiredOption('--to <store>', 'an empty one, named in the same way')
  .action(async ({ from, to }: { from: string; to: string }) => {
    process.stdout.write(await moveStores(from, to))
  })

program
  .command('slack-manifest')
  .description('print the manifest that a Slack app for the site is made from')
  .option('--json', 'as JSON; else as YAML')
  .option(...configOption)
  .action(async ({ config, json }: { config?: string; json?: boolean }) => {
    process.stdout.write(await slackManifestOf(config, process.env, json === true ? 'json' : 'yaml'))
  })

program
  .command('doctor')
  .description('try all that the site needs, and say how to mend what is wrong')
  .option(...configOption)
  .action(async ({ config }: { config?: string }) => {
    const { text, isWell } = await examine(await loadConfig(config, process.env), process.env)
    process.stdout.write(text)
    if (!isWell) process.exitCode = exitCodes.ours
  })

program
  .command('mattermost-setup')
  .description('say how /vm and /desktop would be registered on Mattermost; --apply does it')
  .option('--apply', 'do it, and print what the environment then has to hold')
  .option(...configOption)
  .action(async ({ config, apply }: { config?: string; apply?: boolean }) => {
    process.stdout.write(await mattermostSetup(config, process.env, apply ?? false))
  })

program
  .command('hash')
  .description('read a password from standard input and print its hash for `passwordHash:`')
  .action(async () => {
    const password = (await readFile('/dev/stdin', 'utf8')).replace(/\r?\n$/, '')
    process.stdout.write(`${await hashPassword(password)}\n`)
  })

try {
  await program.parseAsync()
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`)
  process.exitCode = exitCodeOf(error)
}

/** What is no command ends up with the one that runs by default. */
function refuseUnknown(words: readonly string[]): void {
  if (words[0] === undefined) return
  const known = program.commands.map((command) => command.name()).join(', ')
  program.error(`error: there is no command ${words[0]}. There are ${known}.`)
}

function endpoint(text: string): { host: string; port: number } {
  const parsed = parseEndpoint(text)
  if (parsed === undefined) throw new InvalidArgumentError('It is a host and a port, such as 127.0.0.1:8081.')
  return parsed
}

function duration(text: string): Duration {
  const parsed = parseDuration(text)
  if (parsed === undefined) throw new InvalidArgumentError('It is an ISO 8601 duration, such as PT2H.')
  return parsed
}

interface RouterOptions {
  config?: string
  rdp?: { host: string; port: number }
  drain?: Duration
}

function exitCodeOf(error: unknown): number {
  if (error instanceof ConfigError) return exitCodes.configuration
  // A database that is too old or in another encoding is one that the site's file should not name.
  if (error instanceof Outage && error.code === 'store_unfit') return exitCodes.configuration
  if (error instanceof Outage && dataFaults.has(error.code)) return exitCodes.data
  return exitCodes.ours
}
