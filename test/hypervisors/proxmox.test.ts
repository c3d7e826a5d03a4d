import { hypervisorContract } from '../contracts/hypervisor-contract.ts'
import { proxmoxRig } from './proxmox-rig.ts'

hypervisorContract('Proxmox VE (fake)', async () => {
  const rig = await proxmoxRig()
  return {
    hypervisor: rig.hypervisor,
    host: 'pve1',
    otherHost: 'pve2',
    folder: rig.fake.folder,
    dispose: () => rig.dispose(),
  }
})
