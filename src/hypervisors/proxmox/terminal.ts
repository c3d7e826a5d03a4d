import { Duplex } from 'node:stream'
import { refused } from '../outages.ts'

const keepAliveMillis = 30_000
const size = { columns: 80, rows: 24 }

/**
 * Signs in to `termproxy`, and gives its terminal as bytes. What goes there is framed: `0:LENGTH:TEXT` is typed,
 * `1:COLUMNS:ROWS:` is the size, `2` keeps it from hanging up; what comes from there is not.
 * @throws Outage `hypervisor_refused` when it is not let in.
 */
export async function signedInTerminal(
  server: Duplex,
  { user, ticket }: { user: string; ticket: string },
): Promise<Duplex> {
  server.write(`${user}:${ticket}\n`)
  const first = await firstOf(server)
  if (!first.subarray(0, 2).equals(Buffer.from('OK'))) throw refused('The serial line does not let us in.')
  server.write(`1:${size.columns}:${size.rows}:`)
  return terminalOf(server, first.subarray(2))
}

function firstOf(server: Duplex): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const over = () => reject(refused('The serial line closed before it had greeted.', { transient: true }))
    server.once('close', over).once('error', over)
    server.once('data', (chunk: Buffer) => {
      server.pause()
      server.off('close', over).off('error', over)
      resolve(chunk)
    })
  })
}

function terminalOf(server: Duplex, first: Buffer): Duplex {
  const beat = setInterval(() => server.write('2'), keepAliveMillis).unref()
  const terminal = new Duplex({
    read: () => void server.resume(),
    write(chunk: Buffer, _encoding, done) {
      server.write(Buffer.concat([Buffer.from(`0:${chunk.length}:`), chunk]), done)
    },
    final(done) {
      server.end(done)
    },
    destroy(error, done) {
      clearInterval(beat)
      server.destroy()
      done(error)
    },
  })
  server.on('data', (chunk: Buffer) => {
    if (!terminal.push(chunk)) server.pause()
  })
  server.once('end', () => terminal.push(null)).once('close', () => terminal.destroy())
  server.once('error', () => terminal.destroy())
  if (first.length > 0) terminal.push(first)
  return terminal
}
