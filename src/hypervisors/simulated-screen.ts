import { type Duplex, duplexPair } from 'node:stream'
import type { SimulatedMachine } from './simulated-machine.ts'
import {
  type Area,
  drawn,
  height,
  inFormat,
  type PixelFormat,
  usualFormat,
  width,
} from './simulated-picture.ts'

/**
 * The screen of a simulated machine: a small RFB server (RFC 6143, version 3.8, security type None) that shows what it is,
 * and what is typed. Only pictures that are asked for are sent, and of those only what has changed.
 */
export function simulatedScreen({ name }: Pick<SimulatedMachine, 'name'>): Duplex {
  const [outside, inside] = duplexPair()
  outside.on('close', () => inside.destroy())
  inside.on('close', () => outside.destroy())
  inside.on('error', () => inside.destroy())
  serve(inside, name).catch(() => inside.destroy())
  return outside
}

/** What a guest would have: here a line that was typed, and whether the three keys were pressed. */
interface Guest {
  line: string
  note: string
  held: Set<number>
}

const keysyms = { backspace: 0xff08, enter: 0xff0d, control: 0xffe3, alt: 0xffe9, delete: 0xffff }
const longestLine = 60

async function serve(stream: Duplex, name: string): Promise<void> {
  const take = reader(stream)
  await greet(stream, take, name)
  const guest: Guest = { line: '', note: '', held: new Set() }
  let format = usualFormat
  let asked = false
  let isDrawn = false
  for (;;) {
    const said = await heard(take)
    if (said.kind === 'format') format = said.format
    if (said.kind === 'key') isDrawn = !pressed(guest, said.key, said.down) && isDrawn
    if (said.kind === 'request') {
      asked = true
      // The whole screen is wanted, whatever was sent before.
      if (!said.incremental) stream.write(update(name, guest, format, { top: 0, height }))
      if (!said.incremental) [asked, isDrawn] = [false, true]
    }
    if (asked && !isDrawn) {
      stream.write(update(name, guest, format, typedArea))
      ;[asked, isDrawn] = [false, true]
    }
  }
}

/** Where what is typed stands. */
const typedArea: Area = { top: 250, height: 110 }

/** The handshake (RFC 6143, 7.1 to 7.3). @throws Error for one that is not RFB 3.8. */
async function greet(stream: Duplex, take: Take, name: string): Promise<void> {
  stream.write('RFB 003.008\n')
  const version = (await take(12)).toString('latin1')
  if (version !== 'RFB 003.008\n') throw new Error('another version')
  const none = 1
  stream.write(Buffer.from([1, none]))
  if ((await take(1)).readUInt8() !== none) throw new Error('another security type')
  stream.write(Buffer.from([0, 0, 0, 0]))
  await take(1)
  const title = Buffer.from(`${name} (simulated)`)
  const init = Buffer.alloc(24)
  init.writeUInt16BE(width, 0)
  init.writeUInt16BE(height, 2)
  written(usualFormat).copy(init, 4)
  init.writeUInt32BE(title.length, 20)
  stream.write(Buffer.concat([init, title]))
}

type Heard =
  | { kind: 'format'; format: PixelFormat }
  | { kind: 'request'; incremental: boolean }
  | { kind: 'key'; key: number; down: boolean }
  | { kind: 'other' }

/** One message of the client (RFC 6143, 7.5). @throws Error for one that is not known. */
async function heard(take: Take): Promise<Heard> {
  const type = (await take(1)).readUInt8()
  switch (type) {
    case 0:
      return { kind: 'format', format: formatOf((await take(19)).subarray(3)) }
    case 2:
      await take((await take(3)).readUInt16BE(1) * 4)
      return { kind: 'other' }
    case 3:
      return { kind: 'request', incremental: (await take(9)).readUInt8() !== 0 }
    case 4: {
      const bytes = await take(7)
      return { kind: 'key', down: bytes.readUInt8() !== 0, key: bytes.readUInt32BE(3) }
    }
    case 5:
      await take(5)
      return { kind: 'other' }
    case 6:
      await take(Math.min((await take(7)).readUInt32BE(3), 1 << 20))
      return { kind: 'other' }
    default:
      throw new Error(`message ${type}`)
  }
}

/** What a key does. Returns whether the picture is another one now. */
function pressed(guest: Guest, key: number, down: boolean): boolean {
  if (!down) {
    guest.held.delete(key)
    return false
  }
  guest.held.add(key)
  if ([keysyms.control, keysyms.alt, keysyms.delete].every((one) => guest.held.has(one))) {
    guest.note = 'Ctrl-Alt-Del was pressed.'
    return true
  }
  if (key === keysyms.enter) {
    guest.note = guest.line === '' ? '' : `You typed: ${guest.line}`
    guest.line = ''
    return true
  }
  if (key === keysyms.backspace) guest.line = guest.line.slice(0, -1)
  else if (isLetter(key) && guest.line.length < longestLine) guest.line += String.fromCharCode(key)
  else return false
  return true
}

/** Latin-1, in which keysyms are as in Unicode. */
function isLetter(key: number): boolean {
  return (key >= 0x20 && key <= 0x7e) || (key >= 0xa0 && key <= 0xff)
}

/** A rectangle of the whole width, raw (RFC 6143, 7.6.1 and 7.7.1). */
function update(name: string, { line, note }: Guest, format: PixelFormat, area: Area): Buffer {
  const head = Buffer.alloc(16)
  head.writeUInt16BE(1, 2)
  head.writeUInt16BE(area.top, 6)
  head.writeUInt16BE(width, 8)
  head.writeUInt16BE(area.height, 10)
  return Buffer.concat([head, inFormat(drawn({ name, line, note }), area, format)])
}

/** PIXEL_FORMAT (RFC 6143, 7.4). @throws Error for one with a palette, which we have not. */
function formatOf(bytes: Buffer): PixelFormat {
  const [bits = 0, , bigEndian = 0, trueColour = 0] = bytes
  if (trueColour === 0 || ![8, 16, 32].includes(bits)) throw new Error('another pixel format')
  const max = (at: number) => bytes.readUInt16BE(at)
  const shift = (at: number) => bytes.readUInt8(at) & 31
  return {
    ...{ bits, bigEndian: bigEndian !== 0 },
    max: [max(4), max(6), max(8)],
    shift: [shift(10), shift(11), shift(12)],
  }
}

function written({ bits, bigEndian, max, shift }: PixelFormat): Buffer {
  const bytes = Buffer.from([bits, 24, bigEndian ? 1 : 0, 1, 0, 0, 0, 0, 0, 0, ...shift, 0, 0, 0])
  max.forEach((value, index) => bytes.writeUInt16BE(value, 4 + index * 2))
  return bytes
}

/** Takes so many bytes off a stream. Rejects at its end. */
type Take = (count: number) => Promise<Buffer>

function reader(stream: Duplex): Take {
  const chunks: AsyncIterator<Buffer, undefined> = stream[Symbol.asyncIterator]()
  let rest = Buffer.alloc(0)
  return async (count) => {
    while (rest.length < count) {
      const next = await chunks.next()
      if (next.done === true) throw new Error('the end')
      rest = Buffer.concat([rest, next.value])
    }
    const taken = rest.subarray(0, count)
    rest = rest.subarray(count)
    return taken
  }
}
