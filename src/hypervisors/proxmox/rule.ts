import { z } from 'zod'
import { HostRule } from '../../machines/host.ts'
import { HypervisorName, hostsOf, Overcommit } from '../common-rule.ts'

/** Names that Proxmox VE gives out: nodes (RFC 1123 labels), storages, pools, bridges. All end up in parameters. */
const NodeName = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i, 'the name of a node, such as pve1')
const StorageName = z
  .string()
  .regex(/^[a-z][a-z0-9_.-]*[a-z0-9]$/i, 'the name of a storage, such as local-lvm')
const BridgeName = z.string().regex(/^[a-z][a-z0-9_.-]{0,14}$/i, 'a bridge or a VNet, such as vmbr0')
const VmId = z.number().int().min(100).max(999_999_999)

const ApiUrl = z.string().superRefine((text, context) => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isPlain = url !== undefined && url.username === '' && url.password === '' && url.pathname === '/'
  if (isPlain && /^https?:$/.test(url.protocol) && url.search === '') return
  context.addIssue({
    code: 'custom',
    message: 'the address of the API, such as https://pve1.example.org:8006',
  })
})

const Fingerprint = z
  .string()
  .regex(
    /^([0-9a-f]{2}:){31}[0-9a-f]{2}$/i,
    'the SHA-256 fingerprint of a certificate, 32 octets with colons',
  )
  .transform((text) => text.toUpperCase())

/** `name` is a node of the cluster. Processors and memory are what that says. */
const Host = HostRule.omit({ cpus: true, memoryGb: true })

/** A template of the site: a template VM that all hosts can clone, or one for each host. */
const TemplateVm = z.strictObject({
  vmid: z.union([VmId, z.record(NodeName, VmId)]),
  /**
   * How the guest is told its name and its people. Unless said otherwise cloud-init, and for Windows a disc for its
   * Setup where there is an `exchange` to put it on, else what cloudbase-init understands.
   */
  seed: z.enum(['cloud-init', 'unattend', 'none']).optional(),
})

/** A Proxmox VE node or cluster as the site's file describes it. */
export const ProxmoxRule = z
  .strictObject({
    name: HypervisorName,
    kind: z.literal('proxmox'),
    /** Where its API listens. More nodes of the cluster after the first are asked when that gives no answer. */
    urls: z.array(ApiUrl).min(1),
    /** Which API token is used: `USER@REALM!ID`. */
    token: z
      .string()
      .regex(
        /^[^\s:/!=@]+@[a-z][a-z0-9._-]+![a-z][a-z0-9._-]+$/i,
        'an API token such as jackdaw@pve!service',
      ),
    /** A file with the token's secret, and nothing else. */
    secretFile: z.string().min(1),
    /** A file with the certificates (PEM) of those who vouch for the nodes: /etc/pve/pve-root-ca.pem, say. */
    caFile: z.string().min(1).optional(),
    /** The certificates that are taken, whoever vouches for them. */
    fingerprints: z.array(Fingerprint).min(1).optional(),
    overcommit: Overcommit,
    /** What the templates of the site are here. */
    templates: z.record(z.string(), TemplateVm).default({}),
    /** ISO images to boot empty machines from: a name, and the volume it is, such as `local:iso/debian-13.iso`. */
    discs: z
      .record(
        z.string(),
        z.string().regex(/^[^\s:,]+:iso\/[^\s,]+$/, 'a volume such as local:iso/debian-13.iso'),
      )
      .default({}),
    /** Where empty disks, imported ones and cloud-init drives are put. */
    storage: StorageName.optional(),
    /** Where images are kept. Without it, where the disk of the captured machine is. */
    library: StorageName.optional(),
    /** A pool that everything made here is put into, so that the token needs rights on that only. */
    pool: z
      .string()
      .regex(/^[a-z][a-z0-9/_-]*$/i)
      .optional(),
    network: z
      .strictObject({
        /** Where adapters are plugged in. Without it, where the template's is. */
        bridge: BridgeName.optional(),
        vlan: z.number().int().min(1).max(4094).optional(),
        /** Where isolated machines are plugged in: a VNet with isolated ports. Without it their cable is pulled. */
        isolatedBridge: BridgeName.optional(),
      })
      .prefault({}),
    /** A storage of files that this service sees too, in a folder of its own: for export, import and several accounts. */
    exchange: z.strictObject({ storage: StorageName, path: z.string().startsWith('/') }).optional(),
    hosts: hostsOf(Host),
  })
  .superRefine(({ caFile, fingerprints, urls }, context) => {
    const said = [
      caFile === undefined ? [] : ['caFile'],
      fingerprints === undefined ? [] : ['fingerprints'],
    ].flat()
    if (said.length > 1) {
      context.addIssue({ code: 'custom', path: ['fingerprints'], message: 'either caFile or fingerprints' })
    }
    const isFar = urls.some((text) => URL.canParse(text) && isPlainAndFar(new URL(text)))
    if (isFar) {
      const message = 'https: the token would go over the network for all to read'
      context.addIssue({ code: 'custom', path: ['urls'], message })
    }
  })
export type ProxmoxRule = z.infer<typeof ProxmoxRule>

function isPlainAndFar({ protocol, hostname }: URL): boolean {
  return protocol === 'http:' && !/^(127(\.\d+){3}|localhost|\[::1\])$/.test(hostname)
}
