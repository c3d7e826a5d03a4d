import type { Duplex } from 'node:stream'
import { once } from 'node:events'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { simulatedScreen } from '../../src/hypervisors/simulated-screen.ts'

let screen: Duplex
beforeEach(() => {
  screen = simulatedScreen({ name: 'webafs20' })
})
afterEach(() => screen.destroy())

async function take(count: number): Promise<Buffer> {
  for (;;) {
    const taken: unknown = screen.read(count)
    if (Buffer.isBuffer(taken)) return taken
    await once(screen, 'readable')
  }
}

/** The handshake of RFC 6143, 7.1 to 7.3, up to what the server says of itself. */
async function greeted(): Promise<{ width: number; height: number; title: string }> {
  expect((await take(12)).toString()).toBe('RFB 003.008\n')
  screen.write('RFB 003.008\n')
  expect(await take(2)).toEqual(Buffer.from([1, 1]))
  screen.write(Buffer.from([1]))
  expect(await take(4)).toEqual(Buffer.alloc(4))
  screen.write(Buffer.from([1]))
  const init = await take(24)
  const title = (await take(init.readUInt32BE(20))).toString()
  return { width: init.readUInt16BE(0), height: init.readUInt16BE(2), title }
}

function ask(incremental: boolean): void {
  screen.write(Buffer.from([3, incremental ? 1 : 0, 0, 0, 0, 0, 2, 128, 1, 144]))
}

function press(keysym: number): void {
  for (const down of [1, 0]) {
    const message = Buffer.from([4, down, 0, 0, 0, 0, 0, 0])
    message.writeUInt32BE(keysym, 4)
    screen.write(message)
  }
}

/** One update, of one raw rectangle. */
async function update(bytes = 4): Promise<{ top: number; height: number; pixels: Buffer }> {
  const head = await take(16)
  const [top, width, height] = [head.readUInt16BE(6), head.readUInt16BE(8), head.readUInt16BE(10)]
  return { top, height, pixels: await take(width * height * bytes) }
}

test('says what it is, and shows all of itself to whoever asks', async () => {
  expect(await greeted()).toEqual({ width: 640, height: 400, title: 'webafs20 (simulated)' })

  ask(false)

  const { top, height, pixels } = await update()
  expect({ top, height }).toEqual({ top: 0, height: 400 })
  expect(new Set(pixels).size).toBeGreaterThan(50)
})

test('sends what has changed once it changes, and no more', async () => {
  await greeted()
  ask(false)
  await update()

  ask(true)
  press(0x61)

  const { top, height } = await update()
  expect(top).toBeGreaterThan(0)
  expect(height).toBeLessThan(200)
  ask(true)
  ask(false)
  expect((await update()).height).toBe(400)
})

test('writes pixels as the client wants them', async () => {
  await greeted()
  const rgb565 = [16, 16, 0, 1, 0, 31, 0, 63, 0, 31, 11, 5, 0, 0, 0, 0]
  screen.write(Buffer.from([0, 0, 0, 0, ...rgb565]))

  ask(false)

  const { pixels } = await update(2)
  // The bar across its top, #2b4a6b.
  expect(pixels.readUInt16LE(0)).toBe((5 << 11) | (18 << 5) | 13)
})

test.each([
  ['another version', 'RFB 003.003\n'],
  ['what is not RFB', 'GET / HTTP/1'],
])('hangs up on %s', async (_what, words) => {
  await take(12)

  screen.write(words)
  screen.resume()

  await once(screen, 'close')
  expect(screen.destroyed).toBe(true)
})
