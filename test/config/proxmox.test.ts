import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { packagePath } from '../../src/base/package-root.ts'
import { checkConfig } from '../../src/config.ts'
import { changed, faultsOf } from './example.ts'

/** The sample of the README as a second hypervisor of the example. */
function withSample(...changes: readonly (readonly [string, string])[]): string {
  const readme = readFileSync(packagePath('src/hypervisors/proxmox/README.md'), 'utf8')
  const [, sample = ''] = /```yaml\nhypervisors:\n([^]*?)```/.exec(readme) ?? []
  const ours = sample.replace('debian12: {', 'slc5: {').replace('w2022: {', 'w2008: {')
  const text = changes.reduce((before, [from, to]) => {
    expect(before).toContain(from)
    return before.replace(from, to)
  }, ours)
  return changed(['hypervisors:\n', `hypervisors:\n${text}`])
}

test('the sample of the README is in order, and its files lie beside the site file', () => {
  const result = checkConfig(withSample(), '/etc/jackdaw/jackdaw.yaml')

  expect('faults' in result ? result.faults : []).toEqual([])
  const rule = 'config' in result ? result.config.hypervisors[0] : undefined
  expect(rule).toMatchObject({
    kind: 'proxmox',
    secretFile: '/etc/jackdaw/pve.secret',
    caFile: '/etc/jackdaw/pve-root-ca.pem',
    overcommit: { cpus: 4, memory: 1 },
  })
})

test.each([
  [
    'https://pve1.example.org:8006',
    'http://pve1.example.org:8006',
    'the token would go over the network for all to read',
  ],
  ['https://pve1.example.org:8006', 'https://root:word@pve1:8006', 'the address of the API'],
  ['jackdaw@pve!service', 'jackdaw@pve', 'an API token such as jackdaw@pve!service'],
  ['caFile: ./pve-root-ca.pem', `fingerprints: ["AA:BB"]`, 'the SHA-256 fingerprint of a certificate'],
  [
    'caFile: ./pve-root-ca.pem',
    `caFile: ./ca.pem\n    fingerprints: ["${'AA:'.repeat(31)}BB"]`,
    'either caFile or fingerprints',
  ],
  ['local:iso/debian-12.iso', '/var/lib/vz/debian-12.iso', 'a volume such as local:iso/debian-13.iso'],
  ['path: /srv/exchange', 'path: exchange', '"/"'],
  [
    'slc5: { vmid: 9000 }',
    'slc6: { vmid: 9000 }',
    'is "slc6", and there is no template of that name, perhaps slc5 is meant',
  ],
  ['slc5: { vmid: 9000 }', 'slc5: { vmid: 9 }', 'templates.slc5.vmid'],
])('%s → %s is said', (from, to, expected) => {
  const faults = faultsOf(withSample([from, to]))

  expect(faults).toHaveLength(1)
  expect(faults[0]).toContain(expected)
})
