import type { Adapter } from 'lowdb'
import { z } from 'zod'
import type { Instant } from '../../base/clock.ts'
import type { Outage } from '../../base/errors.ts'
import { type Formats, tooNew } from '../formats.ts'
import type { Files, OpenFile } from './files.ts'
import { damaged, encodeLine, readLines } from './lines.ts'
import type { Blocks } from './memory.ts'

/** The whole state up to a sequence number of the change journal. */
export interface Checkpoint {
  format: number
  sequence: number
  at: Instant
  /** Where the rows of the journals are that were folded up to then. */
  blocks: Blocks
  documents: readonly (readonly [collection: string, documents: readonly unknown[]])[]
}

const Block = z.object({
  file: z.string(),
  offset: z.number(),
  bytes: z.number(),
  from: z.string(),
  to: z.string(),
  // The first releases had but one.
  format: z.number().default(1),
})
const Header = z.object({
  format: z.number(),
  sequence: z.number(),
  at: z.string(),
  // A journal that came later has no blocks in an older checkpoint.
  blocks: z.object({ audit: z.array(Block), charges: z.array(Block).default([]) }),
  /** How many documents of which collection follow. */
  documents: z.array(z.tuple([z.string(), z.number()])),
})
type Header = z.infer<typeof Header>

export const checkpointName = 'checkpoint.jsonl'
const temporaryName = 'checkpoint.tmp'
const sliceLength = 64 * 1024

/**
 * What `Low` of lowdb reads and writes the checkpoint with: a header line, then a line for each document. It is written
 * beside the old one, synced, put in its place and the folder synced, so that a crash leaves the old or the new one.
 */
export function checkpointFile(files: Files, formats: Formats): Adapter<Checkpoint> {
  return {
    async read() {
      const file = await files.open(checkpointName)
      if (file === undefined) return null
      try {
        return await readCheckpoint(file, formats)
      } finally {
        await file.close()
      }
    },
    async write(checkpoint) {
      const file = await files.create(temporaryName)
      try {
        await writeCheckpoint(file, checkpoint)
        await file.sync()
      } finally {
        await file.close()
      }
      await files.rename(temporaryName, checkpointName)
      // Rename is atomic but not durable: without this a power cut can bring the old one back.
      await files.sync()
    },
  }
}

/** In slices: documents never change, so others may go on while the picture that was taken of them is written. */
async function writeCheckpoint(file: OpenFile, checkpoint: Checkpoint): Promise<void> {
  const { documents, ...facts } = checkpoint
  const counts = documents.map(([name, list]): [string, number] => [name, list.length])
  let text = encodeLine(JSON.stringify({ ...facts, documents: counts }))
  let offset = 0
  const write = async () => {
    const bytes = Buffer.from(text)
    await file.write(offset, bytes)
    offset += bytes.length
    text = ''
  }
  for (const [, list] of documents) {
    for (const document of list) {
      text += encodeLine(JSON.stringify(document))
      if (text.length >= sliceLength) await write()
    }
  }
  await write()
}

async function readCheckpoint(file: OpenFile, formats: Formats): Promise<Checkpoint> {
  let header: Header | undefined
  const found: unknown[] = []
  for await (const line of readLines(file)) {
    if (line.text === undefined) throw damagedCheckpoint(line.offset)
    const value: unknown = JSON.parse(line.text)
    if (header === undefined) header = parseHeader(value, formats)
    else found.push(value)
  }
  const expected = header?.documents.reduce((sum, [, count]) => sum + count, 0)
  if (header === undefined || expected !== found.length) throw damagedCheckpoint(await file.size())
  let from = 0
  const documents = header.documents.map(([name, count]): [string, unknown[]] => {
    from += count
    return [name, found.slice(from - count, from)]
  })
  return { ...header, documents }
}

function parseHeader(value: unknown, formats: Formats): Header {
  const format = z.object({ format: z.number() }).safeParse(value).data?.format
  if (format !== undefined && format > formats.current) throw tooNew('The store', format, formats)
  const header = Header.safeParse(value)
  if (!header.success) throw damagedCheckpoint(0)
  return header.data
}

function damagedCheckpoint(offset: number): Outage {
  return damaged(checkpointName, offset, 'Restore the folder from a backup.')
}
