import { messageOf, type Outage } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import { type Files, type OpenFile, sizeOf } from './files.ts'
import { damaged, encodeLine, type Line, readLines } from './lines.ts'

const segmentName = /^journal-(\d{16})\.jsonl$/

/** One commit as it stands in the journal. Sequence numbers have no gaps. */
export interface Entry {
  sequence: number
  json: string
}

/**
 * The file that commits are appended to, in segments: a new one is begun for each checkpoint, and what the checkpoint
 * holds is then removed. A line is `checksum sequence durable json`; `durable` is the last sequence number that was
 * durable when the line was written, by which a torn tail can be told from damage (see `readJournal`).
 */
export class ChangeJournal {
  readonly #files: Files
  #name: string
  #file: OpenFile
  #end: number
  #durable: number
  /** Whether bytes that nobody may rely on can stand behind the last good one. */
  #ragged = false
  /** Why the disk did not take the last write; null once it did. */
  reason: string | null = null

  private constructor(files: Files, at: { name: string; file: OpenFile; end: number; durable: number }) {
    this.#files = files
    this.#name = at.name
    this.#file = at.file
    this.#end = at.end
    this.#durable = at.durable
  }

  /** Goes on where recovery ended: in the last segment, or in a new one. */
  static async open(files: Files, found: Recovered): Promise<ChangeJournal> {
    const name = found.segment ?? nameOf(found.durable + 1)
    const known = await files.open(name)
    const file = known ?? (await create(files, name))
    // What a killed process wrote and did not sync was read all the same: a power cut must not take it back from here on.
    await file.sync()
    return new ChangeJournal(files, { name, file, end: found.end, durable: found.durable })
  }

  /** The last sequence number that a crash cannot take back. */
  get durable(): number {
    return this.#durable
  }

  get bytes(): number {
    return this.#end
  }

  /** Writes entries behind one another and waits until they are durable. When it throws, none of them counts. */
  async append(entries: readonly Entry[]): Promise<void> {
    const lines = entries.map(({ sequence, json }) => encodeLine(`${sequence} ${this.#durable} ${json}`))
    const bytes = Buffer.from(lines.join(''))
    try {
      if (this.#ragged) await this.cut()
      this.#ragged = true
      await this.#file.write(this.#end, bytes)
      await this.#file.sync()
    } catch (error) {
      this.reason = messageOf(error)
      throw error
    }
    this.#ragged = false
    this.reason = null
    this.#end += bytes.length
    this.#durable = entries.at(-1)?.sequence ?? this.#durable
  }

  /** Cuts the file back to the last good byte, so that a crash cannot bring back what was refused. */
  async cut(): Promise<void> {
    // A file whose sync has failed may keep failing; opened anew it may not.
    const file = await this.#files.open(this.#name)
    if (file === undefined) throw new Error(`${this.#name} is gone`)
    await this.#file.close().catch(() => undefined)
    this.#file = file
    await file.truncate(this.#end)
    await file.sync()
    this.#ragged = false
  }

  /** Begins a new segment. Called only when everything is durable. */
  async rotate(): Promise<void> {
    if (this.#ragged) await this.cut()
    const name = nameOf(this.#durable + 1)
    if (name === this.#name) return
    const file = await create(this.#files, name)
    await this.#file.close().catch(() => undefined)
    this.#name = name
    this.#file = file
    this.#end = 0
  }

  /** Removes the segments that a checkpoint up to a sequence number holds. */
  async removeUpTo(sequence: number): Promise<void> {
    for (const name of await segments(this.#files)) {
      if (name !== this.#name && firstOf(name) <= sequence) await this.#files.remove(name)
    }
  }

  close(): Promise<void> {
    return this.#file.close()
  }
}

/** Names of the segments, oldest first. */
export async function segments(files: Files): Promise<string[]> {
  return (await files.list()).filter((name) => segmentName.test(name)).sort()
}

/** Where the journal ends: the last sequence number, and the segment to go on with at which byte. */
export interface Recovered {
  durable: number
  segment: string | undefined
  end: number
}

/**
 * Reads what was committed after a checkpoint, checks that nothing is missing, and cuts off a torn tail.
 *
 * A crash can leave the last batch of lines in any shape, and none of it was answered. So a bad line is a torn tail
 * when no good line behind it was written after the bad one was durable; else it is damage.
 *
 * @throws Outage `store_damaged`, naming file and byte.
 */
export async function readJournal(
  files: Files,
  log: Log,
  after: number,
  take: (entry: Entry) => void,
): Promise<Recovered> {
  const names = await withoutEmpty(files)
  let found: Recovered = { durable: after, segment: undefined, end: 0 }
  for (const [index, name] of names.entries()) {
    const file = await files.open(name)
    if (file === undefined) continue
    try {
      const isLast = index === names.length - 1
      found = await readSegment({ name, file, isLast, log, after }, found.durable, take)
    } finally {
      await file.close()
    }
  }
  return found
}

/** A segment without a line is left over from a checkpoint that did not come about. */
async function withoutEmpty(files: Files): Promise<string[]> {
  const names: string[] = []
  for (const name of await segments(files)) {
    if ((await sizeOf(files, name)) > 0) names.push(name)
    else await files.remove(name)
  }
  return names
}

interface Segment {
  name: string
  file: OpenFile
  isLast: boolean
  log: Log
  after: number
}

async function readSegment(
  { name, file, isLast, log, after }: Segment,
  known: number,
  take: (entry: Entry) => void,
): Promise<Recovered> {
  let durable = known
  let seen = firstOf(name) - 1
  let torn: number | undefined
  for await (const line of readLines(file)) {
    const entry = entryOf(line)
    if (torn !== undefined) {
      if (entry !== undefined && entry.durable > seen) throw damagedJournal(name, torn)
    } else if (entry === undefined && isLast) {
      torn = line.offset
    } else {
      if (entry?.sequence !== seen + 1) throw damagedJournal(name, line.offset)
      seen = entry.sequence
      if (seen <= after) continue
      if (seen !== durable + 1) throw damagedJournal(name, line.offset)
      take(entry)
      durable = seen
    }
  }
  const end = torn ?? (await file.size())
  if (torn !== undefined) await cutTail(file, { name, torn, log })
  // A segment that ends before the checkpoint does is left over: its numbers would have a gap.
  return { durable, segment: seen === durable ? name : undefined, end: seen === durable ? end : 0 }
}

async function cutTail(file: OpenFile, tail: { name: string; torn: number; log: Log }): Promise<void> {
  const bytes = (await file.size()) - tail.torn
  await file.truncate(tail.torn)
  await file.sync()
  tail.log.warn({ file: tail.name, offset: tail.torn, bytes }, 'a torn tail was cut off the change journal')
}

function entryOf(line: Line): (Entry & { durable: number }) | undefined {
  const [, sequence, durable, json] = /^(\d+) (\d+) (.*)$/s.exec(line.text ?? '') ?? []
  if (json === undefined) return undefined
  return { sequence: Number(sequence), durable: Number(durable), json }
}

function damagedJournal(name: string, offset: number): Outage {
  return damaged(
    name,
    offset,
    `Restore the folder from a backup. Or, at your own risk, lose what was committed from there on: ` +
      `cut this file at that byte and remove the journal files with higher numbers.`,
  )
}

async function create(files: Files, name: string): Promise<OpenFile> {
  const file = await files.create(name)
  try {
    await file.sync()
    await files.sync()
    return file
  } catch (error) {
    await file.close()
    await files.remove(name)
    throw error
  }
}

function nameOf(first: number): string {
  return `journal-${String(first).padStart(16, '0')}.jsonl`
}

function firstOf(name: string): number {
  return Number(segmentName.exec(name)?.[1])
}
