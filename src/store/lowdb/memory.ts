import { collections } from '../collections.ts'
import type { Formats } from '../formats.ts'
import type { CollectionName, Documents, JournalName, Journals } from '../store.ts'
import type { Files } from './files.ts'
import type { Block } from './month-file.ts'
import { MonthJournal } from './month-journal.ts'
import { Table } from './table.ts'

export type Tables = { readonly [K in CollectionName]: Table<Documents[K]> }
export type MonthJournals = { readonly [N in JournalName]: MonthJournal<Journals[N]> }

/** Where the folded rows of each journal are. */
export type Blocks = { readonly [N in JournalName]: readonly Block[] }

/** Everything the site remembers, as it is in memory. */
export interface Memory {
  readonly tables: Tables
  readonly journals: MonthJournals
}

export function emptyMemory(files: Files, formats: Formats, blocks: Blocks): Memory {
  const journal = { files, formats }
  return {
    tables: {
      machines: new Table(collections.machines),
      requests: new Table(collections.requests),
      accounts: new Table(collections.accounts),
      commitments: new Table(collections.commitments),
      tallies: new Table(collections.tallies),
      tariffs: new Table(collections.tariffs),
      hosts: new Table(collections.hosts),
      images: new Table(collections.images),
      desktops: new Table(collections.desktops),
      leases: new Table(collections.leases),
      jobs: new Table(collections.jobs),
      notices: new Table(collections.notices),
      messages: new Table(collections.messages),
      sessions: new Table(collections.sessions),
      settings: new Table(collections.settings),
      links: new Table(collections.links),
      pools: new Table(collections.pools),
      terminals: new Table(collections.terminals),
      vouchers: new Table(collections.vouchers),
      attempts: new Table(collections.attempts),
      answers: new Table(collections.answers),
      counters: new Table(collections.counters),
      secrets: new Table(collections.secrets),
      processes: new Table(collections.processes),
      relays: new Table(collections.relays),
      demand: new Table(collections.demand),
    },
    journals: {
      audit: new MonthJournal('audit', journal, blocks.audit),
      charges: new MonthJournal('charges', journal, blocks.charges),
    },
  }
}
