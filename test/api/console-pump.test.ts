import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { Duplex } from 'node:stream'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { pump } from '../../src/api/console-pump.ts'

let server: Server
let browser: WebSocket
let socket: WebSocket
beforeEach(async () => {
  server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const connected = new Promise<WebSocket>((resolve) => {
    new WebSocketServer({ server }).once('connection', resolve)
  })
  const address = server.address()
  browser = new WebSocket(`ws://127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}`)
  await once(browser, 'open')
  socket = await connected
})
afterEach(async () => {
  browser.terminate()
  socket.terminate()
  await new Promise((resolve) => server.close(resolve))
})

const chunk = Buffer.alloc(64 * 1024, 7)

test('a browser that does not read stops its machine from being read, and goes on where it was', async () => {
  const total = 64 << 20
  let given = 0
  const machine = new Duplex({
    read() {
      given += chunk.length
      machine.push(given > total ? null : chunk)
    },
    write: (_chunk, _encoding, done) => done(),
  })
  let taken = 0
  browser.on('message', (data) => (taken += Buffer.isBuffer(data) ? data.length : 0))
  browser.pause()

  const ended = pump(socket, machine)
  await vi.waitUntil(() => machine.isPaused())
  const whenStopped = given
  browser.resume()

  expect(await ended).toBe('machine')
  await vi.waitUntil(() => taken === total)
  expect(whenStopped).toBeLessThan(total / 2)
})

test('a machine that takes nothing stops its browser from being heard, and then gets all of it', async () => {
  const total = 8 << 20
  let taken = 0
  let isOpen = false
  const waiting: (() => void)[] = []
  const machine = new Duplex({
    read: () => undefined,
    write(bytes: Buffer, _encoding, done) {
      taken += bytes.length
      if (isOpen) done()
      else waiting.push(done)
    },
  })

  void pump(socket, machine)
  for (let sent = 0; sent < total; sent += chunk.length) browser.send(chunk)
  await vi.waitUntil(() => socket.isPaused)
  const whenStopped = taken
  isOpen = true
  waiting.forEach((done) => done())

  await vi.waitUntil(() => taken === total)
  expect(whenStopped).toBeLessThan(total / 2)
})

test('words where bytes belong end it', async () => {
  const machine = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() })

  const ended = pump(socket, machine)
  browser.send('hello')

  expect(await ended).toBe('misspoken')
})

test('whoever closes the page lets go of the machine', async () => {
  const machine = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() })

  const ended = pump(socket, machine)
  browser.close()

  expect(await ended).toBe('browser')
  expect(machine.destroyed).toBe(true)
})
