import { text } from 'node:stream/consumers'
import { systemClock } from '../base/clock.ts'
import { Outage } from '../base/errors.ts'
import { randomIds } from '../base/ids.ts'
import { silentLog } from '../base/log.ts'
import { counted } from '../base/text.ts'
import type { Config } from '../config.ts'
import { openDirectory } from '../identity/open.ts'
import { system } from '../identity/person.ts'
import { signIn } from '../identity/sign-in.ts'
import { throttle } from '../identity/throttle.ts'
import { importMachines } from '../operations/import-machines.ts'
import { openOperations } from '../operations/perform.ts'
import { openStore } from '../store/open.ts'
import { askService } from './service.ts'

type Report = ReturnType<typeof importMachines.output.parse>

/** Takes a list over, through the service when it runs and else on its data, and says line by line what was done. */
export async function importFile(config: Config, csv: string, dryRun: boolean): Promise<string> {
  const running = await throughService(config, csv, dryRun)
  return reportText(running ?? (await onData(config, csv, dryRun)))
}

/** Nothing when no service listens. */
async function throughService(config: Config, csv: string, dryRun: boolean): Promise<Report | undefined> {
  const path = `/api/v1/machines/import?dryRun=${dryRun}`
  const answer = await askService(config, { method: 'POST', path, type: 'text/csv', body: csv })
  if (answer === undefined) return undefined
  const body = await text(answer)
  if (answer.statusCode === 200) return importMachines.output.parse(JSON.parse(body))
  throw new Outage('service_refused', body, { transient: false })
}

async function onData(config: Config, csv: string, dryRun: boolean): Promise<Report> {
  const { site } = config
  const [clock, ids, log] = [systemClock, randomIds, silentLog]
  const store = await openStore(config.store, { log, clock })
  try {
    const directory = await openDirectory(config.identity)
    const passwords = signIn({ directory, throttle: throttle(), clock })
    const operations = openOperations({ store, site, clock, ids, directory, signIn: passwords, log })
    return await operations.perform(importMachines, system('cli'), { csv, dryRun: String(dryRun) })
  } finally {
    await store.close()
  }
}

function reportText(report: Report): string {
  const { lines, refused, imported, unchanged, orphans, neverEnding, unreachable, cpus, memoryGb } = report
  const did = report.dryRun ? 'would be taken over' : 'taken over'
  return [
    ...lines.map(
      ({ line, name, outcome, says }) =>
        `line ${line}: ${name}: ${outcome === 'new' ? did : 'known already'}; ${says}`,
    ),
    ...refused.map(({ line, reason }) => `line ${line}: refused: ${reason}`),
    '',
    `${counted(imported, 'machine')} ${did}, ${unchanged} unchanged, ${counted(refused.length, 'line')} refused.`,
    `In the list: ${cpus} CPUs, ${memoryGb} GB, ${neverEnding} that never end, ${counted(orphans, 'orphan')} to be claimed, ` +
      `${unreachable} unreachable, ${report.perDay} ${report.currency} a day at full price.`,
    '',
  ].join('\n')
}
