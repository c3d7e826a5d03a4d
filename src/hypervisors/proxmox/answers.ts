import { z } from 'zod'

/** What we read of the API's answers. Numbers may come as text, and truth as 0 and 1: Perl does not tell them apart. */
const Whole = z.coerce.number().int()
const Count = z.coerce.number()
const Flag = z.union([z.boolean(), z.coerce.number().transform((value) => value !== 0)])

export const Nothing = z.unknown()
export const MaybeUpid = z.string().startsWith('UPID:').nullish()
export const FreeId = Whole

export const TaskStatus = z.object({
  status: z.enum(['running', 'stopped']),
  exitstatus: z.string().optional(),
})

export const TaskLog = z.array(z.object({ n: Count, t: z.string() }))

export const Tasks = z.array(
  z.object({
    upid: z.string(),
    type: z.string().default(''),
    id: z.string().default(''),
    endtime: Count.optional(),
  }),
)

export const Nodes = z.array(
  z.object({
    node: z.string(),
    status: z.string(),
    maxcpu: Count.optional(),
    maxmem: Count.optional(),
  }),
)

export const NodeStatus = z.object({
  pveversion: z.string().optional(),
  cpuinfo: z.object({ model: z.string().optional(), cpus: Count.optional() }).optional(),
})

/**
 * A machine as the cluster lists it. Where it is, its tags and its lock are true at once; what it is called and does is
 * what its node told last, up to ten seconds ago, and is not used.
 */
export const Resources = z.array(
  z.object({
    type: z.string(),
    vmid: Whole,
    node: z.string(),
    tags: z.string().default(''),
    lock: z.string().optional(),
    status: z.string().optional(),
    hastate: z.string().optional(),
  }),
)
export type Resource = z.infer<typeof Resources>[number]

const traffic = z.record(z.string(), z.object({ netin: Count.optional(), netout: Count.optional() }))
const blocks = z.record(z.string(), z.object({ rd_bytes: Count.optional(), wr_bytes: Count.optional() }))

/** A machine as its node lists it, and as it says itself. */
export const VmStatus = z.object({
  vmid: Whole,
  name: z.string().optional(),
  status: z.string(),
  qmpstatus: z.string().optional(),
  lock: z.string().optional(),
  template: Flag.default(false),
  tags: z.string().default(''),
  uptime: Count.default(0),
  cpus: Count.optional(),
  cpu: Count.optional(),
  mem: Count.optional(),
  maxmem: Count.optional(),
  maxdisk: Count.optional(),
  agent: Flag.optional(),
  ha: z.object({ managed: Flag.default(false), state: z.string().optional() }).optional(),
  nics: traffic.optional(),
  blockstat: blocks.optional(),
})
export type VmStatus = z.infer<typeof VmStatus>
export const VmList = z.array(VmStatus)

/** A machine's configuration: every value as text. */
export const VmConfig = z.record(
  z.string(),
  z.union([z.string(), z.number(), z.boolean()]).transform((value) => String(value)),
)
export type VmConfig = z.infer<typeof VmConfig>

export const Pending = z.array(
  z.object({ key: z.string(), pending: z.unknown().optional(), delete: z.unknown().optional() }),
)

export const Snapshots = z.array(
  z.object({
    name: z.string(),
    description: z.string().default(''),
    snaptime: Count.optional(),
    parent: z.string().optional(),
  }),
)

const hindrance = z.looseObject({ unavailable_storages: z.array(z.string()).optional() })

export type MigrationCheck = z.infer<typeof MigrationCheck>
export const MigrationCheck = z.object({
  running: Flag.default(false),
  allowed_nodes: z.array(z.string()).optional(),
  not_allowed_nodes: z.record(z.string(), hindrance).optional(),
  local_disks: z
    .array(z.object({ volid: z.string(), cdrom: Flag.default(false), is_unused: Flag.default(false) }))
    .default([]),
  local_resources: z.array(z.string()).default([]),
})

export const Interfaces = z.object({
  result: z.array(
    z.object({
      name: z.string(),
      'ip-addresses': z
        .array(z.object({ 'ip-address': z.string(), 'ip-address-type': z.string() }))
        .default([]),
    }),
  ),
})

export const Proxy = z.object({
  port: Whole,
  ticket: z.string(),
  user: z.string(),
  /** Apart from the ticket since Proxmox VE 9; before, the ticket is the password too. */
  password: z.string().optional(),
})

export const Storages = z.array(z.object({ storage: z.string(), shared: Flag.default(false) }))
