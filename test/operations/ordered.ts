import { approveRequest } from '../../src/operations/approve-request.ts'
import { requestMachine } from '../../src/operations/request-machine.ts'
import { showMachine } from '../../src/operations/show-machine.ts'
import type { MachineView } from '../../src/operations/shapes/machine.ts'
import type { Core } from './core.ts'

/** Alice asks for machines, bob agrees, and they run: one `webafs20` with nothing said. */
export async function ordered(core: Core, input: object = {}): Promise<void> {
  const order = { template: 'slc5', days: 30, budget: 'T-1042', purpose: 'AFS web server', name: 'webafs20' }
  const request = await core.operations.perform(requestMachine, await core.as('alice'), {
    ...order,
    ...input,
  })
  if (request.state === 'pending') {
    await core.operations.perform(approveRequest, await core.as('bob'), { id: request.id })
  }
  await core.settle()
}

export async function shown(core: Core, name = 'webafs20', user = 'alice'): Promise<MachineView> {
  return core.operations.perform(showMachine, await core.as(user), { name })
}
