import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Hypervisor, MachineSpec } from '../../src/hypervisors/hypervisor.ts'
import { proxmox } from '../../src/hypervisors/proxmox.ts'
import { ProxmoxRule } from '../../src/hypervisors/proxmox/rule.ts'
import { vncResponse } from '../../src/hypervisors/proxmox/rfb.ts'
import { macOf } from '../../src/machines/adapter.ts'
import { type FakeProxmox, fakeProxmox, type FakeProxmoxOptions } from '../fakes/proxmox/server.ts'

export const token = 'jackdaw@pve!service'
export const secret = '11111111-2222-3333-4444-555555555555'

/** What the README says that the token's role needs. */
export const privileges = [
  ...['VM.Allocate', 'VM.Audit', 'VM.Clone', 'VM.Console', 'VM.Migrate', 'VM.PowerMgmt', 'VM.Snapshot'],
  ...['VM.Config.CDROM', 'VM.Config.CPU', 'VM.Config.Cloudinit', 'VM.Config.Disk', 'VM.Config.HWType'],
  ...['VM.Config.Memory', 'VM.Config.Network', 'VM.Config.Options', 'VM.GuestAgent.Audit', 'Sys.Audit'],
]

export interface ProxmoxRig {
  fake: FakeProxmox
  hypervisor: Hypervisor
  /** Makes a machine, whole. */
  made: (ref: string, changes?: Partial<MachineSpec>) => Promise<void>
  spec(ref: string, changes?: Partial<MachineSpec>): MachineSpec
  /** Another driver on the same fake, described otherwise. */
  other(rule: object, secretText?: string): Promise<Hypervisor>
  dispose(): Promise<void>
}

export const never = new AbortController().signal

/** No time passes, and others get a turn. */
const soon = () => new Promise<void>((resolve) => setImmediate(resolve))

export async function proxmoxRig(
  rule: object = {},
  options: Partial<FakeProxmoxOptions> = {},
): Promise<ProxmoxRig> {
  const fake = await fakeProxmox({
    token: `${token}=${secret}`,
    privileges,
    screen: {
      security: 2,
      isRight: (challenge, answer, password) => vncResponse(challenge, password).equals(answer),
    },
    ...options,
  })
  const opened: Hypervisor[] = []
  const other = async (changes: object, secretText = secret) => {
    const secretFile = join(fake.folder, 'token.secret')
    await writeFile(secretFile, `${secretText}\n`)
    const one = await proxmox(aRule(fake, { secretFile, ...changes }), { sleep: soon })
    opened.push(one)
    return one
  }
  const hypervisor = await other(rule)
  return {
    fake,
    hypervisor,
    spec: aSpec,
    other,
    async made(ref, changes = {}) {
      for (const stage of hypervisor.stages) await hypervisor.provision(aSpec(ref, changes), stage, never)
    },
    async dispose() {
      for (const one of opened) await one.close()
      await fake.close()
    },
  }
}

function aRule(fake: FakeProxmox, changes: object): ProxmoxRule {
  return ProxmoxRule.parse({
    name: 'pve',
    kind: 'proxmox',
    urls: [fake.url],
    token,
    templates: { slc5: { vmid: 9000 } },
    discs: { debian: 'local:iso/debian-13.iso' },
    storage: 'ceph',
    network: { bridge: 'vmbr0' },
    exchange: { storage: 'exchange', path: fake.folder },
    hosts: [
      { name: 'pve1', slots: 10 },
      { name: 'pve2', slots: 10 },
    ],
    ...changes,
  })
}

function aSpec(ref: string, changes: Partial<MachineSpec> = {}): MachineSpec {
  return {
    ref,
    name: 'webafs20',
    host: 'pve1',
    template: 'slc5',
    os: 'linux',
    administrators: [{ user: 'alice', keys: ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA alice@desk'] }],
    mac: macOf(ref),
    cpus: 1,
    memoryGb: 1,
    ...changes,
  }
}
