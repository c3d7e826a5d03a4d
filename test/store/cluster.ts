import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { component } from '../components.ts'

const server = await component('postgres', { install: true })

/** What would provide PostgreSQL, for the names of tests that cannot run without. */
export const missingServer = server.available ? undefined : server.remedy

/** A PostgreSQL of our own: its folder, its port, nobody else's data. It syncs, as a real one does. */
export interface Cluster {
  readonly url: string
  readonly port: number
  /** `fast` breaks off transactions, `immediate` is as a crash. */
  stop(mode: 'fast' | 'immediate'): Promise<void>
  start(): Promise<void>
  /** Runs SQL as the administrator does, in another database where one is named. */
  sql(text: string, values?: unknown[], database?: string): Promise<Record<string, unknown>[]>
  dispose(): Promise<void>
}

export async function openCluster(): Promise<Cluster> {
  if (!server.available) throw new Error(server.remedy)
  const programs = dirname(server.path)
  const folder = await mkdtemp(join(tmpdir(), 'jackdaw-pg-'))
  if (isRoot) await promisify(execFile)('chown', ['postgres:', folder])
  const data = join(folder, 'data')
  const port = await freePort()
  const options = `-k ${folder} -p ${port} -c listen_addresses=127.0.0.1`
  const control = (...words: string[]) =>
    asServer(join(programs, 'pg_ctl'), ['-D', data, '-l', join(folder, 'log'), '-w', ...words])
  const init = ['-D', data, '-U', 'postgres', '-A', 'trust', '--no-sync', '--locale=C.UTF-8', '-E', 'UTF8']
  await asServer(join(programs, 'initdb'), init)
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`
  const cluster: Cluster = {
    url,
    port,
    start: () => control('-o', options, 'start'),
    stop: (mode) => control('-m', mode, 'stop'),
    sql: (text, values, database = 'postgres') =>
      asAdministrator(url.replace(/[^/]*$/, database), text, values),
    dispose: async () => {
      await control('-m', 'immediate', 'stop').catch(() => undefined)
      await rm(folder, { recursive: true })
    },
  }
  await cluster.start()
  return cluster
}

async function asAdministrator(
  url: string,
  text: string,
  values: unknown[] = [],
): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(text, values)).rows
  } finally {
    await client.end()
  }
}

const isRoot = process.getuid?.() === 0

/** The server refuses to run as root. */
async function asServer(program: string, words: string[]): Promise<void> {
  const [command, before] = isRoot ? ['runuser', ['-u', 'postgres', '--', program]] : [program, []]
  await promisify(execFile)(command, [...before, ...words], { cwd: tmpdir() })
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  if (address === null || typeof address === 'string') throw new Error('a TCP socket has a port')
  return address.port
}

/** Removes what a test has left in a schema. Deleting a few rows is faster than making the tables anew. */
export async function emptied(cluster: Cluster, schema: string): Promise<void> {
  const rows = await cluster.sql('SELECT tablename AS name FROM pg_tables WHERE schemaname = $1', [schema])
  const names = rows.map(({ name }) => String(name))
  const ours = names.filter((name) => !['migrations', 'shapes', 'turn'].includes(name))
  await cluster.sql(ours.map((name) => `DELETE FROM ${schema}.${name}`).join('; '))
}

let schemas = 0

/** A name for a schema that no other test uses. */
export function freshSchema(): string {
  return `site_${process.pid}_${++schemas}`
}
