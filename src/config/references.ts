import { list } from '../base/text.ts'
import type { Path, Problem } from './faults.ts'
import { nearest } from './near.ts'
import type { Sketch } from './sketch.ts'

interface Named {
  path: Path
  name: string | undefined
}

/** Names that are given twice, and names that lead to nothing. */
export function referenceProblems(site: Sketch): Problem[] {
  return [
    ...duplicateProblems(site),
    ...templateProblems(site),
    ...poolProblems(site),
    ...groupProblems(site),
    ...terminalProblems(site),
    ...peopleProblems(site),
  ]
}

function duplicateProblems(site: Sketch): Problem[] {
  const hosts = site.hypervisors.flatMap(({ hosts = [] }, index) =>
    named(['hypervisors', index, 'hosts'], 'name', hosts),
  )
  return [
    named(['identity', 'local'], 'user', site.identity.local),
    named(['hypervisors'], 'name', site.hypervisors),
    hosts,
    named(['groups'], 'name', site.groups),
    named(['templates'], 'name', site.templates),
    named(['budgets'], 'code', site.budgets),
    named(['pools'], 'name', site.pools),
    named(['terminals'], 'name', site.terminals),
    named(['terminals'], 'mac', site.terminals),
    named(['terminals'], 'address', site.terminals),
    site.terminals.map(({ port }, index) => ({ path: ['terminals', index, 'port'], name: port?.toString() })),
  ].flatMap(repeated)
}

function named<K extends string>(
  path: Path,
  key: K,
  rows: readonly { [P in K]?: string | undefined }[],
): Named[] {
  return rows.map((row, index) => ({ path: [...path, index, key], name: row[key] }))
}

function repeated(all: readonly Named[]): Problem[] {
  return all.flatMap(({ path, name }, index) => {
    const first = all.findIndex((other) => other.name?.toLowerCase() === name?.toLowerCase())
    if (name === undefined || first === index) return []
    return [{ path, wrong: `is ${name} a second time`, right: 'should be a name of its own' }]
  })
}

/** What a hypervisor calls a template that the site does not have is a slip of the pen. */
function templateProblems(site: Sketch): Problem[] {
  const templates = site.templates.map(({ name }) => name)
  return site.hypervisors.flatMap(({ templates: own = {} }, index) =>
    Object.keys(own).flatMap((name) =>
      unknown(['hypervisors', index, 'templates', name], name, 'template', templates),
    ),
  )
}

function poolProblems(site: Sketch): Problem[] {
  const templates = site.templates.map(({ name }) => name)
  const groups = groupsListed(site)
  const codes = [...site.budgets.map(({ code }) => code), 'own']
  return site.pools.flatMap(({ template, group, budget }, index) => [
    ...unknown(['pools', index, 'budget'], budget, 'budget', codes),
    ...unknown(['pools', index, 'template'], template, 'template', templates),
    ...(groups === undefined ? [] : unknown(['pools', index, 'group'], group, 'host group', groups)),
  ])
}

/** A class of its own that no host is in would take nothing. */
function groupProblems(site: Sketch): Problem[] {
  const groups = groupsListed(site)
  if (groups === undefined) return []
  return site.groups.flatMap(({ name }, index) =>
    unknown(['groups', index, 'name'], name, 'host group', groups),
  )
}

/** The groups that hosts are in. A driver that finds its hosts itself knows groups that the file does not. */
function groupsListed(site: Sketch): string[] | undefined {
  const isListed = site.hypervisors.every(({ hosts }) => hosts !== undefined)
  if (!isListed) return undefined
  return site.hypervisors.flatMap(({ hosts = [] }) => hosts.map(({ group = 'central' }) => group))
}

function terminalProblems(site: Sketch): Problem[] {
  const pools = site.pools.map(({ name }) => name)
  return site.terminals.flatMap(({ pool }, index) =>
    unknown(['terminals', index, 'pool'], pool, 'pool', pools),
  )
}

function peopleProblems(site: Sketch): Problem[] {
  const users = site.identity.local.map(({ user }) => user?.toLowerCase())
  const groups = site.identity.local.flatMap((person) => person.groups.map((group) => group.toLowerCase()))
  const { approvals } = site.policies
  const people = { users, names: [...users, ...groups] }
  // A directory knows people and groups that the file does not.
  if (site.identity.ldap !== undefined) return accountProblems(site, groups)
  return [
    ...accountProblems(site, groups),
    ...nobody(['roles', 'operator'], site.roles.operator, people.names, true),
    ...nobody(['roles', 'auditor'], site.roles.auditor, people.names, true),
    ...site.budgets.flatMap(({ holders, members, delegates }, index) => [
      ...nobody(['budgets', index, 'holders'], holders, people.names, false),
      ...nobody(['budgets', index, 'members'], members, people.names, true),
      ...nobody(['budgets', index, 'delegates'], delegates, people.names, false),
    ]),
    ...nobody(['policies', 'approvals', 'fallback'], approvals.fallback, people.names, false),
    ...site.pools.flatMap(({ members }, index) =>
      nobody(['pools', index, 'members'], members, people.names, true),
    ),
    ...site.groups.flatMap(({ members }, index) =>
      nobody(['groups', index, 'members'], members, people.names, true),
    ),
  ]
}

/** Lists name users and groups alike, so an account named like a group would take what the group was given. */
function accountProblems(site: Sketch, groups: readonly string[]): Problem[] {
  const taken = new Map([
    ['everyone', 'stands for everybody who is signed in'],
    ['jackdaw', 'is the service itself'],
    ['nobody', 'stands for whoever has not signed in'],
    ...groups.map((group): [string, string] => [group, 'is also a group']),
  ])
  return site.identity.local.flatMap(({ user, groups: own }, index) => {
    const clash = user === undefined ? undefined : taken.get(user.toLowerCase())
    const everyone = own.findIndex((group) => group.toLowerCase() === 'everyone')
    return [
      ...(clash === undefined
        ? []
        : [
            {
              path: ['identity', 'local', index, 'user'],
              wrong: clash,
              right: 'should be another account name',
            },
          ]),
      ...(everyone === -1
        ? []
        : [
            {
              path: ['identity', 'local', index, 'groups', everyone],
              wrong: 'is everyone, who need no group',
              right: 'should be left out',
            },
          ]),
    ]
  })
}

/** A list of users and groups. Where somebody must be asked, everybody is nobody in particular. */
function nobody(
  path: Path,
  names: readonly string[],
  known: readonly (string | undefined)[],
  everyone: boolean,
): Problem[] {
  return names.flatMap((name, index) => {
    if (name.toLowerCase() !== 'everyone')
      return unknown([...path, index], name.toLowerCase(), 'user or group', known)
    if (everyone) return []
    return [{ path: [...path, index], wrong: 'is everyone', right: 'should be people who can be asked' }]
  })
}

function unknown(
  path: Path,
  name: string | undefined,
  what: string,
  known: readonly (string | undefined)[],
): Problem[] {
  if (name === undefined || name === '' || known.includes(name)) return []
  const names = [...new Set(known.filter((word) => word !== undefined && word !== ''))].filter(
    (word) => word !== undefined,
  )
  const meant = nearest(name, names)
  return [
    {
      path,
      wrong: `is ${JSON.stringify(name)}, and there is no ${what} of that name`,
      right: meant === undefined ? oneOf(what, names) : `perhaps ${meant} is meant`,
    },
  ]
}

function oneOf(what: string, names: readonly string[]): string {
  if (names.length === 0) return `should be the name of a ${what}, and none stands in this file`
  const shown = names.slice(0, 12)
  return `should be ${list(shown.length < names.length ? [...shown, 'another'] : shown, 'or')}`
}
