import { z } from 'zod'
import { IsoDuration } from '../../base/duration.ts'
import { HostRule } from '../../machines/host.ts'
import { HypervisorName, hostsOf, Overcommit } from '../common-rule.ts'

/** Hosts read it too: the same file under the same name on each of them and here. */
const SharedPath = z
  .string()
  .regex(
    /^\/[\w.@+/-]{0,199}$/,
    'the whole path, such as /srv/jackdaw, of letters, digits and any of _ . @ + -',
  )

/** A libvirt connection (https://libvirt.org/uri.html). It becomes an argument of `virsh`, never part of a shell line. */
const Uri = z
  .string()
  .regex(/^[a-z]+(\+[a-z]+)?:\/\/[^\s'"]*$/, 'a libvirt connection, such as qemu+ssh://root@host1/system')

const Word = z.string().regex(/^[A-Za-z0-9][\w.-]{0,62}$/, 'letters, digits and any of _ . -')

/** How a guest is told its name and its people at its first boot. */
const seeds = ['nocloud', 'unattend', 'none'] as const

/** What a template of the site is here. */
export const LibvirtTemplate = z.strictObject({
  /** Its disk, which is never written to again: the disks of machines are differences to it. */
  disk: SharedPath,
  format: z.enum(['qcow2', 'raw']).default('qcow2'),
  machine: Word.default('q35'),
  firmware: z.enum(['bios', 'uefi']).default('bios'),
  bus: z.enum(['virtio', 'sata']).default('virtio'),
  nic: z.enum(['virtio', 'e1000e', 'e1000']).default('virtio'),
  /** Whether the QEMU guest agent runs in it: then a machine is ready when that answers. */
  agent: z.boolean().default(true),
  /** `nocloud` for Linux and `unattend` for Windows unless said otherwise. */
  seed: z.enum(seeds).optional(),
  /** A site's own answer file for Windows, into which the name is put. */
  unattend: SharedPath.optional(),
  /** A kernel to boot directly, in the place of what is on the disk. */
  kernel: SharedPath.optional(),
  initrd: SharedPath.optional(),
  cmdline: z.string().max(400).optional(),
})
export type LibvirtTemplate = z.infer<typeof LibvirtTemplate>

const Network = z.union([
  z.literal('user'),
  z.strictObject({ network: Word }),
  z.strictObject({ bridge: Word }),
])
export type Network = z.infer<typeof Network>

const Host = HostRule.omit({ cpus: true, memoryGb: true }).extend({
  uri: Uri,
  /** Where other hosts send it machines that move live; libvirt finds one itself where nothing is said. */
  migration: z.strictObject({ uri: Uri, listen: Word.optional() }).optional(),
})
export type LibvirtHost = z.infer<typeof Host>

/** Hosts of libvirt as the site's file describes them. */
export const LibvirtRule = z.strictObject({
  name: HypervisorName,
  kind: z.literal('libvirt'),
  overcommit: Overcommit,
  /** Disks, images and first-boot answers; the same folder here and on every host. */
  folder: SharedPath,
  /** That libvirt is told to believe that the folder is shared, where it cannot see that itself. */
  trustFolder: z.boolean().default(false),
  /** `tcg` is without help of the processor, which is slow. `test` is libvirt's own mock. */
  accel: z.enum(['kvm', 'tcg', 'test']).default('kvm'),
  /** A processor model that all hosts can give; else each machine gets that of the host it is made on. */
  cpu: Word.optional(),
  network: Network.default({ network: 'default' }),
  /** The network of machines that are to be by themselves. Without one their adapter is there and not plugged in. */
  isolatedNetwork: Word.optional(),
  /** Where the address of a machine comes from: its own name in a domain, or what libvirt sees. */
  address: z
    .strictObject({
      from: z.enum(['name', 'lease', 'agent', 'arp']).default('name'),
      domain: Word.optional(),
    })
    .prefault({}),
  /** How long a guest may take to shut down. */
  shutdown: IsoDuration.prefault('PT3M'),
  templates: z.record(z.string(), LibvirtTemplate),
  /** Discs (ISO files) that machines with an empty disk may boot from. */
  discs: z.record(z.string(), SharedPath).default({}),
  hosts: hostsOf(Host),
})
export type LibvirtRule = z.infer<typeof LibvirtRule>
