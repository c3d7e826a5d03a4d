import { resolve } from 'node:path'
import type { SecretRule } from '../base/secret.ts'
import type { SshLogin } from '../hypervisors/powershell/rule.ts'
import type { Site } from '../operations/site.ts'
import type { SiteFile } from './file.ts'

/** What a site's file says, checked: where things listen and are kept, and the site itself. */
export interface Config extends Pick<
  SiteFile,
  'http' | 'rdp' | 'store' | 'identity' | 'hypervisors' | 'registration' | 'chat'
> {
  site: Site
  /** The file, as it was named. */
  file: string
  /** The folder that relative paths in it start from. `store.path` is resolved already. */
  folder: string
}

/** What a file means that lies in a folder. */
export function configOf(parsed: SiteFile, file: string, folder: string): Config {
  const { http, rdp, hypervisors, chat } = parsed
  const identity = identityFrom(folder, parsed.identity)
  const store = storeFrom(folder, parsed.store)
  const drivers = hypervisors.map((rule) => driverFrom(folder, rule))
  return {
    http,
    rdp: rdpFrom(folder, rdp),
    store,
    identity,
    hypervisors: drivers,
    registration: parsed.registration.map((rule) => registrarFrom(folder, rule)),
    chat,
    site: siteOf(parsed, folder),
    file,
    folder,
  }
}

type DriverRule = SiteFile['hypervisors'][number]

function driverFrom(folder: string, rule: DriverRule): DriverRule {
  if (rule.kind === 'proxmox') {
    const ca = rule.caFile === undefined ? {} : { caFile: resolve(folder, rule.caFile) }
    return { ...rule, secretFile: resolve(folder, rule.secretFile), ...ca }
  }
  if (rule.kind === 'hyperv' || rule.kind === 'scvmm') return { ...rule, ssh: loginFrom(folder, rule.ssh) }
  if (rule.kind !== 'simulator') return rule
  const { server } = rule
  if (server === undefined || !('path' in server)) return rule
  return { ...rule, server: { path: resolve(folder, server.path) } }
}

function registrarFrom(folder: string, rule: SiteFile['registration'][number]): typeof rule {
  const here = (secret: SecretRule): SecretRule =>
    'file' in secret ? { file: resolve(folder, secret.file) } : secret
  if (rule.kind === 'webhook') return { ...rule, secret: here(rule.secret) }
  return { ...rule, key: { ...rule.key, secret: here(rule.key.secret) } }
}

function loginFrom(folder: string, { user, keyFile, passphraseFile, passwordFile }: SshLogin): SshLogin {
  return {
    user,
    ...(keyFile === undefined ? {} : { keyFile: resolve(folder, keyFile) }),
    ...(passphraseFile === undefined ? {} : { passphraseFile: resolve(folder, passphraseFile) }),
    ...(passwordFile === undefined ? {} : { passwordFile: resolve(folder, passwordFile) }),
  }
}

function identityFrom(folder: string, identity: SiteFile['identity']): SiteFile['identity'] {
  const { ldap } = identity
  if (ldap === undefined) return identity
  const ca = ldap.caFile === undefined ? {} : { caFile: resolve(folder, ldap.caFile) }
  return { ...identity, ldap: { ...ldap, bindPasswordFile: resolve(folder, ldap.bindPasswordFile), ...ca } }
}

function rdpFrom(folder: string, rdp: SiteFile['rdp']): SiteFile['rdp'] {
  const { signing, gateway, haproxy, ...rest } = rdp
  const here = (path: string) => resolve(folder, path)
  return {
    ...rest,
    ...(signing === undefined
      ? {}
      : { signing: { certificate: here(signing.certificate), key: here(signing.key) } }),
    ...(haproxy === undefined
      ? {}
      : { haproxy: { ...haproxy, socket: here(haproxy.socket), map: here(haproxy.map) } }),
    ...(gateway === undefined ? {} : { gateway: { ...gateway, keyFile: here(gateway.keyFile) } }),
  }
}

function storeFrom(folder: string, store: SiteFile['store']): SiteFile['store'] {
  const path = resolve(folder, store.path)
  if (store.kind === 'lowdb' || store.urlFile === undefined) return { ...store, path }
  return { ...store, path, urlFile: resolve(folder, store.urlFile) }
}

function siteOf(
  { site, rdp, roles, chat, hypervisors, groups, templates, tariffs, budgets, ...rest }: SiteFile,
  folder: string,
): Site {
  const { policies, pools, terminals, library } = rest
  return {
    ...site,
    rdp: { publicAddress: rdp.publicAddress, gateway: rdp.gateway?.address ?? null },
    roles,
    hypervisors: hypervisors.map((rule) => {
      const { name, overcommit, hosts } = rule
      const discs = 'discs' in rule ? Object.keys(rule.discs) : []
      return { name, real: rule.kind !== 'simulator', overcommit, hosts, discs }
    }),
    groups: groups.map((group) => ({ ...group, members: lowerCase(group.members) })),
    templates,
    tariffs,
    budgets: budgets.map((budget) => ({
      ...budget,
      holders: lowerCase(budget.holders),
      members: lowerCase(budget.members),
      delegates: lowerCase(budget.delegates),
    })),
    policies: {
      ...policies,
      approvals: { ...policies.approvals, fallback: lowerCase(policies.approvals.fallback) },
    },
    pools: pools.map((pool) => ({ ...pool, members: lowerCase(pool.members) })),
    terminals,
    library: library === undefined ? null : { ...library, folder: resolve(folder, library.folder) },
    accounts: chat.accounts,
    announces: [chat.slack, chat.mattermost].some((rule) => rule?.channel !== undefined),
  }
}

/** Directories give names in lower case, and lists of people are compared with those. */
function lowerCase(names: readonly string[]): string[] {
  return names.map((name) => name.toLowerCase())
}
