import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { packagePath } from '../../src/base/package-root.ts'
import { request as greeting } from '../broker/router/packets.ts'
import { dial } from '../broker/router/wire.ts'
import { component } from '../components.ts'
import { type Cluster, missingServer, openCluster } from '../store/cluster.ts'
import { callAs } from '../torture/traffic.ts'
import { type Crew, openCrew } from './crew.ts'
import { freePort } from './process.ts'

const [nginx, haproxy] = [
  await component('nginx', { install: true }),
  await component('haproxy', { install: true }),
]
vi.setConfig({ testTimeout: 120_000 })
const eventually = { timeout: 100_000, interval: 50 }
const Opened = z.object({ lease: z.string(), rdp: z.string() })
const Lease = z.object({ terminal: z.object({ name: z.string().nullable() }) })

/** The configuration that the README of the store shows, with other ports. */
async function shown(language: string, ports: ReadonlyMap<number, number>): Promise<string> {
  const readme = await readFile(packagePath('src', 'store', 'README.md'), 'utf8')
  const [, block] = new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``).exec(readme) ?? []
  if (block === undefined) throw new Error(`the README shows no ${language}`)
  return block.replace(/\b(80\d\d|33\d\d)\b/g, (port) => String(ports.get(Number(port)) ?? port))
}

/** Asks from another address of this machine, as a terminal would. */
async function openFrom(address: string, url: string): Promise<z.infer<typeof Opened>> {
  const headers = {
    Authorization: `Basic ${Buffer.from('carol:carol').toString('base64')}`,
    Accept: 'application/json',
  }
  const options = { method: 'POST', headers, localAddress: address }
  const answer = await new Promise<string>((resolve, reject) => {
    const sent = request(`${url}/api/v1/pools/public/open`, options, (response) => resolve(text(response)))
    sent.on('error', reject)
    sent.end()
  })
  return Opened.parse(JSON.parse(answer))
}

const balancers = [
  {
    language: 'nginx',
    component: nginx,
    start: (file: string) => spawn('/usr/sbin/nginx', ['-c', file, '-g', `daemon off; pid ${file}.pid;`]),
  },
  {
    language: 'haproxy',
    component: haproxy,
    start: (file: string) => spawn('/usr/sbin/haproxy', ['-db', '-f', file]),
  },
]

describe.each(balancers)('three processes behind $language', ({ language, component: program, start }) => {
  const missing = missingServer ?? (program.available ? undefined : program.remedy)
  describe.skipIf(missing !== undefined)(
    `as the README shows it${missing === undefined ? '' : ` (needs ${missing})`}`,
    () => {
      let cluster: Cluster
      let crew: Crew
      let balancer: ChildProcess
      let url: string
      let rdpPort: number
      let said = ''

      beforeAll(async () => {
        cluster = await openCluster()
        crew = await openCrew(cluster, (yaml) =>
          yaml.replace(/^http: \{/m, "http: { proxies: ['127.0.0.1'],"),
        )
        const [port, rdp] = [await freePort(), await freePort()]
        const ports = new Map([
          [8080, port],
          [3389, rdp],
          ...crew.members.flatMap((member, n): [number, number][] => [
            [8081 + n, Number(new URL(member.url).port)],
            [3391 + n, member.rdpPort],
          ]),
        ])
        const file = join(crew.site.folder, language)
        await writeFile(file, await shown(language, ports))
        ;[url, rdpPort] = [`http://127.0.0.1:${port}`, rdp]
        balancer = start(file)
        balancer.stderr?.setEncoding('utf8').on('data', (words: string) => (said += words))
        const answers = vi.waitFor(
          async () => expect((await fetch(`${url}/readyz`)).status).toBe(200),
          eventually,
        )
        await Promise.race([answers, once(balancer, 'exit').then(() => Promise.reject(new Error(said)))])
      })
      afterAll(async () => {
        balancer.kill('SIGTERM')
        if (balancer.exitCode === null) await once(balancer, 'exit')
        await crew.dispose()
        await cluster.dispose()
      })

      async function budgets(): Promise<number[]> {
        const answers = await Promise.all(
          Array.from({ length: 12 }, () => callAs(url, 'bob', 'GET', '/budgets/T-1042')),
        )
        return answers.map(({ status }) => status)
      }

      test('a session, an open page and an RDP client find what they need, whichever process they get', async () => {
        const { body } = await callAs(url, 'bob', 'POST', '/session', { user: 'bob', password: 'bob' })
        const { token } = z.object({ token: z.string() }).parse(body)
        const headers = { Cookie: `jackdaw_session=${token}`, Origin: url }
        const stream = await fetch(`${url}/chat/events`, { headers })
        const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader()
        await reader?.read()
        const order = {
          template: 'slc5',
          days: 40,
          budget: 'T-1042',
          purpose: 'a test',
          name: `by-${language}`,
        }

        const asked = await callAs(url, 'alice', 'POST', '/requests', order)

        const news = await reader?.read()
        expect(asked.status).toBe(201)
        expect(news?.value).toContain('event: changed')
        await reader?.cancel()
        const posted = await fetch(`${url}/chat/say`, {
          method: 'POST',
          redirect: 'manual',
          headers,
          body: new URLSearchParams({ line: 'prices', key: 'one' }),
        })
        expect(posted.status).toBe(303)
      })

      test('a thin client is known by its address, and its RDP client reaches the desktop', async () => {
        const opened = await vi.waitFor(() => openFrom('127.0.0.17', url), eventually)
        const [, cookie = ''] = /^loadbalanceinfo:s:(.+?)\r?$/m.exec(opened.rdp) ?? []

        const client = await dial(rdpPort, greeting(`${cookie}\r\n`, '0100080003000000'))

        await client.has(11)
        const { body } = await callAs(url, 'olga', 'GET', `/leases/${opened.lease}`)
        expect(Lease.parse(body).terminal.name).toBe('lobby-1')
        const over = client.over
        await callAs(url, 'olga', 'POST', `/leases/${opened.lease}/end`, {})
        await over
      })

      test('what one process cannot answer any more, the others do', async () => {
        const [first, second] = crew.members
        const before = await budgets()
        await first.stop('SIGKILL')
        const without = await budgets()
        await second.stop('SIGKILL')

        const alone = await budgets()

        expect([before, without, alone].map((answers) => new Set(answers))).toEqual([
          new Set([200]),
          new Set([200]),
          new Set([200]),
        ])
      })
    },
  )
})
