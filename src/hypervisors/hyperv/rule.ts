import { z } from 'zod'
import { IsoDuration } from '../../base/duration.ts'
import { serverGroup } from '../../machines/host.ts'
import { SshAddress, SshLogin, WindowsPath } from '../powershell/rule.ts'
import { HypervisorName, hostsOf, Overcommit } from '../common-rule.ts'

/** What a template of the site is on these hosts: a disk that every machine's own lies on top of, and is never written. */
const TemplateRule = z.strictObject({
  disk: WindowsPath,
  /** 2 boots by UEFI, 1 by BIOS: what the disk was installed for. */
  generation: z.union([z.literal(1), z.literal(2)]).default(2),
  /** Whose signature the boot loader has to bear (generation 2). */
  secureBoot: z.enum(['windows', 'linux', 'off']).default('off'),
  /** Whether the guest has integration services, which every Windows and most Linux systems have. */
  agent: z.boolean().default(true),
})
export type TemplateRule = z.infer<typeof TemplateRule>

const HostRule = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9.-]{0,62}$/),
  group: z.string().default(serverGroup),
  slots: z.number().int().positive(),
  ...SshAddress,
  /** What the other hosts call it, for moving machines to it; its address when nothing is said. */
  computer: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9.-]{0,252}$/)
    .optional(),
})
export type HyperVHostRule = z.infer<typeof HostRule>

/** Several Hyper-V hosts, each reached by SSH, as the site's file describes them. */
export const HyperVRule = z.strictObject({
  name: HypervisorName,
  kind: z.literal('hyperv'),
  ssh: SshLogin,
  /** A folder on each host, in which each machine has one of its own. */
  machines: WindowsPath,
  /** The folder of images that all hosts see as the same, on a cluster's volume or a share. */
  library: WindowsPath,
  /** Whether `machines` is on storage that all hosts see as the same, so that a machine moves without its disks. */
  shared: z.boolean().default(false),
  /** The virtual switch of machines. */
  switch: z.string().regex(/^[^\u0000-\u001f\u007f]{1,256}$/),
  /** The virtual switch of isolated machines. Without one their adapter is connected to nothing. */
  isolatedSwitch: z
    .string()
    .regex(/^[^\u0000-\u001f\u007f]{1,256}$/)
    .optional(),
  /** `qemu-img.exe` on the hosts, which reads and writes `.qcow2`; Hyper-V itself knows `.vhd` and `.vhdx` only. */
  qemuImg: WindowsPath.optional(),
  /** How long a guest that is asked to shut down is waited for. */
  patience: IsoDuration.prefault('PT5M'),
  overcommit: Overcommit,
  templates: z.record(z.string(), TemplateRule),
  /** ISO files to boot empty machines from. */
  discs: z.record(z.string(), WindowsPath).default({}),
  hosts: hostsOf(HostRule),
})
export type HyperVRule = z.infer<typeof HyperVRule>
