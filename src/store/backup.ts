import { createHash, type Hash } from 'node:crypto'
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import type { Transform, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import { z } from 'zod'
import type { Instant } from '../base/clock.ts'
import { messageOf, Outage } from '../base/errors.ts'
import { type Formats, ourFormats, tooNew, upgraded } from './formats.ts'
import { isJournal, isPartName, takeSnapshot } from './snapshot.ts'
import type { Part, Store } from './store.ts'

const kind = 'jackdaw backup'
const Header = z.object({ kind: z.literal(kind), format: z.number(), site: z.string(), at: z.string() })
const Counts = z.object({ documents: z.number(), audit: z.number(), charges: z.number() })
const Trailer = z.object({ counts: Counts, sha256: z.string() })
const Item = z.tuple([z.string(), z.record(z.string(), z.unknown())])

export type Counts = z.infer<typeof Counts>

/** What a backup says of itself. */
export interface BackupFacts {
  site: string
  /** The moment that it shows. */
  at: Instant
}
export interface Backup extends BackupFacts {
  counts: Counts
}

const sliceLength = 64 * 1024
const batchLength = 500

/**
 * Writes all that a store holds at one moment, as gzip of lines of JSON: a header, `[collection or journal, document or
 * row]` for each, and a line with the counts and the SHA-256 of all lines before. In slices, so that others go on.
 * @throws what the store throws, and what the stream throws that it goes to.
 */
export async function writeBackup(
  store: Store,
  facts: BackupFacts,
  to: Writable,
  formats: Formats = ourFormats,
): Promise<void> {
  const gzip = createGzip()
  const arrived = pipeline(gzip, to)
  arrived.catch(() => undefined)
  const [hash, counts] = [createHash('sha256'), { documents: 0, audit: 0, charges: 0 }]
  let text = lineOf({ kind, format: formats.current, ...facts })
  const flush = async () => {
    hash.update(text)
    const isFull = !gzip.write(text)
    text = ''
    if (isFull) await Promise.race([once(gzip, 'drain').catch(() => undefined), arrived])
  }
  try {
    await takeSnapshot(store, async ({ name, items }) => {
      for (const item of items) {
        text += lineOf([name, item])
        if (text.length >= sliceLength) await flush()
      }
      counts[isJournal(name) ? name : 'documents'] += items.length
    })
    await flush()
    gzip.end(lineOf({ counts, sha256: hash.digest('hex') }))
    await arrived
  } catch (error) {
    gzip.destroy(error instanceof Error ? error : undefined)
    throw error
  }
}

/**
 * Reads a backup through and hands out what it holds, upgraded to the format of today. Only at its end is it certain
 * that it is whole: read it once without taking anything before anything is done with it.
 * @throws Outage `backup_damaged`, `store_too_new`.
 */
export async function readBackup(
  file: string,
  take: (part: Part) => Promise<void> = () => Promise.resolve(),
  formats: Formats = ourFormats,
): Promise<Backup> {
  const reader = new Reader(take, formats)
  try {
    for await (const line of linesOf(file)) await reader.read(line)
    return await reader.end()
  } catch (error) {
    if (error instanceof Outage) throw error
    throw damagedBackup(file, error)
  }
}

class Reader {
  readonly #take: (part: Part) => Promise<void>
  readonly #formats: Formats
  readonly #hash: Hash = createHash('sha256')
  readonly #counts: Counts = { documents: 0, audit: 0, charges: 0 }
  #header: z.infer<typeof Header> | undefined
  #trailer: z.infer<typeof Trailer> | undefined
  #batch: { name: Part['name']; items: unknown[] } | undefined

  constructor(take: (part: Part) => Promise<void>, formats: Formats) {
    this.#take = take
    this.#formats = formats
  }

  async read(line: string): Promise<void> {
    if (this.#trailer !== undefined) throw new Error('something follows its end')
    const value: unknown = JSON.parse(line)
    if (Array.isArray(value)) await this.#item(value)
    else if (this.#header === undefined) this.#begin(value)
    else this.#trailer = Trailer.parse(value)
    if (this.#trailer === undefined) this.#hash.update(`${line}\n`)
  }

  async end(): Promise<Backup> {
    const [header, trailer] = [this.#header, this.#trailer]
    if (header === undefined || trailer === undefined) throw new Error('its end is missing')
    if (this.#hash.digest('hex') !== trailer.sha256) throw new Error('its checksum does not fit')
    const { documents, audit, charges } = this.#counts
    const isAll =
      documents === trailer.counts.documents &&
      audit === trailer.counts.audit &&
      charges === trailer.counts.charges
    if (!isAll) throw new Error('its counts do not fit')
    await this.#flush()
    return { site: header.site, at: header.at, counts: this.#counts }
  }

  #begin(value: unknown): void {
    const format = z.object({ kind: z.literal(kind), format: z.number() }).parse(value).format
    if (format > this.#formats.current) throw tooNew('The backup', format, this.#formats)
    this.#header = Header.parse(value)
  }

  async #item(value: readonly unknown[]): Promise<void> {
    const [name, item] = Item.parse(value)
    if (this.#header === undefined) throw new Error('its beginning is missing')
    if (!isPartName(name)) throw new Error(`nobody knows what ${name} are`)
    this.#counts[isJournal(name) ? name : 'documents'] += 1
    if (this.#batch?.name !== name || this.#batch.items.length >= batchLength) await this.#flush()
    this.#batch ??= { name, items: [] }
    this.#batch.items.push(upgraded(this.#formats, this.#header.format, name, item))
  }

  async #flush(): Promise<void> {
    const batch = this.#batch
    this.#batch = undefined
    if (batch !== undefined) await this.#take(batch)
  }
}

async function* linesOf(file: string): AsyncGenerator<string, void, undefined> {
  let rest = Buffer.alloc(0)
  const source = createReadStream(file).on('error', (error) => gunzip.destroy(error))
  const gunzip: Transform = createGunzip()
  for await (const chunk of source.pipe(gunzip)) {
    if (!Buffer.isBuffer(chunk)) continue
    rest = Buffer.concat([rest, chunk])
    let start = 0
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10, start)) {
      yield rest.toString('utf8', start, end)
      start = end + 1
    }
    rest = rest.subarray(start)
  }
  if (rest.length > 0) throw new Error('its last line is torn')
}

function lineOf(value: unknown): string {
  return `${JSON.stringify(value)}\n`
}

function damagedBackup(file: string, cause: unknown): Outage {
  const detail = `${file} is no whole backup: ${messageOf(cause)}. Take another one.`
  return new Outage('backup_damaged', detail, { transient: false, cause })
}
