import { describe, expect, test } from 'vitest'
import { Outage } from '../../src/base/errors.ts'
import type { HostStatus } from '../../src/hypervisors/hypervisor.ts'
import { local } from '../../src/identity/local.ts'
import { findingsOf, type Ground, storeFinding } from '../../src/main/findings.ts'
import { demoConfig } from '../operations/core.ts'

/** The demo site on the ground that a test gives it. */
async function examined(facts: Partial<Ground> = {}, publicUrl = 'http://127.0.0.1:8080') {
  const { site, identity } = await demoConfig()
  const textRecords = () => Promise.reject(new Error('queryTxt ENOTFOUND'))
  const ground = { directory: local(identity.local), hypervisors: new Map(), registrars: [], textRecords }
  return findingsOf({ ...ground, site: { ...site, publicUrl }, ...facts })
}

const refusal = new Outage('registration_refused', 'ns1 takes no key', { transient: false })
test.each<[string, () => Promise<void>]>([
  ['fine', () => Promise.resolve()],
  ['fault', () => Promise.reject(refusal)],
])('a registration of machines is tried: %s', async (state, check) => {
  const findings = await examined({ registrars: [{ name: 'the name server ns1', check }] })

  expect(findings.at(-1)).toMatchObject({ about: 'Registration with the name server ns1', state })
})

const host = { version: '1', cpus: 1, memoryGb: 1, slots: 1, group: 'a' }

describe('people', () => {
  test('who are known are fine', async () => {
    const findings = await examined()

    expect(findings.map(({ state }) => state)).toEqual(['fine', 'fine', 'fine', 'fine'])
  })

  test('whom the directory does not know are said, with where they stand', async () => {
    const findings = await examined({ directory: local([]) })

    expect(findings[0]).toEqual({
      about: 'Operators',
      state: 'fault',
      fact: 'the directory knows nobody behind operators',
      remedy: 'Name an account or a group that exists under roles.operator.',
    })
    expect(findings.slice(1).map(({ state }) => state)).toEqual(['warning', 'warning', 'warning'])
  })

  test('cannot be looked for where the directory does not answer', async () => {
    const members = () => Promise.reject(new Outage('ldap_unreachable', 'no answer', { transient: true }))

    const findings = await examined({ directory: { members } })

    expect(findings[0]).toMatchObject({ about: 'Directory', state: 'fault', fact: 'no answer' })
  })
})

describe('a hypervisor', () => {
  test.each([
    ['whose hosts answer', [{ ...host, name: 'h1', reachable: true }], 'fine', 'answers, with 1 host'],
    [
      'one of whose hosts does not',
      [
        { ...host, name: 'h1', reachable: true },
        { ...host, name: 'h2', reachable: false },
      ],
      'warning',
      'h2 of 2 hosts not reachable',
    ],
    ['without hosts', [], 'fault', 'it has no hosts'],
  ])('%s', async (_, hosts, state, fact) => {
    const hypervisors = new Map([['pve', { inventory: async () => ({ hosts, machines: [] }) }]])

    const findings = await examined({ hypervisors })

    expect(findings.at(-1)).toMatchObject({ about: 'Hypervisor pve', state, fact })
  })

  test('that does not answer is a fault', async () => {
    const inventory = () => Promise.reject(new Outage('x', 'pve gave no answer', { transient: true }))

    const findings = await examined({ hypervisors: new Map([['pve', { inventory }]]) })

    expect(findings.at(-1)).toMatchObject({ state: 'fault', fact: 'pve gave no answer' })
  })
})

describe('a template of the site', () => {
  const hostWith = (templates: string[]) => ({ ...host, name: 'h1', reachable: true, templates })
  const all = ['slc5', 'w2008r2', 'w2008', 'desktop']
  const wod = (hosts: HostStatus[]) =>
    new Map([['wod', { inventory: async () => ({ hosts, machines: [] }) }]])

  test.each<[string, HostStatus[], string[]]>([
    ['that a host has is fine', [hostWith(all)], []],
    ['that no host has is said', [hostWith(all.slice(1))], ['Template slc5']],
    [
      'that only a silent host has is said',
      [hostWith(all.slice(1)), { ...hostWith(all), reachable: false }],
      ['Template slc5'],
    ],
    ['is fine where hosts have any', [hostWith([]), { ...host, name: 'h2', reachable: true }], []],
  ])('%s', async (_case, hosts, expected) => {
    const findings = await examined({ hypervisors: wod(hosts) })

    const templates = findings.map(({ about }) => about).filter((about) => about.startsWith('Template'))
    expect(templates).toEqual(expected)
  })
})

describe('the record by which clients find desktops', () => {
  const feed = 'https://vm.example.org/RDWeb/Feed/webfeed.aspx'

  test('is written out where there is none', async () => {
    const finding = (await examined({}, 'https://vm.example.org')).at(-1)

    expect(finding?.fact).toBe('_msradc.example.org has no text record')
    expect(finding?.remedy).toContain(`_msradc.example.org. IN TXT "${feed}"`)
  })

  test('is fine when it names the feed', async () => {
    const finding = (await examined({ textRecords: async () => [feed] }, 'https://vm.example.org')).at(-1)

    expect(finding).toMatchObject({ about: 'Discovery of desktops', state: 'fine' })
  })

  test('is not asked for where there is no domain', async () => {
    const findings = await examined({}, 'http://192.0.2.7')

    expect(findings.map(({ about }) => about)).not.toContain('Discovery of desktops')
  })
})

test('a store that takes no writes is a fault, with what the disk said', async () => {
  const store = {
    transact: () => Promise.reject(new Outage('store_unwritable', 'full', { transient: true })),
    health: () => ({ writable: false, reason: 'no space left on device' }),
  }

  const finding = await storeFinding(store)

  expect(finding).toMatchObject({ about: 'Store', state: 'fault', fact: 'no space left on device' })
})
