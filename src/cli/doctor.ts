import { existsSync } from 'node:fs'
import { json } from 'node:stream/consumers'
import { z } from 'zod'
import { checkChats } from '../../bot/checks.ts'
import { chatSecrets } from '../../bot/secrets.ts'
import { systemClock } from '../base/clock.ts'
import { messageOf } from '../base/errors.ts'
import type { Finding } from '../base/finding.ts'
import { silentLog } from '../base/log.ts'
import type { Config } from '../config.ts'
import { openHypervisors } from '../hypervisors/open.ts'
import { openDirectory } from '../identity/open.ts'
import { fault, findingsOf, fine, storeFinding, textRecords } from '../main/findings.ts'
import { openRegistrars } from '../registration/open.ts'
import { openStore } from '../store/open.ts'
import { askService } from './service.ts'

type Environment = Readonly<Record<string, string | undefined>>

const Findings = z.array(
  z.object({
    about: z.string(),
    state: z.enum(['fine', 'warning', 'fault']),
    fact: z.string(),
    remedy: z.string().nullable(),
  }),
)

/** Tries all that a site needs, through the service when it runs. The text says what was found, a line each. */
export async function examine(config: Config, env: Environment): Promise<{ text: string; isWell: boolean }> {
  const answer = await askService(config, { method: 'GET', path: '/doctor' }).catch(() => undefined)
  const running = answer?.statusCode === 200 ? Findings.parse(await json(answer)) : undefined
  const own = running ?? (await withoutService(config, env))
  const findings = [
    fine('Configuration', `${config.file} is in order`),
    service(config, running !== undefined),
    ...own,
    ...(await checkChats(config.chat, {
      ...{ secrets: chatSecrets(env), site: config.site, clock: systemClock, log: silentLog },
    })),
    await outside(config),
  ]
  return { text: findings.map(line).join(''), isWell: findings.every(({ state }) => state !== 'fault') }
}

function service({ store }: Config, runs: boolean): Finding {
  if (runs) return fine('Service', 'runs, and was asked')
  return {
    ...{ about: 'Service', state: 'warning', fact: `does not run on ${store.path}` },
    remedy: 'Start it, and try again: what calls back cannot be tried without it.',
  }
}

/** What can be tried while no service runs. */
async function withoutService(config: Config, env: Environment): Promise<Finding[]> {
  return [...(await tryStore(config)), ...(await tryGround(config, env))]
}

async function tryStore(config: Config): Promise<Finding[]> {
  if (config.store.kind === 'lowdb' && !existsSync(config.store.path)) {
    return [fine('Store', `${config.store.path} is made at the first start`)]
  }
  try {
    const store = await openStore(config.store, { log: silentLog, clock: systemClock })
    const finding = await storeFinding(store)
    await store.close()
    return [finding]
  } catch (error) {
    return [
      fault('Store', messageOf(error), 'See what the message names; store in the file says where it is.'),
    ]
  }
}

async function tryGround(config: Config, env: Environment): Promise<Finding[]> {
  const { site, identity, hypervisors: rules, store } = config
  try {
    const directory = await openDirectory(identity)
    const services = { clock: systemClock, log: silentLog, dataPath: store.path }
    // One that is simulated within the service has nothing that could fail.
    const outsideOnes = rules.filter((rule) => rule.kind !== 'simulator' || rule.server !== undefined)
    const hypervisors = await openHypervisors(outsideOnes, services)
    const registrars = await openRegistrars(config.registration, { env, clock: systemClock })
    const found = await findingsOf({ site, directory, hypervisors, registrars, textRecords })
    await Promise.all([...hypervisors.values()].map((driver) => driver.close()))
    await directory.close()
    return found
  } catch (error) {
    return [fault('Site', messageOf(error), 'See what the message names.')]
  }
}

/** Links and callbacks go to the public address: it has to lead here. */
async function outside({ site }: Config): Promise<Finding> {
  const about = 'Public address'
  const remedy = 'Start the service, or set site.publicUrl to where browsers and chats reach it.'
  try {
    const response = await fetch(`${site.publicUrl}/healthz`, { signal: AbortSignal.timeout(5_000) })
    if (response.ok) return fine(about, `${site.publicUrl} answers`)
    return { about, state: 'warning', fact: `${site.publicUrl} answers with HTTP ${response.status}`, remedy }
  } catch (error) {
    return { about, state: 'warning', fact: `${site.publicUrl} does not answer: ${messageOf(error)}`, remedy }
  }
}

const marks = { fine: 'ok     ', warning: 'warning', fault: 'FAULT  ' } as const

function line({ about, state, fact, remedy }: Finding): string {
  const first = `${marks[state]}  ${about}: ${fact}\n`
  return remedy === null ? first : `${first}         ${remedy}\n`
}
