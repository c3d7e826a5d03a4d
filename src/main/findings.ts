import { resolveTxt } from 'node:dns/promises'
import { isIP } from 'node:net'
import type { Finding } from '../base/finding.ts'
import { messageOf } from '../base/errors.ts'
import { counted, list } from '../base/text.ts'
import type { HostStatus, Hypervisor } from '../hypervisors/hypervisor.ts'
import type { Directory } from '../identity/directory.ts'
import type { Registrar } from '../registration/registrar.ts'
import type { Site } from '../operations/site.ts'
import type { Store } from '../store/store.ts'

/** What a site stands on, to be tried. */
export interface Ground {
  site: Site
  directory: Pick<Directory, 'members'>
  hypervisors: ReadonlyMap<string, Pick<Hypervisor, 'inventory'>>
  registrars: readonly Pick<Registrar, 'name' | 'check'>[]
  /** Text records of a name (DNS TXT), each as one text. @throws when there are none. */
  textRecords: (name: string) => Promise<string[]>
}

const askMillis = 10_000

/** Tries what the site's own file leads to: people, hypervisors, and the record by which clients find desktops. */
export async function findingsOf(ground: Ground): Promise<Finding[]> {
  const tried = await Promise.all([
    ...people(ground),
    hypervisorsOf(ground),
    ...ground.registrars.map(registration),
    discovery(ground),
  ])
  return tried.flat()
}

export function fine(about: string, fact: string): Finding {
  return { about, state: 'fine', fact, remedy: null }
}

export function fault(about: string, fact: string, remedy: string): Finding {
  return { about, state: 'fault', fact, remedy }
}

/** Whoever decides and whoever is asked when nobody else can be has to be somebody. */
function people({ site, directory }: Ground): Promise<Finding[]>[] {
  const asked: { about: string; names: readonly string[]; where: string; state: Finding['state'] }[] = [
    { about: 'Operators', names: site.roles.operator, where: 'roles.operator', state: 'fault' },
    {
      about: 'Fallback approvers',
      names: site.policies.approvals.fallback,
      where: 'policies.approvals.fallback',
      state: 'warning',
    },
    ...site.budgets.map(({ code, holders }) => ({
      ...{ about: `Holders of ${code}`, names: holders },
      ...{ where: `holders of ${code}`, state: 'warning' as const },
    })),
  ]
  return asked.map(async ({ about, names, where, state }) => {
    try {
      const found = await Promise.all(names.map((name) => directory.members(name)))
      const users = [...new Set(found.flat().map(({ user }) => user))]
      if (users.length > 0) return [fine(about, `${counted(users.length, 'account')} known to the directory`)]
      const fact = names.length === 0 ? 'nobody is named' : `the directory knows nobody behind ${list(names)}`
      return [{ about, state, fact, remedy: `Name an account or a group that exists under ${where}.` }]
    } catch (error) {
      return [
        fault('Directory', messageOf(error), 'Check identity in the file, and that the directory answers.'),
      ]
    }
  })
}

/** Each hypervisor, and the templates of the site that no machine can be made from on any of them. */
async function hypervisorsOf({ site, hypervisors }: Ground): Promise<Finding[]> {
  const found = await Promise.all([...hypervisors].map(([name, driver]) => hypervisor(name, driver)))
  const hosts = found.flatMap((one) => one.hosts).filter(({ reachable }) => reachable)
  // A host that names none has them all; where one hypervisor was not asked, it may.
  const isUnknown = hosts.length === 0 || hosts.some(({ templates }) => templates === undefined)
  const all = site.hypervisors.every(({ name }) => hypervisors.has(name))
  const known = new Set(hosts.flatMap(({ templates = [] }) => templates))
  const missing = site.templates.filter(({ name, kind = 'image' }) => kind === 'image' && !known.has(name))
  const lacking = isUnknown || !all ? [] : missing.map(({ name }) => withoutHost(name))
  return [...found.flatMap(({ findings }) => findings), ...lacking]
}

function withoutHost(template: string): Finding {
  return {
    ...{ about: `Template ${template}`, state: 'warning' },
    fact: 'no host that answers can make a machine from it',
    remedy: 'Name what it is under templates of a hypervisor, and check that it is there.',
  }
}

interface Looked {
  findings: Finding[]
  hosts: readonly HostStatus[]
}

async function hypervisor(name: string, driver: Pick<Hypervisor, 'inventory'>): Promise<Looked> {
  let hosts: readonly HostStatus[] = []
  const findings = await findingsAbout(name, async () => {
    hosts = (await driver.inventory(AbortSignal.timeout(askMillis))).hosts
    return hosts
  })
  return { findings, hosts }
}

async function findingsAbout(name: string, ask: () => Promise<readonly HostStatus[]>): Promise<Finding[]> {
  const about = `Hypervisor ${name}`
  try {
    const hosts = await ask()
    const down = hosts.filter(({ reachable }) => !reachable).map((host) => host.name)
    if (hosts.length === 0) {
      return [fault(about, 'it has no hosts', `Check what hypervisors names for ${name}.`)]
    }
    if (down.length === 0) return [fine(about, `answers, with ${counted(hosts.length, 'host')}`)]
    const fact = `${list(down)} of ${counted(hosts.length, 'host')} not reachable`
    return [
      { about, state: 'warning', fact, remedy: 'Look at the hosts; nothing is placed on them meanwhile.' },
    ]
  } catch (error) {
    const remedy = `Check the address and the credentials of ${name}, and that it answers from this machine.`
    return [fault(about, messageOf(error), remedy)]
  }
}

async function registration({ name, check }: Pick<Registrar, 'name' | 'check'>): Promise<Finding[]> {
  const about = `Registration with ${name}`
  try {
    await check(AbortSignal.timeout(askMillis))
    return [fine(about, 'takes our word')]
  } catch (error) {
    const remedy = 'No machine can be made until this is mended: check registration in the file.'
    return [fault(about, messageOf(error), remedy)]
  }
}

/** Windows clients find the feed of desktops of a mail domain by a text record (MS-TSWP §3.1.4: `_msradc`). */
async function discovery({ site, textRecords }: Ground): Promise<Finding[]> {
  const { hostname } = new URL(site.publicUrl)
  const domain = hostname.split('.').slice(1).join('.')
  if (site.pools.length === 0 || isIP(hostname) !== 0 || !domain.includes('.')) return []
  const about = 'Discovery of desktops'
  const feed = `${site.publicUrl}/RDWeb/Feed/webfeed.aspx`
  const record = `_msradc.${domain}. IN TXT "${feed}"`
  const known = await textRecords(`_msradc.${domain}`).catch((): string[] => [])
  if (known.includes(feed)) return [fine(about, `_msradc.${domain} names the feed`)]
  const fact =
    known.length === 0 ? `_msradc.${domain} has no text record` : `_msradc.${domain} names ${list(known)}`
  return [
    {
      about,
      state: 'warning',
      fact,
      remedy: `People can type the address instead. The record would be: ${record}`,
    },
  ]
}

/** Text records, each put together from its pieces. */
export async function textRecords(name: string): Promise<string[]> {
  return (await resolveTxt(name)).map((pieces) => pieces.join(''))
}

/** Whether the store takes writes, tried. */
export async function storeFinding(store: Pick<Store, 'transact' | 'health'>): Promise<Finding> {
  await store.transact(() => Promise.resolve()).catch(() => undefined)
  const { writable, reason } = store.health()
  if (writable) return fine('Store', 'takes writes')
  return fault('Store', reason ?? 'takes no writes', 'Make room on the disk, or see who may write to it.')
}
