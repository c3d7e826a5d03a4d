import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLog } from '../../src/base/log.ts'
import { systemClock } from '../../src/base/clock.ts'
import { openStore } from '../../src/store/open.ts'
import { type OpenedStore, storeContract } from '../contracts/store-contract.ts'
import { memoryFiles } from '../fakes/memory-files.ts'
import { openOn } from './opened.ts'

storeContract('lowdb on a disk', async (): Promise<OpenedStore> => {
  const path = await mkdtemp(join(tmpdir(), 'jackdaw-store-'))
  const deep = join(path, 'made', 'anew')
  const open = () => openStore({ kind: 'lowdb', path: deep }, { log: silentLog, clock: systemClock })
  return reopening(open, () => rm(path, { recursive: true }))
})

storeContract('lowdb in memory', async (): Promise<OpenedStore> => {
  const disk = memoryFiles()
  return reopening(() => openOn(disk))
})

storeContract('lowdb with a checkpoint after each commit', async (): Promise<OpenedStore> => {
  const disk = memoryFiles()
  return reopening(() => openOn(disk, { checkpointBytes: 1 }))
})

async function reopening(
  open: () => ReturnType<typeof openOn>,
  clear: () => Promise<void> = () => Promise.resolve(),
): Promise<OpenedStore> {
  let store = await open()
  return {
    store,
    reopen: async () => {
      await store.close()
      store = await open()
      return store
    },
    dispose: async () => {
      await store.close()
      await clear()
    },
  }
}
