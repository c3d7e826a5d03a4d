import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../src/base/clock.ts'
import { randomIds } from '../../src/base/ids.ts'
import { silentLog } from '../../src/base/log.ts'
import { openDirectory } from '../../src/identity/open.ts'
import type { Caller } from '../../src/identity/person.ts'
import { signIn } from '../../src/identity/sign-in.ts'
import { throttle } from '../../src/identity/throttle.ts'
import { openDesktop } from '../../src/operations/open-desktop.ts'
import { openOperations, type Operations } from '../../src/operations/perform.ts'
import { lowdb } from '../../src/store/lowdb.ts'
import { diskFiles, type Files, type OpenFile } from '../../src/store/lowdb/files.ts'
import type { Store } from '../../src/store/store.ts'
import { postgres } from '../../src/store/postgres.ts'
import { demoConfig } from '../operations/core.ts'
import { openCluster } from '../store/cluster.ts'
import { numbers, putAll, putDesktop } from './fixtures.ts'
import { millisOf, type Row } from './measure.ts'

const sizes = [100, 10_000, 100_000]
const rounds = 9
/** How many people open a desktop in each round; as many are spare, and all others are taken. */
const opens = 50
const warmUps = 10

interface Site {
  store: Store
  operations: Operations
  size: number
  /** A microsecond figure for each round. */
  micros: number[]
}

/**
 * Opening a desktop (the operation as every face calls it: lease, claim, audit row, RDP file) in a shared pool of 100
 * desktops and of 100,000, with either store. The disk does not sync here: its time is the same for all and would hide
 * ours.
 */
export async function claimRows(): Promise<Row[]> {
  return [...(await embeddedRows()), ...(await databaseRows())]
}

async function embeddedRows(): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'jackdaw-bench-'))
  try {
    return await rowsOf('claims', (size) => {
      const path = join(folder, String(size))
      const files = withoutSync(diskFiles(path))
      return lowdb({ path, log: silentLog, clock: systemClock, files, checkpointBytes: Infinity })
    })
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function databaseRows(): Promise<Row[]> {
  const cluster = await openCluster()
  try {
    await cluster.sql('ALTER SYSTEM SET fsync = off')
    await cluster.sql('SELECT pg_reload_conf()')
    const open = (size: number) => postgres({ url: cluster.url, log: silentLog, schema: `pool_${size}` })
    return await rowsOf('claims on PostgreSQL', open, () => cluster.sql('VACUUM ANALYZE'))
  } finally {
    await cluster.dispose()
  }
}

async function rowsOf(
  title: string,
  open: (size: number) => Promise<Store>,
  filled: () => Promise<unknown> = () => Promise.resolve(),
): Promise<Row[]> {
  const sites: Site[] = []
  try {
    for (const size of sizes) sites.push(await siteOf(await open(size), size))
    await filled()
    for (let round = -warmUps; round < rounds; round++) {
      for (const site of sites) {
        const micros = await openAll(site, round)
        if (round >= 0) site.micros.push(micros)
      }
    }
    const base = sites[0]?.micros ?? []
    return sites.slice(1).map(({ size, micros }) => ({
      name: `${title}: opening one of ${size.toLocaleString('en')} desktops`,
      against: 'opening one of 100',
      aim: '<= 1.5',
      ratios: micros.map((each, round) => each / (base[round] ?? Number.NaN)),
    }))
  } finally {
    for (const { store } of sites) await store.close()
  }
}

async function siteOf(store: Store, size: number): Promise<Site> {
  const config = await demoConfig((yaml) =>
    yaml.replace('size: { spare: 2, max: 10 }', 'size: { spare: 2, max: 200000 }'),
  )
  const [site, log, clock] = [config.site, silentLog, systemClock]
  await putAll(store, numbers(size), (tx, n) =>
    putDesktop(tx, n, {
      pool: 'public',
      state: n < opens ? 'spare' : 'leased',
      lease: n < opens ? null : `L-${n}`,
    }),
  )
  const directory = await openDirectory(config.identity)
  const passwords = signIn({ directory, throttle: throttle(), clock })
  const operations = openOperations({ store, site, clock, ids: randomIds, directory, signIn: passwords, log })
  return { store, operations, size, micros: [] }
}

/** Everybody gets a desktop; afterwards all is as it was. */
async function openAll({ store, operations }: Site, round: number): Promise<number> {
  const leases: string[] = []
  const millis = await millisOf(async () => {
    for (let n = 0; n < opens; n++) {
      const answer = await operations.perform(openDesktop, caller(`r${round}-${n}`), { pool: 'public' })
      if (answer.rdp === undefined) throw new Error('there was no spare desktop')
      leases.push(answer.lease)
    }
  })
  await store.transact(async (tx) => {
    for (const id of leases) {
      const lease = await tx.leases.get(id)
      const desktop = await tx.desktops.get(lease?.desktop ?? '')
      await tx.leases.remove(id)
      if (desktop !== undefined)
        await tx.desktops.put({ ...desktop, state: 'spare', history: [], lease: null })
    }
  })
  return (millis * 1000) / opens
}

function caller(user: string): Caller {
  return { user, name: user, email: null, groups: ['office'], roles: [], via: 'rest', address: null }
}

/** The same files on a disk that calls everything durable at once. */
function withoutSync(files: Files): Files {
  const quick = (file: OpenFile): OpenFile => ({ ...file, sync: () => Promise.resolve() })
  return {
    ...files,
    open: async (name) => {
      const file = await files.open(name)
      return file && quick(file)
    },
    create: async (name) => quick(await files.create(name)),
    sync: () => Promise.resolve(),
  }
}
