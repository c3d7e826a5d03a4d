import { desktopStates } from '../../../broker/desktop.ts'
import { leaseStates } from '../../../broker/lease.ts'
import { stateNames } from '../../base/states.ts'
import type { JobState } from '../../jobs/job.ts'
import { machineStates } from '../../machines/machine.ts'
import { requestStates } from '../../requests/request.ts'
import { collections } from '../collections.ts'
import type { CollectionName, Documents } from '../store.ts'
import { Table } from './table.ts'

/** Named one by one, since this folder may know the types of jobs only; the type sees to it that none is missing. */
const jobStates: Readonly<Record<JobState, true>> = { queued: true, running: true, done: true, failed: true }

export const tables: { readonly [K in CollectionName]: Table<Documents[K]> } = {
  machines: new Table('machines', collections.machines, {
    lists: ['administrator'],
    states: stateNames(machineStates),
  }),
  requests: new Table('requests', collections.requests, {
    lists: ['approver'],
    states: stateNames(requestStates),
  }),
  accounts: new Table('accounts', collections.accounts),
  commitments: new Table('commitments', collections.commitments),
  tallies: new Table('tallies', collections.tallies),
  tariffs: new Table('tariffs', collections.tariffs),
  hosts: new Table('hosts', collections.hosts),
  images: new Table('images', collections.images),
  desktops: new Table('desktops', collections.desktops, { states: stateNames(desktopStates) }),
  leases: new Table('leases', collections.leases, { lists: ['open-name'], states: stateNames(leaseStates) }),
  jobs: new Table('jobs', collections.jobs, { states: Object.keys(jobStates) }),
  notices: new Table('notices', collections.notices, { lists: ['about'] }),
  messages: new Table('messages', collections.messages),
  sessions: new Table('sessions', collections.sessions),
  settings: new Table('settings', collections.settings),
  links: new Table('links', collections.links),
  pools: new Table('pools', collections.pools),
  demand: new Table('demand', collections.demand),
  terminals: new Table('terminals', collections.terminals),
  vouchers: new Table('vouchers', collections.vouchers),
  attempts: new Table('attempts', collections.attempts),
  answers: new Table('answers', collections.answers),
  counters: new Table('counters', collections.counters),
  secrets: new Table('secrets', collections.secrets),
  processes: new Table('processes', collections.processes),
  relays: new Table('relays', collections.relays),
}
