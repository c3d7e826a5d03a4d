import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { webhookRegistrar, WebhookRule } from '../../src/registration/webhook.ts'
import { freePort } from '../service/process.ts'

const secret = 'a secret that both sides know'
const now = '2026-11-23T08:00:00.000Z'
const entry = { name: 'web1', ref: 'vm-1', mac: '02:00:00:00:00:01', address: null, owner: 'alice' }
const Body = z.object({ type: z.string(), data: z.unknown().optional() })

interface Heard {
  id: string
  type: string
  data?: unknown
}

let server: Server
let port: number
let heard: Heard[]
let answer: { status: number; body: string }
beforeEach(async () => {
  ;[heard, answer] = [[], { status: 204, body: '' }]
  server = createServer((request, response) => {
    void text(request).then((body) => {
      const [id, at] = ['webhook-id', 'webhook-timestamp'].map((name) => String(request.headers[name]))
      const signed = createHmac('sha256', secret).update(`${id}.${at}.${body}`).digest('base64')
      const isTrue = request.headers['webhook-signature'] === `v1,${signed}`
      if (!isTrue || at !== String(Date.parse(now) / 1000)) return response.writeHead(401).end()
      heard.push({ id: id ?? '', ...Body.parse(JSON.parse(body)) })
      return response.writeHead(answer.status).end(answer.body)
    })
  })
  port = await freePort()
  await once(server.listen(port, '127.0.0.1'), 'listening')
})
afterEach(() => new Promise<void>((resolve) => void server.close(() => resolve())))

const signal = () => AbortSignal.timeout(10_000)

function ours(key = secret) {
  const url = `http://127.0.0.1:${port}/registration`
  const rule = WebhookRule.parse({ kind: 'webhook', url, secret: { env: 'HOOK' } })
  return webhookRegistrar(rule, key, { now: () => now })
}

describe('whoever registers machines', () => {
  test('is told each thing signed, under an id that is the same when it comes again', async () => {
    await ours().register(entry, signal())
    await ours().register(entry, signal())
    await ours().locate({ ...entry, address: '10.0.0.7', formerly: null }, signal())
    await ours().deregister({ ...entry, address: '10.0.0.7' }, signal())

    expect(heard.map(({ id }) => id)).toEqual([
      'machine.register:vm-1:',
      'machine.register:vm-1:',
      'machine.locate:vm-1:10.0.0.7',
      'machine.deregister:vm-1:10.0.0.7',
    ])
    expect(heard[0]).toMatchObject({ type: 'machine.register', data: entry })
  })

  test('may give the address', async () => {
    answer = { status: 200, body: '{"address": "10.0.0.7"}' }

    await expect(ours().register(entry, signal())).resolves.toEqual({ address: '10.0.0.7' })
  })

  test.each([
    [204, '', null],
    [200, 'thanks', null],
    [200, '{"address": "not an address"}', null],
  ])('may say yes in any words: %i %s', async (status, body, address) => {
    answer = { status, body }

    await expect(ours().register(entry, signal())).resolves.toEqual({ address })
  })

  test.each([
    [200, '{"refused": "The network is full."}', 'refuses it: The network is full.'],
    [409, '{"refused": "web1 is a printer"}', 'refuses it: web1 is a printer.'],
    [403, 'no', 'refuses it: it answers 403.'],
    [409, '{"refused": "two\\nlines"}', 'refuses it: it answers 409.'],
  ])('may refuse, with a reason: %i %s', async (status, body, words) => {
    answer = { status, body }

    const outcome = ours().register(entry, signal())

    await expect(outcome).rejects.toThrow(words)
    await expect(outcome).rejects.toMatchObject({ code: 'registration_refused', transient: false })
  })

  test.each([500, 503, 429])('may be in trouble, and is asked again: %i', async (status) => {
    answer = { status, body: '' }

    await expect(ours().register(entry, signal())).rejects.toMatchObject({
      ...{ code: 'registration_unreachable', transient: true },
    })
  })

  test('refuses what was signed with another secret', async () => {
    const other = ours('another secret, long enough')

    await expect(other.register(entry, signal())).rejects.toMatchObject({ code: 'registration_refused' })
    expect(heard).toEqual([])
  })

  test('is sent nothing of anybody when it is tried', async () => {
    await ours().check(signal())

    expect(heard).toEqual([{ id: 'ping', type: 'ping' }])
  })

  test('may not be there', async () => {
    server.close()

    await expect(ours().check(signal())).rejects.toMatchObject({ code: 'registration_unreachable' })
    await once(server.listen(port, '127.0.0.1'), 'listening')
  })
})

test('a secret that is too short to be one is refused without being shown', () => {
  expect(() => ours('short')).toThrow(/shorter than 24 characters/)
})
