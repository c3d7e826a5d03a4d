import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLog } from '../../../src/base/log.ts'
import { hyperv } from '../../../src/hypervisors/hyperv.ts'
import { HyperVRule } from '../../../src/hypervisors/hyperv/rule.ts'
import { scripts, serialPump } from '../../../src/hypervisors/hyperv/scripts.ts'
import type { Hypervisor } from '../../../src/hypervisors/hypervisor.ts'
import { hyperVCmdlets } from './hyperv-cmdlets.ts'
import { type HyperVWorld, hyperVWorld } from './hyperv-world.ts'
import { powershell, type Windows } from './powershell.ts'
import { qemuImg } from './qemu-img.ts'
import type { Sshd } from './sshd.ts'

export const hyperVComputers = ['hv1.test', 'hv2.test']

/** A driver, and what it drives: two stand-ins of Hyper-V hosts behind a real sshd. */
export interface HyperVUnderTest {
  hypervisor: Hypervisor
  world: HyperVWorld
  windows: Windows
  /** The rule as a site's file would have it. */
  rule: object
  host: string
  otherHost: string
  /** A folder of this machine that the stand-ins see too. */
  folder: string
  /** How many calls are being carried out. */
  running(): number
  dispose(): Promise<void>
}

export async function aHyperV(sshd: Sshd, changes: object = {}): Promise<HyperVUnderTest> {
  const folder = await mkdtemp(join(tmpdir(), 'jackdaw-hyperv-'))
  const world = hyperVWorld(folder, hyperVComputers)
  const template = 'D:\\Templates\\slc5.vhdx'
  for (const { files } of world.computers.values()) {
    files.makeFolder('D:\\Templates')
    files.writeDisk(template, {
      format: 'vhdx',
      type: 'Dynamic',
      size: 8 * 2 ** 30,
      parent: null,
      content: 'slc5',
    })
    files.makeFolder('D:\\iso')
    files.write('D:\\iso\\debian.iso', Buffer.from('iso'))
  }
  const windows: Windows = {
    running: 0,
    scripts,
    streams: new Map([[serialPump, (stream) => stream.pipe(stream)]]),
    cmdlets: (computer) => hyperVCmdlets(world, world.computer(computer)),
    files: (computer) => world.computer(computer).files,
    program: (path, words) => qemuImg(world.computer('hv1.test').files, path, words),
  }
  sshd.act(powershell(windows))
  const rule = aRule(sshd, changes)
  const hypervisor = await hyperv(HyperVRule.parse(rule), { log: silentLog })
  const dispose = async () => {
    await hypervisor.close()
    await rm(folder, { recursive: true })
  }
  return {
    hypervisor,
    world,
    windows,
    rule,
    host: 'hv1',
    otherHost: 'hv2',
    folder,
    running: () => windows.running,
    dispose,
  }
}

function aRule(sshd: Sshd, changes: object): object {
  const host = (name: string, computer: string) => ({
    ...{ name, slots: 40, address: '127.0.0.1', computer },
    ...{ port: sshd.port(computer), fingerprint: sshd.fingerprint },
  })
  return {
    ...{ name: 'hv', kind: 'hyperv', ssh: { user: sshd.user, keyFile: sshd.keyFile } },
    ...{ machines: 'D:\\Jackdaw', library: 'C:\\ClusterStorage\\Volume1\\library', switch: 'Production' },
    qemuImg: 'C:\\Program Files\\qemu\\qemu-img.exe',
    templates: { slc5: { disk: 'D:\\Templates\\slc5.vhdx' } },
    discs: { debian: 'D:\\iso\\debian.iso' },
    hosts: [host('hv1', 'hv1.test'), host('hv2', 'hv2.test')],
    ...changes,
  }
}
