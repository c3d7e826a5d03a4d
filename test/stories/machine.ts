import { approveRequest } from '../../src/operations/approve-request.ts'
import { requestMachine } from '../../src/operations/request-machine.ts'
import type { Caller } from '../../src/identity/person.ts'
import { callerFor } from '../../src/identity/roles.ts'
import type { StorySite } from './site.ts'

/** Somebody of the demo, as the directory knows them. */
export function person(user: string, groups: string[] = []): Caller {
  const known = { user, name: user, email: null, groups }
  return callerFor(known, { operator: ['operators'], auditor: [] }, 'rest', null)
}

/** Resolves once a machine is in a state, which it may be in already. */
export function untilState({ service: { store } }: StorySite, name: string, state: string): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    const look = () => {
      store
        .read((tx) => tx.machines.get(name))
        .then((machine) => {
          if (machine?.state !== state) return
          stop()
          resolve()
        })
        .catch(reject)
    }
    const stop = store.onCommit((changes) => {
      if (changes.some(({ collection, id }) => collection === 'machines' && id === name)) look()
    })
    look()
  })
}

/** Alice's server, which runs by the time that this resolves. */
export async function giveMachine(site: StorySite, wish: { name: string } & object): Promise<void> {
  const { operations } = site.service
  const order = { template: 'slc5', days: 30, budget: 'T-1042', purpose: 'AFS web server', ...wish }
  const request = await operations.perform(requestMachine, person('alice', ['developers']), order)
  if (request.state === 'pending') {
    await operations.perform(approveRequest, person('bob', ['budget-holders']), { id: request.id })
  }
  await untilState(site, wish.name, 'running')
}
