import { connect, type Socket } from 'node:net'
import type { ReadBuffers } from './buffers.ts'
import type { Target } from './sessions.ts'

/** TCP keepalive, so that a client or a desktop that lost its power is noticed. Small packets are not held back. */
export const liveliness = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000 }

/** The side of a connection that we dial. It reads nothing before `flowTo`. */
export interface DesktopLeg {
  readonly socket: Socket
  /** From now on whatever the desktop says is written to the client, no faster than the client takes it. */
  flowTo(client: Socket, seen: (bytes: number) => void): void
}

/** A read that fills less than this part of a large buffer, twice in a row, does not need one. */
const smallPart = 8

/**
 * Starts to connect to a desktop. Node reads straight into our buffers (`onread`), which saves the copy and the garbage
 * of a stream. The price is that a buffer may be filled again as soon as the callback returns, while an earlier write of
 * it is still under way: reading goes on only when the write was done by then, else after it.
 */
export function dialDesktop(target: Target, buffers: ReadBuffers): DesktopLeg {
  let client: Socket | undefined
  let seen: (bytes: number) => void = () => undefined
  let own: Buffer | undefined
  let smallReads = 0
  let isStalled = false

  function read(size: number): boolean {
    if (client === undefined || client.destroyed) return false
    seen(size)
    return own === undefined ? readShared(client, size) : readOwn(client, own, size)
  }

  /** What was read is copied before anybody else reads into the buffer, so any number of writes may be under way. */
  function readShared(to: Socket, size: number): boolean {
    const isRoom = to.write(copied(buffers.shared, size))
    if (size === buffers.shared.length) own = buffers.take()
    return isRoom
  }

  /** The buffer is the write's until that is done. */
  function readOwn(to: Socket, buffer: Buffer, size: number): boolean {
    to.write(buffer.subarray(0, size), written)
    isStalled = to.writableLength > 0
    if (!isStalled) shrink(buffer, size)
    return !isStalled
  }

  /** Called for each write, and late: what counts is that nothing is left to be written. */
  function written(): void {
    if (!isStalled || client === undefined || client.writableLength > 0) return
    isStalled = false
    socket.resume()
  }

  function shrink(buffer: Buffer, size: number): void {
    smallReads = size * smallPart < buffer.length ? smallReads + 1 : 0
    if (smallReads >= 2) letGo()
  }

  function letGo(): void {
    if (own !== undefined) buffers.give(own)
    own = undefined
    smallReads = 0
  }

  const socket = connect({
    ...target,
    ...liveliness,
    allowHalfOpen: true,
    onread: { buffer: () => own ?? buffers.shared, callback: read },
  })
  socket.pause()
  socket.once('close', () => {
    // The client's socket may still hold what was read last.
    if (client === undefined || client.closed || client.writableLength === 0) letGo()
    else client.once('close', letGo).once('drain', letGo)
  })
  return {
    socket,
    flowTo(to, count) {
      client = to
      seen = count
      to.on('drain', () => {
        if (!isStalled) socket.resume()
      })
      socket.resume()
    },
  }
}

function copied(from: Buffer, size: number): Buffer {
  const copy = Buffer.allocUnsafe(size)
  from.copy(copy, 0, 0, size)
  return copy
}
