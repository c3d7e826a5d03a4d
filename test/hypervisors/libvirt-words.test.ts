import { readFile } from 'node:fs/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { packagePath } from '../../src/base/package-root.ts'
import type { MachineSpec } from '../../src/hypervisors/hypervisor.ts'
import { address, power, snapshots } from '../../src/hypervisors/libvirt/answers.ts'
import { locate } from '../../src/hypervisors/libvirt/console.ts'
import { disks } from '../../src/hypervisors/libvirt/disks.ts'
import { domainXml } from '../../src/hypervisors/libvirt/domain-xml.ts'
import { keptOf } from '../../src/hypervisors/libvirt/farm.ts'
import { refOfEvent } from '../../src/hypervisors/libvirt/following.ts'
import { keptText, parseKept, refOf, uuidOf } from '../../src/hypervisors/libvirt/naming.ts'
import { LibvirtRule } from '../../src/hypervisors/libvirt/rule.ts'
import { connection } from '../../src/hypervisors/libvirt/virsh.ts'
import { escapeXml } from '../../src/base/xml.ts'
import { lint, xmllint } from '../broker/profiles/xml.ts'
import { component } from '../components.ts'

const libvirtHere = await component('libvirt', { install: true })
const schema = '/usr/share/libvirt/schemas/domain.rng'

const disk = '/srv/jackdaw/templates/debian12.qcow2'

function aRule(changes: object = {}): LibvirtRule {
  return LibvirtRule.parse({
    name: 'kvm',
    kind: 'libvirt',
    folder: '/srv/jackdaw',
    templates: { debian12: { disk } },
    discs: { netinst: '/srv/jackdaw/discs/netinst.iso' },
    hosts: [{ name: 'kvm1', uri: 'qemu+ssh://jackdaw@kvm1.example.org/system', slots: 4 }],
    ...changes,
  })
}

function aSpec(changes: Partial<MachineSpec> = {}): MachineSpec {
  const what = { name: 'webafs20', host: 'kvm1', template: 'debian12', os: 'linux' } as const
  const size = { cpus: 2, memoryGb: 1.5 }
  return { ref: 'vm-1', ...what, ...size, mac: '02:00:00:00:00:01', administrators: [], ...changes }
}

function xmlOf(spec: MachineSpec, rule = aRule()): string {
  const template = spec.blank === undefined ? rule.templates['debian12'] : undefined
  const files = disks(rule.folder).paths(spec.ref)
  return domainXml({ rule, template, spec, kept: keptOf(spec, 0), files, hasSeed: template !== undefined })
}

describe.runIf(xmllint.available && libvirtHere.available)(
  'a domain is valid by libvirt’s own schema',
  () => {
    test.each<[string, Partial<MachineSpec>, object]>([
      ['with KVM on a bridge', {}, { network: { bridge: 'br0' } }],
      ['without KVM', {}, { accel: 'tcg', network: 'user' }],
      ['of a named processor', {}, { cpu: 'Broadwell' }],
      [
        'with UEFI and Windows',
        { os: 'windows' },
        { templates: { debian12: { disk, firmware: 'uefi', bus: 'sata', nic: 'e1000e' } } },
      ],
      [
        'with a kernel of its own',
        {},
        {
          templates: {
            debian12: { disk, machine: 'pc', kernel: '/k', initrd: '/i', cmdline: 'console=ttyS0 a="<&>"' },
          },
        },
      ],
      ['with an image beside its disk, by itself', { data: 'img-1', isolated: true }, {}],
      ['by itself on a network for that', { isolated: true }, { isolatedNetwork: 'apart' }],
      ['with an empty disk and a disc', { blank: { diskGb: 8, disc: 'netinst' } }, {}],
      ['with an empty disk and the network', { blank: { diskGb: 8, disc: null } }, {}],
      ['with people of strange names', { administrators: [{ user: `"><&'é`, keys: ['a b'] }] }, {}],
    ])('%s', async (_case, spec, rule) => {
      const { said } = await lint(xmlOf(aSpec(spec), aRule(rule)), '--noout', '--relaxng', schema)

      expect(said).toBe('')
    })
  },
)

describe('what is kept with a domain', () => {
  test('can be read again as libvirt prints it, whatever people are called', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 3 }), (users) => {
        const spec = aSpec({ administrators: users.map((user) => ({ user, keys: [] })) })
        const kept = keptOf(spec, 3)

        expect(parseKept(`<machine>${escapeXml(keptText(kept))}</machine>\n`)).toEqual(kept)
      }),
    )
  })

  test.each(['', '<machine/>', '<machine>{}</machine>', '<machine>no</machine>', '<other>{}</other>'])(
    '%j is not ours',
    (printed) => {
      expect(parseKept(printed)).toBeUndefined()
    },
  )

  test('a ref has one UUID, and a domain of that name with another UUID is somebody else’s', () => {
    const uuid = uuidOf('vm-0m4k2v8s7k2m9qx4')

    expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(refOf({ uuid, name: 'webafs20.vm-0m4k2v8s7k2m9qx4' })).toBe('vm-0m4k2v8s7k2m9qx4')
    expect(refOf({ uuid: uuidOf('vm-2'), name: 'webafs20.vm-0m4k2v8s7k2m9qx4' })).toBe(uuidOf('vm-2'))
    expect(uuidOf(uuid)).toBe(uuid)
  })

  test.each(['../../etc', 'a/b', '', '-rf', 'a b', 'a\nb', "a'b"])('%j is no ref', (ref) => {
    expect(() => uuidOf(ref)).toThrow(expect.objectContaining({ code: 'hypervisor_refused' }))
  })
})

describe('what libvirt says', () => {
  test.each([
    ['running (booted)', false, 'running'],
    ['in shutdown (user)', false, 'running'],
    ['paused (I/O error)', false, 'paused'],
    ['shut off (saved)', true, 'saved'],
    ['shut off (crashed)', false, 'stopped'],
    ['crashed (panicked)', false, 'stopped'],
  ])('%s, with a memory kept: %s, is %s', (printed, isSaved, expected) => {
    expect(power(`${printed}\n\n`, isSaved)).toBe(expected)
  })

  test('and is not known is an outage, never a guess', () => {
    expect(() => power('dreaming (sheep)', false)).toThrow(
      expect.objectContaining({ code: 'hypervisor_refused' }),
    )
    expect(() => snapshots(' something else entirely')).toThrow('not understood')
  })

  test('of snapshots has names, with blanks too, and instants', () => {
    const printed =
      ' Name           Creation Time               State\n----\n s1             2026-11-22 08:26:05 +0100   running\n before lunch   2026-11-22 07:26:05 +0000   shutoff\n'

    expect(snapshots(printed)).toEqual([
      { name: 's1', takenAt: '2026-11-22T07:26:05.000Z' },
      { name: 'before lunch', takenAt: '2026-11-22T07:26:05.000Z' },
    ])
  })

  test('of addresses is the one of the machine’s adapter that others can reach', () => {
    const printed = [
      ' lo      00:00:00:00:00:00   ipv4   127.0.0.1/8',
      ' eth0    02:00:00:00:00:01   ipv6   fe80::1/64',
      ' eth0    02:00:00:00:00:01   ipv6   2001:db8::5/64',
      ' eth0    02:00:00:00:00:01   ipv4   192.0.2.7/24',
      ' docker0 02:42:00:00:00:01   ipv4   172.17.0.1/16',
    ].join('\n')

    expect(address(printed, '02:00:00:00:00:01')).toBe('192.0.2.7')
    expect(address('', '02:00:00:00:00:01')).toBeNull()
  })

  test.each([
    [`2026-11-22 16:12:38.285+0000: event 'lifecycle' for domain 'webafs20.vm-1': Stopped Failed`, 'vm-1'],
    [`2026-11-22 16:12:38.285+0000: event 'io-error' for domain 'webafs20.vm-1': /d (vda) pause`, 'vm-1'],
    [
      `2026-11-22 16:12:47.522+0000: event 'migration-iteration' for domain 'a.vm-1': iteration: '1'`,
      undefined,
    ],
    [`2026-11-22 16:12:38.285+0000: event 'lifecycle' for domain 'theirs': Started Booted`, undefined],
    ['\ttime_elapsed: 42', undefined],
  ])('in the event %j is about %s', (line, ref) => {
    expect(refOfEvent(line)).toBe(ref)
  })
})

describe('a connection', () => {
  test.each([
    ['qemu:///system', { transport: 'local', login: [] }],
    ['qemu+unix:///system?socket=/run/a', { transport: 'local', login: [] }],
    [
      'qemu+ssh://jack@kvm1.example.org:2222/system',
      { transport: 'ssh', login: ['-l', 'jack', '-p', '2222', '--', 'kvm1.example.org'] },
    ],
    ['qemu+ssh://kvm1/system?keyfile=/k', { transport: 'ssh', login: ['-i', '/k', '--', 'kvm1'] }],
    ['qemu+tls://kvm1.example.org/system', { transport: 'other', login: [] }],
  ])('%s is reached accordingly', (uri, expected) => {
    expect(locate(uri)).toEqual(expected)
  })

  test('over ssh never asks for a password', () => {
    expect(connection('qemu+ssh://kvm1/system')).toBe('qemu+ssh://kvm1/system?no_tty=1')
    expect(connection('qemu+ssh://kvm1/system?keyfile=/k')).toBe('qemu+ssh://kvm1/system?keyfile=/k&no_tty=1')
    expect(connection('qemu:///system')).toBe('qemu:///system')
  })

  test.each(["qemu:///system'; rm -rf ~; '", 'qemu:///sys tem', '-c', '/etc/passwd'])(
    '%j does not pass the configuration',
    (uri) => {
      const hosts = [{ name: 'kvm1', uri, slots: 4 }]

      expect(() => aRule({ hosts })).toThrow('a libvirt connection')
    },
  )
})

test('the sample in the README is accepted as it stands', async () => {
  const readme = await readFile(packagePath('src', 'hypervisors', 'libvirt', 'README.md'), 'utf8')
  const [, sample = ''] = /```yaml\n(.*?)```/s.exec(readme) ?? []
  const { hypervisors } = z.object({ hypervisors: z.tuple([z.unknown()]) }).parse(parse(sample))

  const rule = LibvirtRule.parse(hypervisors[0])

  expect(rule.hosts.map(({ name }) => name)).toEqual(['kvm1', 'kvm2'])
  expect(Object.keys(rule.templates)).toEqual(['debian12', 'w2022'])
})

test('a machine is what it was asked to be', () => {
  const xml = xmlOf(aSpec())

  expect(xml).toContain('<memory unit="KiB">1572864</memory><vcpu>2</vcpu>')
  expect(xml).toContain('<source file="/srv/jackdaw/machines/vm-1/disk.qcow2" />')
  expect(xml).toContain('listen="127.0.0.1"')
})
