import { once } from 'node:events'
import type { Socket } from 'node:net'
import { expect, test } from 'vitest'
import { openRouter } from '../../../broker/router/listener.ts'
import { silentLog } from '../../../src/base/log.ts'
import { request } from './packets.ts'
import { dial, openStubHost } from './wire.ts'

const many = 2_000
const hello = request('Cookie: msts=good\r\n', '0100080003000000')

test(`${many} idle connections are kept, heard when they speak again, and closed in one go`, async () => {
  const host = await openStubHost(({ socket }) => socket.on('data', (bytes: Buffer) => socket.write(bytes)))
  let [connected, disconnected] = [0, 0]
  const router = await openRouter({
    ...{ host: '127.0.0.1', port: 0, log: silentLog, now: Date.now },
    find: async () => ({ lease: 'L-1', target: host.target }),
    connected: async () => void (connected += 1),
    disconnected: async () => void (disconnected += 1),
  })
  const clients: Socket[] = []
  while (clients.length < many) {
    const batch = await Promise.all(Array.from({ length: 100 }, () => dial(router.port, hello)))
    await Promise.all(batch.map(({ has }) => has(hello.length / 2)))
    clients.push(...batch.map(({ socket }) => socket))
  }

  const sessions = await router.sessions()
  const sample = clients.filter((_, index) => index % 100 === 0)
  const heard = Promise.all(sample.map((socket) => once(socket, 'data')))
  for (const socket of sample) socket.write('still here')
  await heard
  const cut = await router.close('L-1', 'revoked')
  await router.shutdown()
  await host.close()

  expect(sessions).toHaveLength(many)
  expect([connected, cut, disconnected]).toEqual([many, many, many])
})
