import type { VmConfig } from './answers.ts'

/** A line of a machine's configuration that describes a device: `virtio=BC:24:…,bridge=vmbr0,firewall=1`. */
export function partsOf(value: string): [string, string][] {
  return value.split(',').map((part) => {
    const at = part.indexOf('=')
    return at === -1 ? ['', part] : [part.slice(0, at), part.slice(at + 1)]
  })
}

export interface Drive {
  /** Such as `scsi0`. */
  slot: string
  /** Such as `local-lvm:vm-100-disk-0`. */
  volume: string
  sizeGb: number | null
  kind: 'disk' | 'disc' | 'cloud-init'
}

const driveSlot = /^(scsi|virtio|sata|ide)\d+$/

/** The drives of a machine, the one it boots from first. */
export function drivesIn(config: VmConfig): Drive[] {
  const order = /order=([^,]*)/.exec(config.boot ?? '')?.[1]?.split(';') ?? [config.bootdisk ?? '']
  const rank = (slot: string) => (order.includes(slot) ? order.indexOf(slot) : order.length)
  return Object.entries(config)
    .filter(([slot]) => driveSlot.test(slot))
    .map(([slot, value]) => driveOf(slot, value))
    .filter(({ volume }) => volume !== 'none')
    .sort((a, b) => rank(a.slot) - rank(b.slot) || a.slot.localeCompare(b.slot, 'en', { numeric: true }))
}

export function disksIn(config: VmConfig): Drive[] {
  return drivesIn(config).filter(({ kind }) => kind === 'disk')
}

function driveOf(slot: string, value: string): Drive {
  const [first, ...rest] = partsOf(value)
  const volume = first?.[1] ?? ''
  const facts = new Map(rest)
  const isDisc = facts.get('media') === 'cdrom'
  const kind = /cloudinit/.test(volume) ? 'cloud-init' : isDisc ? 'disc' : 'disk'
  return { slot, volume, kind, sizeGb: gbOf(facts.get('size')) }
}

const perGb: Readonly<Record<string, number>> = { K: 2 ** -20, M: 2 ** -10, G: 1, T: 2 ** 10, '': 2 ** -30 }

function gbOf(text: string | undefined): number | null {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)([KMGT]?)$/.exec(text ?? '') ?? []
  return number === undefined ? null : Number(number) * (perGb[unit] ?? 0)
}

export function storageOf(volume: string): string {
  return volume.slice(0, volume.indexOf(':'))
}

export interface Adapter {
  mac: string
  bridge?: string | undefined
  vlan?: number | undefined
  isPulled: boolean
  /** The model where the machine has no adapter yet. */
  model: string
}

/** The line of a network adapter: what the template says of it is kept, its address and where it is plugged in are ours. */
export function adapterLine(existing: string | undefined, wanted: Adapter): string {
  const known = existing === undefined ? [] : partsOf(existing)
  const model = known.find(([name]) => name !== '' && /^[0-9A-F:]{17}$/i.test(valueIn(known, name)))?.[0]
  const bare = known.find(([name]) => name === '')?.[1]
  const facts = new Map(
    known.filter(([name]) => !['', 'model', 'macaddr', 'link_down', model].includes(name)),
  )
  if (wanted.bridge !== undefined) facts.set('bridge', wanted.bridge)
  if (wanted.bridge !== undefined || wanted.vlan !== undefined) facts.delete('tag')
  if (wanted.vlan !== undefined) facts.set('tag', String(wanted.vlan))
  if (wanted.isPulled) facts.set('link_down', '1')
  const named = model ?? valueIn(known, 'model', bare ?? wanted.model)
  const rest = Array.from(facts, ([name, value]) => `${name}=${value}`)
  return [`${named}=${wanted.mac.toUpperCase()}`, ...rest].join(',')
}

function valueIn(parts: readonly [string, string][], name: string, otherwise = ''): string {
  return parts.find(([known]) => known === name)?.[1] ?? otherwise
}

export function macIn(line: string): string | null {
  return /[0-9A-F]{2}(:[0-9A-F]{2}){5}/i.exec(line)?.[0].toLowerCase() ?? null
}
