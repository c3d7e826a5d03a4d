import { afterAll, beforeAll, describe } from 'vitest'
import { hypervisorContract } from '../contracts/hypervisor-contract.ts'
import { type Lab, labComponents, openLab } from './libvirt-lab.ts'

const found = await labComponents()
const remedy = found.available ? '' : ` (missing: ${found.remedy})`

describe.runIf(found.available)(`beside libvirtd and QEMU${remedy}`, () => {
  let lab: Lab

  beforeAll(async () => {
    lab = await openLab(2)
  })

  afterAll(() => lab.close())

  hypervisorContract('libvirt', async () => {
    const hypervisor = lab.open()
    const dispose = async () => {
      await hypervisor.close()
      await lab.clear()
    }
    return { hypervisor, host: 'hosta', otherHost: 'hostb', folder: lab.exchange, dispose }
  })
})
