import { afterAll, beforeAll } from 'vitest'
import { hypervisorContract } from '../contracts/hypervisor-contract.ts'
import { aHyperV, hyperVComputers } from '../fakes/windows/hyperv.ts'
import { startSshServer } from '../fakes/windows/ssh-server.ts'
import type { Sshd } from '../fakes/windows/sshd.ts'

let ssh: Sshd
beforeAll(async () => {
  ssh = await startSshServer(hyperVComputers)
})
afterAll(() => ssh.close())

hypervisorContract('Hyper-V (stand-in)', () => aHyperV(ssh))
