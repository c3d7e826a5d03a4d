import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'

/** Random bytes of a prime length: whatever is moved by a buffer's length does not fit any more. */
const block = randomBytes(1_000_003)

/** What stands at a place of the endless stream that both sides know. */
function expected(from: number, length: number): Buffer {
  const parts: Buffer[] = []
  for (let at = from; at < from + length;) {
    const start = at % block.length
    const part = block.subarray(start, Math.min(block.length, start + from + length - at))
    parts.push(part)
    at += part.length
  }
  return Buffer.concat(parts)
}

/** How a side speaks and listens: sizes are taken in turns. */
export interface Manner {
  total: number
  /** How much is written at a time. */
  writes: readonly number[]
  /** After so many bytes read, the reader stops for so many turns of the event loop. */
  pauses: readonly { after: number; turns: number }[]
}

/** Says all that is to be said, and takes its leave. */
export async function speak(socket: Socket, { total, writes }: Manner): Promise<void> {
  let sent = 0
  for (let step = 0; sent < total; step++) {
    const size = Math.min(writes[step % writes.length] ?? 1, total - sent)
    const isRoom = socket.write(expected(sent, size))
    sent += size
    if (!isRoom) await drained(socket)
    else if (step % 8 === 0) await turn()
  }
  socket.end()
}

/** Resolves with the place of the first byte that is not as it was said; null when all are, and as many. */
export function listen(socket: Socket, { total, pauses }: Manner): Promise<number | null> {
  let [got, next, step] = [0, pauses[0]?.after ?? Infinity, 0]
  return new Promise((resolve) => {
    const isOver = (): void => resolve(got === total ? null : got)
    socket.once('end', isOver).once('close', isOver)
    socket.on('data', (chunk: Buffer) => {
      const wrong = firstDifference(chunk, got)
      if (wrong !== null) resolve(wrong)
      got += chunk.length
      if (got < next) return
      const pause = pauses[step % pauses.length]
      step += 1
      next = got + (pauses[step % pauses.length]?.after ?? Infinity)
      socket.pause()
      void wait(pause?.turns ?? 1).then(() => socket.resume())
    })
  })
}

function firstDifference(chunk: Buffer, at: number): number | null {
  const right = expected(at, chunk.length)
  if (chunk.equals(right)) return null
  return at + chunk.findIndex((byte, index) => byte !== right[index])
}

async function drained(socket: Socket): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      socket.off('drain', done).off('close', done)
      resolve()
    }
    socket.on('drain', done).on('close', done)
  })
}

async function wait(turns: number): Promise<void> {
  for (let each = 0; each < turns; each++) await turn()
}
