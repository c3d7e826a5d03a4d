import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { Duplex, type Readable, type Writable } from 'node:stream'
import { hostUnreachable, hypervisorUnreachable, refused } from '../outages.ts'
import { environment } from '../command.ts'
import type { Found } from './farm.ts'
import { connection } from './virsh.ts'

/** The screen, which listens on the loopback of the machine's host: reached there, or through ssh. */
export async function screenOf({ at, uuid, ref }: Found, signal: AbortSignal): Promise<Duplex> {
  const { texts } = await at.ask(signal, [`domdisplay ${uuid} --type vnc`])
  const [, number] = /^vnc:\/\/(?:127\.0\.0\.1|localhost):(\d{1,5})$/.exec(texts[0]?.trim() ?? '') ?? []
  if (number === undefined) throw refused(`Machine ${ref} has no screen that can be reached.`)
  const port = 5900 + Number(number)
  const { transport, login } = locate(at.host.uri)
  if (transport === 'local') return connected(port, at.host.name, signal)
  if (transport !== 'ssh') throw refused(`Screens of host ${at.host.name} can be reached over ssh only.`)
  const words = ['-o', 'BatchMode=yes', '-W', `127.0.0.1:${port}`, ...login]
  return streamOf('ssh', words, signal)
}

/**
 * The serial line, by `virsh console`, which wants a terminal: `script` gives it one. The line of the shell has only the
 * connection of the site's file, which cannot hold a quote, and a UUID. `setsid` takes the terminal's control away, over
 * which a helper of polkit would ask for passwords.
 */
export async function serialOf({ at, uuid, ref }: Found, signal: AbortSignal): Promise<Duplex> {
  const line = `exec setsid -w virsh -c '${connection(at.host.uri)}' console ${uuid} --force`
  const stream = await streamOf('script', ['-q', '-f', '-E', 'never', '-c', line, '/dev/null'], signal)
  try {
    await greeted(stream, ref, signal)
    // Having said that it is connected, virsh throws away once what was typed before.
    await pause(settlingMillis, undefined, { signal })
    return stream
  } catch (error) {
    stream.destroy()
    signal.throwIfAborted()
    throw error
  }
}

const settlingMillis = 150
const greeting = /Escape character is [^\n]*\n/

/** Takes away what virsh says itself before the line is the machine's. */
async function greeted(stream: Duplex, ref: string, signal: AbortSignal): Promise<void> {
  let said = ''
  for (;;) {
    const end = greeting.exec(said)
    if (end !== null) {
      const rest = said.slice(end.index + end[0].length)
      if (rest !== '') stream.unshift(Buffer.from(rest, 'latin1'))
      return
    }
    if (stream.readableEnded || said.length > 4000)
      throw refused(`The serial line of ${ref} cannot be opened.`)
    const bytes: unknown = stream.read()
    if (bytes instanceof Buffer) said += bytes.toString('latin1')
    else await Promise.race([once(stream, 'readable', { signal }), once(stream, 'end', { signal })])
  }
}

/** How a connection gets to its host, and the words by which ssh would. */
export function locate(uri: string): { transport: 'local' | 'ssh' | 'other'; login: string[] } {
  const { protocol, hostname, username, port, searchParams } = new URL(uri)
  const [, way = ''] = /\+(\w+):$/.exec(protocol) ?? []
  if (way === 'ssh') {
    const user = username === '' ? [] : ['-l', decodeURIComponent(username)]
    const key = searchParams.get('keyfile')
    const login = [...user, ...(port === '' ? [] : ['-p', port]), ...(key === null ? [] : ['-i', key])]
    return { transport: 'ssh', login: [...login, '--', hostname] }
  }
  return { transport: hostname === '' ? 'local' : 'other', login: [] }
}

async function connected(port: number, host: string, signal: AbortSignal): Promise<Duplex> {
  const socket = connect({ port, host: '127.0.0.1' })
  try {
    await once(socket, 'connect', { signal })
    return socket
  } catch (error) {
    socket.destroy()
    signal.throwIfAborted()
    throw hostUnreachable(host, error)
  }
}

/** A program's input and output as one stream. Closing the stream ends the program at once, with nothing more said to it. */
async function streamOf(program: string, words: readonly string[], signal: AbortSignal): Promise<Duplex> {
  const child = spawn(program, words, { stdio: ['pipe', 'pipe', 'ignore'], env: environment() })
  try {
    await once(child, 'spawn', { signal })
  } catch (error) {
    child.kill('SIGKILL')
    signal.throwIfAborted()
    throw hypervisorUnreachable(program, error)
  }
  return joined(child)
}

function joined(child: ChildProcessByStdio<Writable, Readable, null>): Duplex {
  const { stdin, stdout } = child
  const stream = new Duplex({
    read: () => stdout.resume(),
    write: (bytes, _encoding, done) => stdin.write(bytes, done),
    // To a terminal the end of input is a key that may log somebody off.
    final: (done) => {
      child.kill('SIGKILL')
      done()
    },
    destroy(error, done) {
      child.kill('SIGKILL')
      done(error)
    },
  })
  stdout.on('data', (bytes: Buffer) => {
    if (!stream.push(bytes)) stdout.pause()
  })
  stdout.on('end', () => stream.push(null))
  stdin.on('error', () => stream.destroy())
  return stream
}
