import { checkConfig, type Config } from '../../src/config.ts'

/** A small site on which everything happens soon: short free days, little money, few desktops, many who want some. */
const file = `
site: { name: simulated, timezone: Europe/Zurich, currency: CHF, publicUrl: 'http://127.0.0.1:8080' }
http: { host: 127.0.0.1, port: 8080 }
rdp: { host: 127.0.0.1, port: 3389, publicAddress: '127.0.0.1:3389' }
store: { kind: lowdb, path: ./data }
identity:
  local:
    - { user: alice, name: Alice, password: alice, groups: [developers] }
    - { user: bob, name: Bob, password: bob, groups: [holders] }
    - { user: carol, name: Carol, password: carol, groups: [developers, office] }
    - { user: dave, name: Dave, password: dave, groups: [developers, holders] }
    - { user: olga, name: Olga, password: olga, groups: [operators] }
roles: { operator: [operators], auditor: [] }
hypervisors:
  - name: wod
    kind: simulator
    stage: PT20S
    rdpAddress: '127.0.0.1:13389'
    overcommit: { cpus: 2, memory: 1 }
    hosts:
      - { name: host1, cpus: 8, memoryGb: 32, slots: 10, group: central }
      - { name: host2, cpus: 8, memoryGb: 32, slots: 10, group: central }
      - { name: host3, cpus: 8, memoryGb: 32, slots: 12, group: desktops }
templates:
  - { name: slc5, title: SLC5, os: linux, cpus: { default: 1, max: 4 }, memoryGb: { default: 1, max: 8 } }
  - { name: w2008, title: Windows, os: windows, cpus: { default: 1, max: 4 }, memoryGb: { default: 2, max: 8 } }
  - { name: desktop, title: Desktop, os: windows, cpus: { default: 1, max: 2 }, memoryGb: { default: 1, max: 4 } }
tariffs:
  - { name: standard, from: 2009-01-01, freeDays: 3, base: '0.960', perGb: '0.685', perCpu: '0.685', saved: { base: '0.100' } }
  - { name: dearer, from: 2026-11-04, freeDays: 3, base: '1.100', perGb: '0.700', perCpu: '0.700' }
budgets:
  - { code: T-1, title: Total, holders: [bob], members: [developers], delegates: [], limit: '150.00', autoApproveBelow: '0.00' }
  - { code: T-2, title: Monthly, holders: [holders], members: [developers, office], limit: '60.00', autoApproveBelow: '6.00', period: month }
  - { code: T-3, title: Quarterly, holders: [dave], members: [everyone], limit: '90.00', autoApproveBelow: '3.00', period: quarter }
policies:
  approvals: { expire: P3D, fallback: [olga], remindAfter: PT4H }
  machines:
    maxTerm: P40D
    extensionsWithoutApproval: 1
    reminders: [P7D, P3D, P1D]
    grace: P3D
    atEnd: save
  names: '^[a-z][a-z0-9-]{1,20}$'
pools:
  - name: own
    kind: persistent
    template: desktop
    group: desktops
    size: { spare: 1, max: 4 }
    members: [developers]
    lease: { max: PT10H, warn: PT10M, disconnected: PT2H, atEnd: save }
  - name: public
    kind: shared
    template: desktop
    group: desktops
    size: { spare: 1, max: 4 }
    members: [everyone]
    lease: { max: PT2H, warn: PT5M, disconnected: PT10M, atEnd: reset }
chat: { web: true }
`

let known: Config | undefined

/** Read once: it takes as long as a week of the site's life. */
export function simulatedSite(): Config {
  known ??= read()
  return known
}

function read(): Config {
  const checked = checkConfig(file, 'simulated.yaml', '/data')
  if ('faults' in checked) throw new Error(JSON.stringify(checked.faults))
  return checked.config
}

export const people = ['alice', 'bob', 'carol', 'dave', 'olga'] as const
