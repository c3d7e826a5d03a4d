import { Router } from 'express'
import { afterEach, expect, test } from 'vitest'
import { createServer } from 'node:http'
import { clientAddress } from '../../src/api/client-address.ts'
import { httpApp, type HttpServer, listen } from '../../src/api/server.ts'
import { silentLog } from '../../src/base/log.ts'

let server: HttpServer | undefined
afterEach(() => server?.close(0))

/** Where the service thinks that a request comes from which says that it was passed on. */
async function seenFrom(proxies: readonly string[], forwarded: string): Promise<string> {
  const router = Router().get('/', (request, response) => void response.send(request.ip))
  const app = httpApp({
    ...{ site: { publicUrl: 'http://127.0.0.1' }, proxies, log: silentLog },
    readiness: async () => ({ ready: true, degraded: [], parts: {} }),
    faces: [{ path: '/', router }],
  })
  server = await listen(app, { host: '127.0.0.1', port: 0 })
  const answer = await fetch(`http://127.0.0.1:${server.port}/`, {
    headers: { 'X-Forwarded-For': forwarded },
  })
  return answer.text()
}

const cases = [
  { title: 'nobody', proxies: [], forwarded: '10.1.1.1', seen: '127.0.0.1' },
  { title: 'a proxy of the site', proxies: ['127.0.0.1'], forwarded: '10.1.1.1', seen: '10.1.1.1' },
  { title: 'its network', proxies: ['127.0.0.0/8'], forwarded: '10.1.1.1', seen: '10.1.1.1' },
  { title: 'another machine', proxies: ['10.0.0.1'], forwarded: '10.1.1.1', seen: '127.0.0.1' },
  {
    title: 'a proxy, but not what stood there before it',
    ...{ proxies: ['127.0.0.1'], forwarded: '6.6.6.6, 10.1.1.1', seen: '10.1.1.1' },
  },
  {
    title: 'a proxy before a proxy',
    ...{ proxies: ['127.0.0.1', '10.9.0.0/16'], forwarded: '10.1.1.1, 10.9.0.7', seen: '10.1.1.1' },
  },
]

test.each(cases)('where a request comes from is told by $title', async ({ proxies, forwarded, seen }) => {
  const address = await seenFrom(proxies, forwarded)

  expect(address).toBe(seen)
})

/** The same, of a connection that becomes a WebSocket, which express does not see. */
test.each(cases)('where a channel comes from is told by $title', async ({ proxies, forwarded, seen }) => {
  const addressOf = clientAddress(proxies)
  const plain = createServer((request, response) => void response.end(addressOf(request)))
  await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve))
  const address = plain.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0

  const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: { 'X-Forwarded-For': forwarded } })
  const text = await answer.text()
  plain.close()

  expect(text).toBe(seen)
})
