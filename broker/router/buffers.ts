/**
 * What desktops' sockets are read into.
 *
 * All quiet connections of a router read into one `shared` buffer: it is read and copied from in one go, so a connection
 * that is silent holds none. One whose reads fill it gets a large one of its own, which is kept until what was read into
 * it has been written. There are only so many of those, so that a thousand bursts cannot take all memory.
 */
export interface ReadBuffers {
  readonly shared: Buffer
  /** A large one, or nothing when as many as may be are out. */
  take(): Buffer | undefined
  /** Gives one back. Its bytes must not be needed any more. */
  give(buffer: Buffer): void
}

const sharedSize = 64 * 1024
const largeSize = 1024 * 1024

export function readBuffers(mostLarge = 64): ReadBuffers {
  const idle: Buffer[] = []
  let out = 0
  return {
    shared: Buffer.allocUnsafeSlow(sharedSize),
    take() {
      if (out >= mostLarge) return undefined
      out += 1
      return idle.pop() ?? Buffer.allocUnsafeSlow(largeSize)
    },
    give(buffer) {
      out -= 1
      // A few are enough for the next bursts; the rest goes back to the system.
      if (idle.length < 8) idle.push(buffer)
    },
  }
}
