import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { silentLog } from '../../src/base/log.ts'
import { lowdb } from '../../src/store/lowdb.ts'
import { diskFiles, type Files } from '../../src/store/lowdb/files.ts'
import { takeLock } from '../../src/store/lowdb/lock.ts'
import { type Processes, systemProcesses } from '../../src/store/lowdb/processes.ts'
import { memoryFiles } from '../fakes/memory-files.ts'
import { count, openOn, valueOf } from './opened.ts'

const at = '2026-11-02T06:00:00.000Z'

describe('on a real folder', () => {
  let path: string
  beforeEach(async () => {
    path = await mkdtemp(join(tmpdir(), 'jackdaw-lock-'))
  })
  afterEach(() => rm(path, { recursive: true }))
  const open = () => lowdb({ path, log: silentLog })

  test('a second store is refused, told who has the folder and what to do, and can start afterwards', async () => {
    const first = await open()

    const second = open()

    await expect(second).rejects.toMatchObject({ code: 'store_in_use', transient: false })
    await expect(second).rejects.toThrow(`${path} is in use by process ${process.pid} on ${hostname()}`)
    await expect(second).rejects.toThrow('remove the file lock-1')
    await first.close()
    await (await open()).close()
  })

  test('the lock of a process that was killed is taken over at once', async () => {
    const child = spawn(process.execPath, ['-e', 'process.stdin.resume()'])
    await once(child, 'spawn')
    const running = await systemProcesses.find(child.pid ?? 0)
    await writeLock(4, { pid: child.pid, host: hostname(), started: running?.started ?? null })
    const refused = open()
    await expect(refused).rejects.toMatchObject({ code: 'store_in_use' })
    child.kill('SIGKILL')
    await once(child, 'exit')

    const store = await open()

    expect((await readdir(path)).filter((name) => name.startsWith('lock-'))).toEqual(['lock-5'])
    await store.close()
  })

  test.runIf(process.platform === 'linux')(
    'a number that another process has been given since does not count',
    async () => {
      await writeLock(1, { pid: process.ppid, host: hostname(), started: 'another boot 42' })

      const store = await open()

      await store.close()
    },
  )

  test('of a process on another host nothing is known, so its lock holds', async () => {
    await writeLock(1, { pid: 1, host: 'another.example.org', started: null })

    const refused = open()

    await expect(refused).rejects.toThrow('process 1 on another.example.org')
  })

  test('a lock that nobody can read holds', async () => {
    await writeFile(join(path, 'lock-1'), 'rubbish')

    await expect(open()).rejects.toMatchObject({ code: 'store_in_use' })
  })

  test('of twenty who take over from a dead process at the same time one wins', async () => {
    await writeLock(1, { pid: 1, host: 'here', started: 'long ago' })

    const takers = await Promise.allSettled(
      Array.from({ length: 20 }, (_, n) =>
        takeLock(diskFiles(path), { path, at, processes: processNumber(100 + n) }),
      ),
    )

    expect(takers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })

  async function writeLock(number: number, holder: object): Promise<void> {
    await writeFile(join(path, `lock-${number}`), JSON.stringify({ ...holder, since: at }))
  }
})

test('a store that was killed can be opened at once, with everything in it', async () => {
  const disk = memoryFiles()
  await count(await openOn(disk))
  disk.kill()

  const store = await openOn(disk)

  expect(await valueOf(store)).toBe(1)
})

test('a taker who looked long ago and comes late finds that others were there, and lets go', async () => {
  const disk = memoryFiles()
  const files = disk.files()
  await files.createOnce('lock-1', JSON.stringify({ pid: 1, host: 'here', started: 'x', since: at }))
  let release: () => Promise<void> = () => Promise.resolve()
  const slow: Files = {
    ...files,
    createOnce: async (name, text) => {
      // Meanwhile one takes over and leaves again, and the next one comes.
      await (
        await takeLock(files, { path: '/data', at, processes: processNumber(200) })
      )()
      release = await takeLock(files, { path: '/data', at, processes: processNumber(201) })
      return files.createOnce(name, text)
    },
  }

  const late = takeLock(slow, { path: '/data', at, processes: processNumber(202) })

  await expect(late).rejects.toMatchObject({ code: 'store_in_use' })
  await expect(late).rejects.toThrow('process 201')
  expect(disk.names()).toEqual(['lock-1'])
  await release()
})

/** A living process on a host where numbers from 100 on are alive. */
function processNumber(pid: number): Processes {
  const find: Processes['find'] = async (other) =>
    other >= 100 ? { started: `start of ${other}` } : undefined
  return { pid, host: 'here', find }
}
