import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { setTimeout } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { z } from 'zod'
import { silentLog } from '../../src/base/log.ts'
import { writeBackup } from '../../src/store/backup.ts'
import { lowdb } from '../../src/store/lowdb.ts'
import type { Store, Transaction } from '../../src/store/store.ts'
import { aRow, second } from '../store/documents.ts'
import { numbers, putAll, someLease, someMachine } from './fixtures.ts'
import { longestStall, millisOf, type Row } from './measure.ts'

const rounds = 5
const memoryRounds = 3
const machineCount = 10_000
const leaseCount = 10_000
/** About 20 MB of documents, and the rows that come with them. */
const large = { machines: 30_000, rows: 20_000 }

/** What a site's state costs: the loop while it is written down, the start that reads it back, and the memory. */
export async function stateRows(): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'jackdaw-bench-'))
  try {
    return [
      ...(await stallRows(join(folder, 'large'))),
      await restartRow(join(folder, 'restart'), join(folder, 'plain.json')),
      await memoryRow('machine', machineCount, someMachine, (tx, machine) => tx.machines.put(machine)),
      await memoryRow(
        'lease',
        leaseCount,
        (n) => someLease(n),
        (tx, lease) => tx.leases.put(lease),
      ),
    ]
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** A checkpoint of everything, with rows to fold, and a backup of the same. */
async function stallRows(path: string): Promise<Row[]> {
  const machines = numbers(large.machines).map(someMachine)
  const backups: number[] = []
  const checkpoints: number[] = []
  const idle: number[] = []
  const plains: number[] = []
  for (let round = 0; round < rounds; round++) {
    const store = await open(path)
    if (round === 0) await putAll(store, machines, (tx, machine) => tx.machines.put(machine))
    await putAll(store, numbers(large.rows), (tx, n) =>
      tx.audit.append(aRow(`A-${round}-${n}`, second(round * large.rows + n))),
    )
    plains.push(await millisOf(() => JSON.stringify(machines)))
    backups.push(await longestStall(() => writeBackup(store, { site: 'bench', at: second(0) }, nowhere())))
    idle.push(await longestStall(() => setTimeout(300)))
    checkpoints.push(await longestStall(() => store.close()))
  }
  const { size } = await stat(join(path, 'checkpoint.jsonl'))
  const row = (what: string, stalls: readonly number[]): Row => ({
    name: `state: longest stall during a ${what}`,
    against: `JSON.stringify of the same ${megabytes(size)} MB`,
    ratios: stalls.map((stall, round) => stall / (plains[round] ?? Number.NaN)),
    note: `${inMillis(stalls)}; with nothing to do, other work on the machine makes it ${inMillis(idle)}`,
  })
  return [row('checkpoint', checkpoints), row('backup', backups)]
}

function inMillis(stalls: readonly number[]): string {
  return `${stalls.map((stall) => stall.toFixed(0)).join(', ')} ms`
}

function nowhere(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() })
}

async function restartRow(path: string, plainPath: string): Promise<Row> {
  const machines = numbers(machineCount).map(someMachine)
  const store = await open(path)
  await putAll(store, machines, (tx, machine) => tx.machines.put(machine))
  await store.close()
  await writeFile(plainPath, JSON.stringify(machines))
  const ratios: number[] = []
  for (let round = 0; round < rounds; round++) {
    const plain = await millisOf(async () => {
      z.array(z.unknown()).parse(JSON.parse(await readFile(plainPath, 'utf8')))
    })
    const opened: Store[] = []
    const start = await millisOf(async () => void opened.push(await open(path)))
    for (const each of opened) await each.close()
    ratios.push(start / plain)
  }
  const { size } = await stat(plainPath)
  return {
    name: `state: start with ${machineCount} machines`,
    against: `reading and JSON.parse of the same ${megabytes(size)} MB`,
    ratios,
  }
}

/** How much the heap grows for each document once it is stored, with its indexes. */
async function memoryRow<T>(
  what: string,
  count: number,
  make: (index: number) => T,
  put: (tx: Transaction, document: T) => Promise<void>,
): Promise<Row> {
  const ratios: number[] = []
  const folder = await mkdtemp(join(tmpdir(), 'jackdaw-bench-'))
  const json = await filled(folder, numbers(count).map(make), put)
  let each = 0
  for (let round = 0; round < memoryRounds; round++) {
    each = (await grownBy(() => open(folder))) / count
    ratios.push(each / (json / count))
  }
  await rm(folder, { recursive: true })
  return {
    name: `state: memory for a ${what}`,
    against: `its JSON (${Math.round(json / count)} bytes)`,
    ratios,
    note: `${Math.round(each)} bytes, indexes included`,
  }
}

/** Leaves the documents in a folder, and says how long their JSON is. */
async function filled<T>(
  folder: string,
  documents: readonly T[],
  put: (tx: Transaction, document: T) => Promise<void>,
): Promise<number> {
  const store = await open(folder)
  await putAll(store, documents, put)
  await store.close()
  return documents.reduce((sum, document) => sum + JSON.stringify(document).length, 0)
}

/** By how many bytes the heap is larger while a store is open. */
async function grownBy(opening: () => Promise<Store>): Promise<number> {
  const before = heapUsed()
  const store = await opening()
  const during = heapUsed()
  await store.close()
  return during - before
}

function open(path: string): Promise<Store> {
  return lowdb({ path, log: silentLog, checkpointBytes: Infinity })
}

function heapUsed(): number {
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  if (typeof collect !== 'function') throw new Error('this Node has no gc()')
  for (let pass = 0; pass < 3; pass++) Reflect.apply(collect, undefined, [])
  return process.memoryUsage().heapUsed
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0)
}
