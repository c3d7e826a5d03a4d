import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { packagePath } from '../../src/base/package-root.ts'
import { checkConfig } from '../../src/config.ts'
import { changed, faultsOf } from './example.ts'

/** The sample of a driver's README as a second hypervisor of the example. */
function withSample(kind: 'hyperv' | 'scvmm', change?: readonly [string, string]): string {
  const readme = readFileSync(packagePath('src', 'hypervisors', kind, 'README.md'), 'utf8')
  const [, sample = ''] = /```yaml\nhypervisors:\n([^]*?)```/.exec(readme) ?? []
  const ours = sample.replace('w2022: {', 'w2008: {')
  if (change !== undefined) expect(ours).toContain(change[0])
  return changed(['hypervisors:\n', `hypervisors:\n${change === undefined ? ours : ours.replace(...change)}`])
}

test.each([
  ['hyperv', { keyFile: '/etc/jackdaw/hyperv.key' }],
  ['scvmm', { passwordFile: '/etc/jackdaw/vmm.password' }],
] as const)(
  'the sample of the README of %s is in order, and its files lie beside the site file',
  (kind, ssh) => {
    const result = checkConfig(withSample(kind), '/etc/jackdaw/jackdaw.yaml')

    expect('faults' in result ? result.faults : []).toEqual([])
    const rule = 'config' in result ? result.config.hypervisors[0] : undefined
    expect(rule).toMatchObject({ kind, ssh: { user: 'CERN\\jackdaw', ...ssh } })
  },
)

test.each([
  ['hyperv', 'SHA256:uNiV', 'SHA1:uNiV', 'a fingerprint such as ssh-keygen -lf prints'],
  ['hyperv', 'keyFile: ./hyperv.key', 'agent: true', 'agent'],
  ['hyperv', "'D:\\Jackdaw\\machines'", "'Jackdaw/machines'", 'a full Windows path such as D:\\Jackdaw'],
  ['hyperv', "'D:\\iso\\debian-12.iso'", "'D:\\iso\\*.iso'", 'a full Windows path such as D:\\Jackdaw'],
  [
    'scvmm',
    'passwordFile: ./vmm.password',
    'passwordFile: ./p, keyFile: ./k',
    'either keyFile or passwordFile',
  ],
] as const)('of %s, %s → %s is said', (kind, from, to, expected) => {
  const faults = faultsOf(withSample(kind, [from, to]))

  expect(faults.join('\n')).toContain(expected)
})
