import { connect, type Socket } from 'node:net'
import { type Duplex, duplexPair } from 'node:stream'
import { hypervisorUnreachable } from './outages.ts'
import type { RemoteSimulatorOptions } from './remote-simulator.ts'
import { eachLine, outageOf, Said, sendLine } from './simulator-wire.ts'

/** The console of a machine that another process simulates, on a connection of its own. */
export async function remoteConsole(
  { name, server }: RemoteSimulatorOptions,
  { ref, kind }: { ref: string; kind: 'screen' | 'serial' },
  signal: AbortSignal,
): Promise<Duplex> {
  signal.throwIfAborted()
  return new Promise((resolve, reject) => {
    const socket = connect(server)
    const give = (up: () => void) => {
      signal.removeEventListener('abort', cancel)
      up()
    }
    const cancel = () => {
      socket.destroy()
      const reason: unknown = signal.reason
      reject(reason instanceof Error ? reason : new Error('aborted'))
    }
    signal.addEventListener('abort', cancel, { once: true })
    socket.on('error', (error) => give(() => reject(hypervisorUnreachable(name, error))))
    socket.on('close', () => give(() => reject(hypervisorUnreachable(name))))
    const stopReading = eachLine(socket, Said, (said) => {
      const begun = stopReading()
      give(() => {
        if ('answer' in said) {
          if (begun.length > 0) socket.unshift(begun)
          resolve(carriedBy(socket))
          return
        }
        socket.destroy()
        reject('outage' in said ? outageOf(said.outage) : new Error(said.mistake))
      })
    })
    sendLine(socket, { id: 1, ask: { call: 'console', ref, kind } })
  })
}

/** A stream that nobody has begun to read: one that was paused does not begin by itself. */
function carriedBy(socket: Socket): Duplex {
  const [outside, inside] = duplexPair()
  outside.on('close', () => socket.destroy())
  socket.on('close', () => outside.destroy())
  socket.pipe(inside).pipe(socket)
  return outside
}
