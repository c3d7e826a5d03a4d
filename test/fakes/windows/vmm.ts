import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { scvmm } from '../../../src/hypervisors/scvmm.ts'
import { ScvmmRule } from '../../../src/hypervisors/scvmm/rule.ts'
import { scripts } from '../../../src/hypervisors/scvmm/scripts.ts'
import type { Hypervisor } from '../../../src/hypervisors/hypervisor.ts'
import { filesOf } from './files.ts'
import { powershell, type Windows } from './powershell.ts'
import { qemuImg } from './qemu-img.ts'
import type { Sshd } from './sshd.ts'
import { share, vmmCmdlets, type VmmHost, type VmmWorld } from './vmm-cmdlets.ts'

export const vmmComputers = ['vmm.test']

export interface ScvmmUnderTest {
  hypervisor: Hypervisor
  world: VmmWorld
  windows: Windows
  /** The rule as a site's file would have it. */
  rule: object
  host: string
  otherHost: string
  folder: string
  dispose(): Promise<void>
}

export async function anScvmm(sshd: Sshd, changes: object = {}): Promise<ScvmmUnderTest> {
  const folder = await mkdtemp(join(tmpdir(), 'jackdaw-vmm-'))
  const files = filesOf(folder, 'vmm.test')
  const library = 'D:\\MSSCVMMLibrary'
  files.makeFolder(library)
  files.write(`${library}\\debian.iso`, Buffer.from('iso'))
  const aHost = (name: string): VmmHost => {
    return { name, isResponding: true, rating: { stars: 4.5, transfer: 'Live', reasons: [] } }
  }
  const world: VmmWorld = {
    ...{ vms: [], hosts: [aHost('hv1.test'), aHost('hv2.test')], templates: ['SLC5 template', 'Empty'] },
    ...{ disks: [], isos: [{ name: 'debian.iso', path: `${library}\\debian.iso` }], files, folder: library },
    failing: new Map(),
  }
  const windows: Windows = {
    ...{ scripts, running: 0, cmdlets: () => vmmCmdlets(world), files: () => files },
    program: (path, words) => qemuImg(files, path, words),
  }
  sshd.act(powershell(windows))
  const rule = {
    ...{ name: 'vmm', kind: 'scvmm', ssh: { user: sshd.user, keyFile: sshd.keyFile } },
    server: { address: '127.0.0.1', port: sshd.port('vmm.test'), fingerprint: sshd.fingerprint },
    ...{
      machines: 'D:\\VMs',
      library: { server: 'vmm.test', share, folder: library },
      network: 'Production',
    },
    ...{ blank: 'Empty', qemuImg: 'C:\\Program Files\\qemu\\qemu-img.exe', discs: { debian: 'debian.iso' } },
    templates: { slc5: { template: 'SLC5 template' } },
    hosts: [
      { name: 'hv1', slots: 40, computer: 'hv1.test' },
      { name: 'hv2', slots: 40, computer: 'hv2.test' },
    ],
    ...changes,
  }
  const hypervisor = await scvmm(ScvmmRule.parse(rule))
  const dispose = async () => {
    await hypervisor.close()
    await rm(folder, { recursive: true })
  }
  return { hypervisor, world, windows, rule, host: 'hv1', otherHost: 'hv2', folder, dispose }
}
