import { afterAll, beforeAll, describe } from 'vitest'
import { hypervisorContract } from '../contracts/hypervisor-contract.ts'
import { type Daemon, type Lab, labComponents, openLab, openMock, removeAll } from './libvirt-lab.ts'

const found = await labComponents()
const remedy = found.available ? '' : ` (missing: ${found.remedy})`

// Nobody here wrote it: libvirt's own mock, which answers as libvirt does where QEMU would only do more.
describe.runIf(found.available)(`beside libvirt's test driver${remedy}`, () => {
  let lab: Lab
  let mock: Daemon

  beforeAll(async () => {
    lab = await openLab(1)
    mock = await openMock(lab)
  })

  afterAll(async () => {
    await mock.kill()
    await lab.close()
  })

  hypervisorContract('libvirt with its mock', async () => {
    const host = { name: 'hosta', uri: mock.uri, slots: 40, group: 'central' }
    const hypervisor = lab.open({ accel: 'test', hosts: [host] })
    const dispose = async () => {
      await hypervisor.close()
      await removeAll(mock.uri)
      await lab.clear()
    }
    return { hypervisor, host: 'hosta', folder: lab.exchange, dispose }
  })
})
