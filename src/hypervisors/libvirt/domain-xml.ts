import { element, escapeXml } from '../../base/xml.ts'
import type { MachineSpec } from '../hypervisor.ts'
import type { MachineFiles } from './disks.ts'
import { domainName, type Kept, keptText, machineSpace, uuidOf } from './naming.ts'
import type { LibvirtRule, LibvirtTemplate } from './rule.ts'

export interface DomainFacts {
  rule: LibvirtRule
  /** Absent for a machine with an empty disk. */
  template: LibvirtTemplate | undefined
  spec: MachineSpec
  kept: Kept
  files: MachineFiles
  hasSeed: boolean
}

const types = { kvm: 'kvm', tcg: 'qemu', test: 'test' } as const

/** A domain for libvirt (https://libvirt.org/formatdomain.html). Every value is escaped on its way in. */
export function domainXml(facts: DomainFacts): string {
  const { rule, spec } = facts
  return element(
    'domain',
    { type: types[rule.accel] },
    textElement('name', domainName(spec)),
    textElement('uuid', uuidOf(spec.ref)),
    textElement('title', spec.name),
    metadata(facts),
    element('memory', { unit: 'KiB' }, String(kibibytes(spec.memoryGb))),
    element('vcpu', {}, String(spec.cpus)),
    operatingSystem(facts),
    element('features', {}, element('acpi', {}), element('apic', {})),
    processor(rule),
    element('clock', { offset: spec.os === 'windows' ? 'localtime' : 'utc' }),
    element('on_poweroff', {}, 'destroy'),
    element('on_reboot', {}, 'restart'),
    element('on_crash', {}, 'destroy'),
    element('devices', {}, ...devices(facts)),
  )
}

export function kibibytes(gigabytes: number): number {
  return Math.round(gigabytes * 1024 * 1024)
}

/** What is kept with the domain, as an element in a namespace of ours. */
export function keptElement(kept: Kept): string {
  return element('machine', {}, escapeXml(keptText(kept)))
}

function textElement(name: string, text: string): string {
  return element(name, {}, escapeXml(text))
}

function metadata({ kept }: DomainFacts): string {
  const named = element('jackdaw:machine', { 'xmlns:jackdaw': machineSpace }, escapeXml(keptText(kept)))
  return element('metadata', {}, named)
}

function operatingSystem({ rule, template }: DomainFacts): string {
  if (rule.accel === 'test') return element('os', {}, element('type', {}, 'hvm'))
  const { machine = 'q35', firmware = 'bios', kernel, initrd, cmdline } = template ?? {}
  return element(
    'os',
    firmware === 'uefi' ? { firmware: 'efi' } : {},
    element('type', { arch: 'x86_64', machine }, 'hvm'),
    ...(kernel === undefined ? [] : [textElement('kernel', kernel)]),
    ...(initrd === undefined ? [] : [textElement('initrd', initrd)]),
    ...(cmdline === undefined ? [] : [textElement('cmdline', cmdline)]),
  )
}

function processor({ accel, cpu }: LibvirtRule): string {
  if (cpu !== undefined) return element('cpu', { mode: 'custom', match: 'exact' }, textElement('model', cpu))
  return accel === 'kvm' ? element('cpu', { mode: 'host-model' }) : ''
}

function devices(facts: DomainFacts): string[] {
  const { template, spec, files, rule } = facts
  const bus = template?.bus ?? 'virtio'
  const letter = bus === 'virtio' ? 'vd' : 'sd'
  return [
    disk(files.disk, { dev: `${letter}a`, bus }, 1),
    ...(spec.data === undefined ? [] : [disk(files.data, { dev: `${letter}b`, bus })]),
    ...discs(facts),
    adapter(facts),
    ...(rule.accel === 'test' ? [] : [serial(), screen(), agent(template), ...comforts()]),
  ]
}

function disk(file: string, target: Record<string, string>, order?: number): string {
  return element(
    'disk',
    { type: 'file', device: 'disk' },
    // Without the host's cache, which is what moving live between hosts asks for.
    element('driver', { name: 'qemu', type: 'qcow2', cache: 'none', discard: 'unmap' }),
    element('source', { file }),
    element('target', target),
    ...boot(order),
  )
}

function discs({ template, spec, files, hasSeed, rule }: DomainFacts): string[] {
  const disc = spec.blank?.disc ?? null
  const file = disc === null ? (hasSeed ? files.seed : undefined) : rule.discs[disc]
  if (file === undefined) return []
  const machine = template?.machine ?? 'q35'
  const isOld = machine.startsWith('pc') && !machine.includes('q35')
  return [
    element(
      'disk',
      { type: 'file', device: 'cdrom' },
      element('driver', { name: 'qemu', type: 'raw' }),
      element('source', { file }),
      element('target', isOld ? { dev: 'hdc', bus: 'ide' } : { dev: 'sdz', bus: 'sata' }),
      element('readonly', {}),
      ...boot(disc === null ? undefined : 2),
    ),
  ]
}

function adapter({ rule, spec, template }: DomainFacts): string {
  const isApart = spec.isolated === true
  const network =
    isApart && rule.isolatedNetwork !== undefined ? { network: rule.isolatedNetwork } : rule.network
  const isUnplugged = isApart && rule.isolatedNetwork === undefined
  const fromNetwork = spec.blank !== undefined && spec.blank.disc === null
  return element(
    'interface',
    { type: network === 'user' ? 'user' : 'network' in network ? 'network' : 'bridge' },
    element('mac', { address: spec.mac }),
    ...(network === 'user' ? [] : [element('source', { ...network })]),
    element('model', { type: template?.nic ?? 'virtio' }),
    ...(isUnplugged ? [element('link', { state: 'down' })] : []),
    ...boot(fromNetwork ? 2 : undefined),
  )
}

function boot(order: number | undefined): string[] {
  return order === undefined ? [] : [element('boot', { order: String(order) })]
}

function serial(): string {
  return (
    element('serial', { type: 'pty' }, element('target', { port: '0' })) +
    element('console', { type: 'pty' }, element('target', { type: 'serial', port: '0' }))
  )
}

/** On the host's own loopback: it has no password, and is reached through the host. */
function screen(): string {
  const listen = element('graphics', {
    type: 'vnc',
    port: '-1',
    autoport: 'yes',
    listen: '127.0.0.1',
    sharePolicy: 'force-shared',
  })
  return listen + element('video', {}, element('model', { type: 'vga' }))
}

function agent(template: LibvirtTemplate | undefined): string {
  if (template?.agent === false) return ''
  return element(
    'channel',
    { type: 'unix' },
    element('target', { type: 'virtio', name: 'org.qemu.guest_agent.0' }),
  )
}

/** A pointer that is where the viewer's is, memory figures, and chance for keys that are made at the first boot. */
function comforts(): string[] {
  return [
    element('input', { type: 'tablet', bus: 'usb' }),
    element('memballoon', { model: 'virtio' }, element('stats', { period: '10' })),
    element('rng', { model: 'virtio' }, element('backend', { model: 'random' }, '/dev/urandom')),
  ]
}
