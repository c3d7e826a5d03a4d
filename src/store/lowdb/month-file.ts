import type { Instant } from '../../base/clock.ts'
import { addDays } from '../../base/period.ts'
import type { Files, OpenFile } from './files.ts'
import { encodeLine } from './lines.ts'

/** What every row has. */
export interface Row {
  id: string
  at: Instant
}

/** A stretch of a month file: where it is, and the first and the last instant in it. */
export interface Block {
  file: string
  offset: number
  bytes: number
  from: Instant
  to: Instant
  /** The format that its rows are written in. */
  format: number
}

const blockBytes = 128 * 1024

/** Blocks by each day (UTC) that they hold rows of. A block is part of one month's file, so it is of no more days than that. */
export function byDay(blocks: readonly Block[]): Map<string, Block[]> {
  const days = new Map<string, Block[]>()
  for (const block of blocks) {
    for (let day = dayOf(block.from); day <= dayOf(block.to); day = addDays(day, 1)) {
      const some = days.get(day)
      if (some === undefined) days.set(day, [block])
      else some.push(block)
    }
  }
  return days
}

/** The day (UTC) of an instant. */
export function dayOf(at: Instant): string {
  return at.slice(0, 10)
}

/** The file of a month, and the format that rows are written in now. */
interface Month {
  name: string
  format: number
}

/** Writes rows behind the known blocks of a month, a block at a time so that others get their turn. */
export async function foldMonth(
  files: Files,
  month: Month,
  rows: readonly Row[],
  known: readonly Block[],
): Promise<readonly Block[]> {
  const blocks = [...known]
  const file = (await files.open(month.name)) ?? (await files.create(month.name))
  try {
    let [written, text] = [endOf(known), '']
    const write = async () => {
      const bytes = Buffer.from(text)
      await file.write(written, bytes)
      written += bytes.length
      text = ''
    }
    for (const row of rows) {
      const line = encodeLine(JSON.stringify(row))
      text += line
      grow(blocks, month, { bytes: Buffer.byteLength(line), at: row.at })
      if (text.length >= blockBytes) await write()
    }
    await write()
    await finish(file, written)
    return blocks
  } finally {
    await file.close()
  }
}

async function finish(file: OpenFile, size: number): Promise<void> {
  await file.truncate(size)
  await file.sync()
}

/** Makes the last block longer, or begins a new one once that is long enough. A block is of one format. */
function grow(blocks: Block[], month: Month, row: { bytes: number; at: Instant }): void {
  const last = blocks.at(-1)
  if (last === undefined || last.bytes >= blockBytes || last.format !== month.format) {
    const { name: file, format } = month
    blocks.push({ file, offset: endOf(blocks), bytes: row.bytes, from: row.at, to: row.at, format })
    return
  }
  const from = row.at < last.from ? row.at : last.from
  const to = row.at > last.to ? row.at : last.to
  blocks[blocks.length - 1] = { ...last, bytes: last.bytes + row.bytes, from, to }
}

function endOf(blocks: readonly Block[]): number {
  const last = blocks.at(-1)
  return last === undefined ? 0 : last.offset + last.bytes
}
