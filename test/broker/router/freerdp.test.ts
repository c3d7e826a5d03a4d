import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeRdp, rdpFile } from '../../../broker/rdp-file.ts'
import { connectionConfirm, parseGreeting } from '../../../broker/router/greeting.ts'
import { openRouter, type Router } from '../../../broker/router/listener.ts'
import { fingerprintOf, loadBalanceInfo, ticketFor, ticketIn } from '../../../broker/ticket.ts'
import { Refusal } from '../../../src/base/errors.ts'
import { silentLog } from '../../../src/base/log.ts'
import { component } from '../../components.ts'
import { aPool } from '../samples.ts'
import { openStubHost, type StubHost } from './wire.ts'

const freerdp = await component('freerdp', { install: true })
const xvfb = await component('xvfb', { install: true })
const missing = [freerdp, xvfb].flatMap((part) => (part.available ? [] : [part.remedy]))
const ticket = ticketFor('key', { id: 'L-1', nonce: 'n1' })

describe.skipIf(missing.length > 0)(`a real FreeRDP client ${missing.join(' && ')}`, () => {
  let folder: string
  let screen: { display: string; stop: () => void }
  let host: StubHost
  let router: Router
  const tokens: (string | null)[] = []
  const requests: Buffer[] = []

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'freerdp-'))
    screen = await openScreen()
    host = await openStubHost(async (end) => {
      requests.push(await end.has(19))
      end.socket.end(connectionConfirm(0))
    })
    router = await openRouter({
      host: '127.0.0.1',
      port: 0,
      log: silentLog,
      now: Date.now,
      find: async ({ routingToken }) => {
        tokens.push(routingToken)
        const known = fingerprintOf(ticketIn(routingToken) ?? '') === fingerprintOf(ticket)
        if (!known) throw new Refusal('unknown_ticket', 'Nobody knows this ticket.')
        return { lease: 'L-1', target: host.target }
      },
      connected: async () => undefined,
      disconnected: async () => undefined,
    })
  })
  afterAll(async () => {
    await router.shutdown()
    await host.close()
    screen.stop()
    await rm(folder, { recursive: true })
  })

  /** Opens a file as a person would; resolves when the client has given up. */
  async function open(token: string, encoding: 'utf-16le' | 'utf-8'): Promise<void> {
    const path = join(folder, `${encoding}.rdp`)
    const facts = { address: `127.0.0.1:${router.port}`, user: 'alice', ticket: token, allowed: aPool().rdp }
    await writeFile(path, encodeRdp(rdpFile(facts), encoding))
    const client = spawn(freerdp.available ? freerdp.path : '', [path, '/p:none', '/cert:ignore'], {
      env: { ...process.env, DISPLAY: screen.display, HOME: folder },
      stdio: 'ignore',
    })
    await once(client, 'exit')
  }

  test.each(['utf-16le', 'utf-8'] as const)(
    'brings our token from a file in %s through the router, and its request to the desktop',
    async (encoding) => {
      tokens.length = 0
      requests.length = 0

      await open(ticket, encoding)

      expect(new Set(tokens)).toEqual(new Set([loadBalanceInfo(ticket)]))
      expect(parseGreeting(requests[0] ?? Buffer.alloc(0))).toMatchObject({
        kind: 'greeting',
        routingToken: loadBalanceInfo(ticket),
        requestedProtocols: 3,
        pcb: null,
      })
    },
  )

  test('gives up when its token is refused, and never reaches the desktop', async () => {
    tokens.length = 0
    const dials = host.dials()
    const stranger = ticketFor('another key', { id: 'L-1', nonce: 'n1' })

    await open(stranger, 'utf-16le')

    expect(tokens[0]).toBe(loadBalanceInfo(stranger))
    expect(host.dials()).toBe(dials)
  })
})

/** A screen on whatever display number is free. */
async function openScreen(): Promise<{ display: string; stop: () => void }> {
  const path = xvfb.available ? xvfb.path : ''
  const server = spawn(path, ['-displayfd', '1', '-screen', '0', '800x600x24', '-nolisten', 'tcp'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const number = await new Promise<string>((resolve) =>
    server.stdout.once('data', (said) => resolve(String(said))),
  )
  return { display: `:${number.trim()}`, stop: () => server.kill() }
}
