import { createCipheriv } from 'node:crypto'
import { Duplex } from 'node:stream'
import { refused } from '../outages.ts'

const version = 'RFB 003.008\n'
const security = { none: 1, vnc: 2 } as const

/** Bytes as they are asked for, from a stream that gives them as it likes. */
class Reader {
  readonly #parts: AsyncIterator<Buffer, undefined>
  #kept: Buffer = Buffer.alloc(0)

  constructor(stream: Duplex) {
    const iterator: AsyncIterator<unknown, unknown> = stream.iterator({ destroyOnReturn: false })
    this.#parts = {
      async next() {
        const { done, value } = await iterator.next()
        return done === true ? { done: true, value: undefined } : { done: false, value: bytesOf(value) }
      },
    }
  }

  async take(count: number): Promise<Buffer> {
    while (this.#kept.length < count) this.#kept = Buffer.concat([this.#kept, await this.#more()])
    const taken = this.#kept.subarray(0, count)
    this.#kept = this.#kept.subarray(count)
    return taken
  }

  /** What has come beyond what was asked for, and everything after. */
  async *rest(): AsyncGenerator<Buffer> {
    if (this.#kept.length > 0) yield this.#kept
    for (;;) {
      const { done, value } = await this.#parts.next()
      if (done === true) return
      yield value
    }
  }

  async #more(): Promise<Buffer> {
    const { done, value } = await this.#parts.next()
    if (done === true) throw refused('The console closed before it had greeted.', { transient: true })
    return value
  }
}

function bytesOf(value: unknown): Buffer {
  return value instanceof Uint8Array
    ? Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    : Buffer.alloc(0)
}

/**
 * Signs in to an RFB server (RFC 6143 §7.1) with a password, and gives a stream on which whoever looks finds a server
 * that asks for none: they have been let in by us, and must not learn the password.
 * @throws Outage `hypervisor_refused` when it is not let in.
 */
export async function signedInScreen(server: Duplex, password: string): Promise<Duplex> {
  const reader = new Reader(server)
  await signIn(server, reader, password)
  return greeting(server, reader)
}

async function signIn(server: Duplex, reader: Reader, password: string): Promise<void> {
  const said = (await reader.take(version.length)).toString('latin1')
  if (!said.startsWith('RFB 003.')) throw refused('What answered is not a screen.')
  server.write(version)
  const [count = 0] = await reader.take(1)
  if (count === 0) throw refused(`The screen refuses: ${await reasonFrom(reader)}`)
  const types = [...(await reader.take(count))]
  const type = [security.none, security.vnc].find((one) => types.includes(one))
  if (type === undefined) throw refused('The screen wants a sign-in that is not known here.')
  server.write(Buffer.of(type))
  if (type === security.vnc) server.write(vncResponse(await reader.take(16), password))
  if ((await reader.take(4)).readUInt32BE() !== 0)
    throw refused(`The screen refuses: ${await reasonFrom(reader)}`)
}

const longestReason = 500

async function reasonFrom(reader: Reader): Promise<string> {
  const length = Math.min(longestReason, (await reader.take(4)).readUInt32BE())
  return (await reader.take(length)).toString('latin1').replace(/[^\x20-\x7e]/g, ' ')
}

/**
 * The answer to a challenge (RFC 6143 §7.2.2): DES with the first eight characters of the password as its key, the bits
 * of each turned round. Triple DES with one key three times is DES, which OpenSSL 3 does not offer by itself.
 */
export function vncResponse(challenge: Uint8Array, password: string): Buffer {
  const key = Buffer.alloc(8)
  key.write(password.slice(0, 8), 'latin1')
  const turned = key.map(turnedRound)
  const cipher = createCipheriv('des-ede3-ecb', Buffer.concat([turned, turned, turned]), null)
  cipher.setAutoPadding(false)
  return Buffer.concat([cipher.update(challenge), cipher.final()])
}

function turnedRound(octet: number): number {
  let turned = 0
  for (let bit = 0; bit < 8; bit++) turned |= ((octet >> bit) & 1) << (7 - bit)
  return turned
}

/** A stream that greets whoever looks as a server without a password would, and then is the server. */
function greeting(server: Duplex, reader: Reader): Duplex {
  let heard = Buffer.alloc(0)
  let isThrough = false

  function answer(chunk: Buffer): void {
    heard = Buffer.concat([heard, chunk])
    if (heard.length >= version.length && !greeted) offer()
    if (greeted && heard.length > version.length) pass()
  }

  let greeted = false
  let isOld = false
  function offer(): void {
    greeted = true
    // Before 3.7 the server says which security there is, and hears no answer.
    isOld = heard.toString('latin1', 0, version.length) < 'RFB 003.007'
    if (isOld) {
      viewer.push(Buffer.of(0, 0, 0, security.none))
      letThrough(version.length)
    } else viewer.push(Buffer.of(1, security.none))
  }

  /** 3.8 tells that it went well; 3.7 says nothing when there was nothing to prove. */
  function pass(): void {
    if (isThrough) return
    if (heard[version.length] !== security.none) {
      // Chosen was what was not on offer.
      viewer.destroy()
      return
    }
    if (heard.toString('latin1', 0, version.length) >= 'RFB 003.008') viewer.push(Buffer.alloc(4))
    letThrough(version.length + 1)
  }

  function letThrough(used: number): void {
    isThrough = true
    const more = heard.subarray(used)
    heard = Buffer.alloc(0)
    if (more.length > 0) server.write(more)
    void pump()
  }

  const flow = reader.rest()
  let wanted = () => {}
  async function pump(): Promise<void> {
    try {
      for await (const part of flow) {
        if (!viewer.push(part)) await new Promise<void>((resolve) => (wanted = resolve))
      }
      viewer.push(null)
    } catch {
      // The server has gone, which whoever looks sees as the end.
      viewer.destroy()
    }
  }

  const viewer = new Duplex({
    read: () => wanted(),
    write(chunk: Buffer, _encoding, done) {
      if (isThrough) {
        server.write(chunk, done)
        return
      }
      answer(chunk)
      done()
    },
    final(done) {
      server.end(done)
    },
    destroy(error, done) {
      server.destroy()
      wanted()
      done(error)
    },
  })
  server.once('error', () => viewer.destroy())
  viewer.push(version)
  return viewer
}
