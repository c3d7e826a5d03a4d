import { z } from 'zod'
import { IsoDuration } from '../../base/duration.ts'
import { serverGroup } from '../../machines/host.ts'
import { SshAddress, SshLogin, WindowsPath } from '../powershell/rule.ts'
import { HypervisorName, hostsOf, Overcommit } from '../common-rule.ts'

/** The name of something in VMM, compared as a whole: none of it is a pattern. */
const Named = z.string().regex(/^[^\u0000-\u001f\u007f]{1,256}$/)

const HostRule = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9.-]{0,62}$/),
  group: z.string().default(serverGroup),
  slots: z.number().int().positive(),
  /** What VMM calls it; its name when nothing is said. */
  computer: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9.-]{0,252}$/)
    .optional(),
})
export type ScvmmHostRule = z.infer<typeof HostRule>

const TemplateRule = z.strictObject({
  /** The name of the template in VMM. */
  template: Named,
  /** Whether the guest has integration services, so that VMM sees its addresses. */
  agent: z.boolean().default(true),
})

/** A server of System Center Virtual Machine Manager and the hosts it manages, as the site's file describes them. */
export const ScvmmRule = z.strictObject({
  name: HypervisorName,
  kind: z.literal('scvmm'),
  ssh: SshLogin,
  /** The computer that PowerShell runs on: the management server, or one with VMM's console. */
  server: z.strictObject({
    ...SshAddress,
    /** The management server, as that computer calls it. */
    vmm: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9.-]{0,252}$/)
      .default('localhost'),
  }),
  /** Where hosts keep machines. */
  machines: WindowsPath,
  library: z.strictObject({
    /** The library server and the share, as VMM calls them. */
    server: Named,
    share: z.string().regex(/^\\\\[A-Za-z0-9.-]+\\[^\u0000-\u001f\u007f<>:"|?*[\]/`]{1,200}$/),
    /** The folder of that share, as the computer of `server` reaches it. */
    folder: WindowsPath,
  }),
  /** The VM network of machines, and that of isolated ones; without the latter their adapter is connected to nothing. */
  network: Named,
  isolatedNetwork: Named.optional(),
  /** The VMM template of machines that begin with an empty disk. */
  blank: Named.optional(),
  /** `qemu-img.exe` on the computer of `server`: for files that come in, and those that go out in another format. */
  qemuImg: WindowsPath.optional(),
  patience: IsoDuration.prefault('PT5M'),
  overcommit: Overcommit,
  templates: z.record(z.string(), TemplateRule),
  /** ISO files of the library to boot empty machines from, by their names there. */
  discs: z.record(z.string(), Named).default({}),
  hosts: hostsOf(HostRule),
})
export type ScvmmRule = z.infer<typeof ScvmmRule>
