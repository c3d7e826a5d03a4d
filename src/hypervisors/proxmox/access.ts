import type { Administrator, MachineSpec } from '../hypervisor.ts'
import { refused } from '../outages.ts'
import { seedDisc, seedFiles } from '../seed/disc.ts'
import { checkGuest } from '../seed/guest.ts'
import type { VmConfig } from './answers.ts'
import type { Params } from './client.ts'
import { disksIn, drivesIn, storageOf } from './device.ts'
import { type Exchange, seedVolume, snippetVolume, writeSeed, writeSnippet } from './exchange.ts'
import type { ProxmoxRule } from './rule.ts'

/** How the guest is told its name and its people: what Proxmox VE calls cloud-init, or a disc for Windows Setup. */
function seedOf({ templates, exchange }: ProxmoxRule, { template, os }: MachineSpec): string {
  const asked = templates[template]?.seed
  if (asked === 'unattend' && exchange === undefined) {
    throw refused(`Template ${template} wants a disc of its own, which needs exchange in the site's file.`)
  }
  if (asked !== undefined) return asked
  if (os === 'other') return 'none'
  return os === 'windows' && exchange !== undefined ? 'unattend' : 'cloud-init'
}

/**
 * What a machine's configuration has to say so that its administrators get in; files that it names are written first.
 * @throws Outage `hypervisor_refused` for names and keys that must not get into a guest's files.
 */
export async function accessParams(
  rule: ProxmoxRule,
  spec: MachineSpec,
  config: VmConfig,
  signal: AbortSignal,
): Promise<Params> {
  checkGuest(spec)
  const { exchange } = rule
  const seed = seedOf(rule, spec)
  if (seed === 'none' || spec.administrators.length === 0) return {}
  if (seed === 'unattend' && exchange !== undefined) return setupDisc(exchange, spec, config, signal)
  const address = config.ipconfig0 === undefined ? { ipconfig0: 'ip=dhcp' } : {}
  const common = { ...cloudInitDrive(rule, config), ...address }
  if (exchange === undefined) return { ...common, ...soleAccount(spec.administrators) }
  await writeSnippet(exchange, spec.ref, seedFiles(spec, 'nocloud')['user-data'] ?? '')
  return { ...common, cicustom: `user=${snippetVolume(exchange, spec.ref)}` }
}

/** What an image says of the machine that it was made of: files that go with that machine. */
export function staleSeeds(config: VmConfig): string[] {
  const discs = drivesIn(config).filter(({ volume }) => /:iso\/jackdaw-[^/]*\.iso$/.test(volume))
  return [...discs.map(({ slot }) => slot), ...(config.cicustom === undefined ? [] : ['cicustom'])]
}

const slots = ['ide2', 'ide0', 'sata5', 'sata4']

function freeSlot(config: VmConfig): string {
  const slot = slots.find((name) => config[name] === undefined || config[name].startsWith('none,'))
  if (slot === undefined)
    throw refused(`The machine has no place for one more disc: ${slots.join(', ')} are taken.`)
  return slot
}

function cloudInitDrive({ storage }: ProxmoxRule, config: VmConfig): Params {
  if (drivesIn(config).some(({ kind }) => kind === 'cloud-init')) return {}
  const own = storage ?? storageOf(disksIn(config)[0]?.volume ?? '')
  return own === '' ? {} : { [freeSlot(config)]: `${own}:cloudinit` }
}

async function setupDisc(
  exchange: Exchange,
  spec: MachineSpec,
  config: VmConfig,
  signal: AbortSignal,
): Promise<Params> {
  const volume = seedVolume(exchange, spec.ref)
  await writeSeed(exchange, spec.ref, await seedDisc(seedFiles(spec, 'unattend'), signal))
  const [before = freeSlot(config)] = staleSeeds(config).filter((key) => key !== 'cicustom')
  return { [before]: `${volume},media=cdrom` }
}

/**
 * What Proxmox VE can say by itself: one account. The owner's, with the keys of all administrators, since they all may
 * do everything there; with a shared folder each has an account of their own.
 */
function soleAccount(administrators: readonly Administrator[]): Params {
  const [owner] = administrators
  const keys = [...new Set(administrators.flatMap((one) => one.keys))]
  return {
    ...(owner === undefined ? {} : { ciuser: owner.user }),
    // The value itself is percent-encoded (format `urlencoded`), beside the encoding of the form.
    ...(keys.length === 0 ? {} : { sshkeys: encodeURIComponent(keys.join('\n')) }),
  }
}
