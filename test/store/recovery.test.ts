import { pino } from 'pino'
import { describe, expect, test } from 'vitest'
import { type MemoryDisk, memoryFiles } from '../fakes/memory-files.ts'
import { aRow, second } from './documents.ts'
import { count, openOn, valueOf } from './opened.ts'

const firstSegment = 'journal-0000000000000001.jsonl'

async function killedAfter(commits: number): Promise<MemoryDisk> {
  const disk = memoryFiles()
  const store = await openOn(disk)
  for (let n = 0; n < commits; n++) await count(store)
  disk.kill()
  return disk
}

describe('the end of the change journal', () => {
  test.each([
    ['half of a line', (bytes: Buffer) => bytes.subarray(0, bytes.length - 10), 4],
    ['a line without its end', (bytes: Buffer) => bytes.subarray(0, bytes.length - 1), 4],
    ['zeros', (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc(4096)]), 5],
    ['rubbish with an end', (bytes: Buffer) => Buffer.concat([bytes, Buffer.from('rubbish\n')]), 5],
    ['nothing amiss', (bytes: Buffer) => bytes, 5],
  ])('with %s is taken as a torn tail, cut off and gone on from', async (_, change, expected) => {
    const disk = await killedAfter(5)
    disk.overwrite(firstSegment, change(disk.contents(firstSegment)))

    const store = await openOn(disk)
    const found = await valueOf(store)
    await count(store)
    disk.powerCut()

    expect(found).toBe(expected)
    expect(await valueOf(await openOn(disk))).toBe(expected + 1)
  })

  test('a torn tail is reported with its place and its size', async () => {
    const disk = await killedAfter(5)
    const bytes = disk.contents(firstSegment)
    disk.overwrite(firstSegment, bytes.subarray(0, bytes.length - 10))
    const lines: string[] = []

    await openOn(disk, { log: pino({ level: 'warn' }, { write: (line: string) => lines.push(line) }) })

    const offset = bytes.lastIndexOf('\n', bytes.length - 2) + 1
    expect(lines).toHaveLength(1)
    expect(lines[0]).toContain(
      `"file":"${firstSegment}","offset":${offset},"bytes":${bytes.length - 10 - offset}`,
    )
  })

  test('lines of one batch that reached the disk in the wrong order are a torn tail too', async () => {
    const disk = memoryFiles()
    const store = await openOn(disk)
    await count(store)
    const answered = disk.contents(firstSegment).length
    // The first takes a batch of its own; the other three share the second one.
    await Promise.all([count(store), count(store), count(store), count(store)])
    disk.kill()
    const bytes = disk.contents(firstSegment)
    const batch = bytes.indexOf('\n', answered) + 1
    bytes[batch + 30] = 0
    disk.overwrite(firstSegment, bytes)

    const found = await valueOf(await openOn(disk))

    expect(found).toBe(2)
  })
})

describe('damage', () => {
  test('in the middle of the journal stops the start, naming file, byte and remedy', async () => {
    const disk = await killedAfter(5)
    const bytes = disk.contents(firstSegment)
    const offset = bytes.indexOf('\n') + 1
    bytes[offset + 40] = 0x58
    disk.overwrite(firstSegment, bytes)

    const start = openOn(disk)

    await expect(start).rejects.toMatchObject({ code: 'store_damaged', transient: false })
    await expect(start).rejects.toThrow(`${firstSegment} is damaged at byte ${offset}. Restore the folder`)
  })

  test('following that remedy gives back what came before the damage', async () => {
    const disk = await killedAfter(5)
    const bytes = disk.contents(firstSegment)
    const offset = bytes.indexOf('\n') + 1
    disk.overwrite(firstSegment, bytes.subarray(0, offset))

    expect(await valueOf(await openOn(disk))).toBe(1)
  })

  test('a start that fails lets go of the folder', async () => {
    const disk = await killedAfter(5)
    const whole = disk.contents(firstSegment)
    disk.overwrite(firstSegment, Buffer.concat([Buffer.from('X'), whole]))
    await expect(openOn(disk)).rejects.toMatchObject({ code: 'store_damaged' })
    disk.overwrite(firstSegment, whole)

    expect(await valueOf(await openOn(disk))).toBe(5)
  })

  test('a journal file that is missing is not passed over', async () => {
    const disk = memoryFiles()
    disk.before = ({ kind, name }) => {
      if (kind === 'rename' && disk.names().includes(firstSegment)) throw new Error(`EIO: ${name}`)
    }
    const store = await openOn(disk, { checkpointBytes: 300 })
    for (let n = 0; n < 20; n++) await count(store)
    disk.kill()
    const names = disk.names().filter((name) => name.startsWith('journal-'))
    expect(names.length).toBeGreaterThan(2)
    disk.overwrite(names[1] ?? '', Buffer.alloc(0))

    await expect(openOn(disk)).rejects.toMatchObject({ code: 'store_damaged' })
  })

  test.each([
    ['a changed document', (bytes: Buffer) => bytes.fill(0x58, bytes.length - 5, bytes.length - 3)],
    [
      'a missing document',
      (bytes: Buffer) => bytes.subarray(0, bytes.lastIndexOf('\n', bytes.length - 2) + 1),
    ],
    ['nothing in it', () => Buffer.alloc(0)],
  ])('in the checkpoint, %s, stops the start', async (_, change) => {
    const disk = memoryFiles()
    const store = await openOn(disk)
    await count(store)
    await count(store, 'b')
    await store.close()
    disk.overwrite('checkpoint.jsonl', change(disk.contents('checkpoint.jsonl')))

    await expect(openOn(disk)).rejects.toMatchObject({ code: 'store_damaged' })
  })

  test('a checkpoint that is missing beside a journal stops the start', async () => {
    const disk = await killedAfter(1)
    await disk.files().remove('checkpoint.jsonl')

    await expect(openOn(disk)).rejects.toMatchObject({ code: 'store_damaged' })
  })

  test('in a month file is found at the start when rows are missing, and else when it is read', async () => {
    const disk = memoryFiles()
    const store = await openOn(disk)
    await store.transact((tx) => tx.audit.append(aRow('A-1', second(1))))
    await store.close()
    const whole = disk.contents('audit-2026-11.jsonl')
    disk.overwrite('audit-2026-11.jsonl', whole.subarray(0, 20))
    await expect(openOn(disk)).rejects.toMatchObject({ code: 'store_damaged' })
    disk.overwrite('audit-2026-11.jsonl', Buffer.from(whole).fill(0x58, 30, 31))

    const opened = await openOn(disk)

    const page = opened.read((tx) => tx.audit.page({ limit: 1 }))
    await expect(page).rejects.toMatchObject({ code: 'store_damaged' })
  })

  test('a folder that a newer release wrote is left alone', async () => {
    const disk = memoryFiles()
    await (await openOn(disk)).close()
    const { encodeLine } = await import('../../src/store/lowdb/lines.ts')
    disk.overwrite('checkpoint.jsonl', Buffer.from(encodeLine('{"format":99}')))

    await expect(openOn(disk)).rejects.toMatchObject({ code: 'store_too_new', transient: false })
  })
})
