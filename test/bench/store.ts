import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { openStore } from '../../src/store/open.ts'
import { perSecond, type Row } from './measure.ts'

const rounds = 3
const line = Buffer.alloc(300, 'x')

/** Commits of the embedded store against what this disk can make durable one after the other. */
export async function storeRows(): Promise<Row[]> {
  const writers = [1, 8, 32]
  const ratios = new Map(writers.map((count): [number, number[]] => [count, []]))
  const folder = await mkdtemp(join(tmpdir(), 'jackdaw-bench-'))
  try {
    const store = await openStore(
      { kind: 'lowdb', path: join(folder, 'data') },
      { log: silentLog, clock: systemClock },
    )
    for (let round = 0; round < rounds; round++) {
      const limit = await syncsPerSecond(join(folder, 'limit'))
      for (const count of writers) {
        const rate = await perSecond(count * 500, count, (index) =>
          store.transact((tx) => tx.counters.put({ id: `c${index % 100}`, value: index })),
        )
        ratios.get(count)?.push(rate / limit)
      }
    }
    await store.close()
  } finally {
    await rm(folder, { recursive: true })
  }
  return writers.map((count) => ({
    name: `store: commits with ${count} ${count === 1 ? 'writer' : 'writers'}`,
    against: 'fdatasync of 300 bytes, one after the other',
    ratios: ratios.get(count) ?? [],
  }))
}

async function syncsPerSecond(path: string): Promise<number> {
  const file = await open(path, 'a')
  try {
    return await perSecond(500, 1, async () => {
      await file.write(line)
      await file.datasync()
    })
  } finally {
    await file.close()
  }
}
