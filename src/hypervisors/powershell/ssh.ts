import { createHash, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import ssh2, { type Client, type ClientChannel, type ConnectConfig } from 'ssh2'
import { gate } from './gate.ts'
import { hostUnreachable, refused } from '../outages.ts'

export interface SshOptions {
  /** The name of the host in the site's file, for people. */
  name: string
  address: string
  port: number
  /** `SHA256:` and the base64 of the key's digest. A host that shows another key is not talked to. */
  fingerprint: string
  user: string
  /** A private key as OpenSSH writes it. */
  key?: string
  passphrase?: string
  password?: string
}

/** A Windows server behind SSH (RFC 4254). */
export interface Remote {
  readonly name: string
  /**
   * Runs a command, writes `input` to it, and gives what it wrote, line by line, until it ends.
   * Once the signal is aborted the command is killed, its channel closed, and this rejects with the signal's reason.
   * @throws Outage `host_unreachable` (transient), or `hypervisor_refused` when it shows another key or refuses us.
   */
  run(command: string, input: string, signal: AbortSignal, line: (text: string) => void): Promise<void>
  /** Starts a command and gives its input and output as one stream, which whoever asked destroys. */
  open(command: string, signal: AbortSignal): Promise<Duplex>
  close(): void
}

const timings = { readyTimeout: 10_000, keepaliveInterval: 10_000, keepaliveCountMax: 3 }

/** OpenSSH allows ten sessions on a connection (`MaxSessions`); a few are left for streams, which last. */
const callsAtOnce = 6

/** One connection for all calls, made when it is needed and made anew after it was lost. */
export function openSsh(options: SshOptions): Remote {
  const turns = gate(callsAtOnce)
  let dialled: Promise<Client> | undefined
  let isClosed = false

  function connection(): Promise<Client> {
    if (isClosed) throw hostUnreachable(options.name)
    if (dialled !== undefined) return dialled
    const made = dial(options, () => {
      if (dialled === made) dialled = undefined
    })
    dialled = made
    // Whoever waits for it is told; it is kept only as long as it may still become a connection.
    made.catch(() => {
      if (dialled === made) dialled = undefined
    })
    return made
  }

  async function channel(command: string, signal: AbortSignal): Promise<ClientChannel> {
    const client = await abortable(connection(), signal)
    return abortable(exec(client, command, options.name), signal, (late) => end(late))
  }

  return {
    name: options.name,
    async run(command, input, signal, line) {
      signal.throwIfAborted()
      const leave = await turns.enter(signal)
      try {
        await talk(await channel(command, signal), { name: options.name, input, signal, line })
      } finally {
        leave()
      }
    },
    async open(command, signal) {
      signal.throwIfAborted()
      return channel(command, signal)
    },
    close() {
      isClosed = true
      dialled?.then(
        (client) => client.end(),
        () => undefined,
      )
    },
  }
}

function dial(options: SshOptions, lost: () => void): Promise<Client> {
  const { name, address, port, user } = options
  const client = new ssh2.Client()
  let shown = ''
  const config: ConnectConfig = {
    ...{ ...timings, host: address, port, username: user },
    ...(options.key === undefined ? {} : { privateKey: options.key }),
    ...(options.passphrase === undefined ? {} : { passphrase: options.passphrase }),
    ...(options.password === undefined ? {} : { password: options.password }),
    hostVerifier: (key: Buffer) => {
      shown = fingerprintOf(key)
      return isSame(shown, options.fingerprint)
    },
  }
  return new Promise((resolve, reject) => {
    // Questions and answers are short: waiting to send more at once would double the time of each.
    client.once('ready', () => resolve(client.setNoDelay()))
    client.on('error', (error) => {
      if (shown !== '' && !isSame(shown, options.fingerprint)) reject(otherKey(name, shown))
      else if (error.level === 'client-authentication') reject(notLetIn(name, user))
      else reject(hostUnreachable(name, error))
    })
    client.once('close', () => {
      lost()
      reject(hostUnreachable(name))
    })
    try {
      client.connect(config)
    } catch (error) {
      reject(refused(`The key for SSH to ${name} cannot be read: ${messageOfKey(error)}.`))
    }
  })
}

function messageOfKey(error: unknown): string {
  return error instanceof Error && /passphrase|encrypted/i.test(error.message)
    ? 'its passphrase is missing or wrong'
    : 'it is no private key as OpenSSH writes it'
}

function otherKey(name: string, shown: string) {
  return refused(
    `Host ${name} showed the key ${shown}, which is not the one in the site's file. It was not talked to; if the host has a new key, put its fingerprint there.`,
  )
}

function notLetIn(name: string, user: string) {
  return refused(`Host ${name} does not let ${user} in over SSH. Its account or key needs mending.`)
}

function fingerprintOf(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`
}

function isSame(one: string, other: string): boolean {
  return one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other))
}

function exec(client: Client, command: string, name: string): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    const lost = () => reject(hostUnreachable(name))
    client.once('close', lost)
    try {
      client.exec(command, (error, channel) => {
        client.off('close', lost)
        if (error === undefined) resolve(channel)
        else reject(hostUnreachable(name, error))
      })
    } catch (error) {
      client.off('close', lost)
      reject(hostUnreachable(name, error))
    }
  })
}

interface Talk {
  name: string
  input: string
  signal: AbortSignal
  line: (text: string) => void
}

/** Standard input stays open to the end: the other side takes its end for ours. */
async function talk(channel: ClientChannel, { name, input, signal, line }: Talk): Promise<void> {
  const stop = () => end(channel)
  signal.addEventListener('abort', stop)
  const closed = once(channel, 'close')
  channel.on('error', () => undefined)
  channel.stderr.resume()
  try {
    if (signal.aborted) stop()
    eachLine(channel, line)
    channel.write(input)
    await closed
    signal.throwIfAborted()
  } catch (error) {
    signal.throwIfAborted()
    throw hostUnreachable(name, error)
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

function eachLine(channel: ClientChannel, line: (text: string) => void): void {
  let begun = ''
  channel.setEncoding('utf8')
  channel.on('data', (chunk: string) => {
    const [rest = '', ...more] = chunk.split('\n')
    begun += rest
    for (const next of more) {
      line(begun.replace(/\r$/, ''))
      begun = next
    }
  })
}

/** A closed channel alone would leave a program running that neither reads nor writes. */
function end(channel: ClientChannel): void {
  try {
    channel.signal('KILL')
  } catch {
    // It has ended meanwhile.
  }
  channel.close()
}

/** Waits no longer than the signal allows; what comes after that is handed to `late`. */
export function abortable<T>(
  work: Promise<T>,
  signal: AbortSignal,
  late: (value: T) => void = () => undefined,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      const reason: unknown = signal.reason
      reject(reason instanceof Error ? reason : new Error('aborted'))
      work.then(late, () => undefined)
    }
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })
}
