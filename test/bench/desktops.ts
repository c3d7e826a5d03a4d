import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { packagePath } from '../../src/base/package-root.ts'
import { perSecond, type Row } from './measure.ts'
import { startX2goBroker } from './x2gobroker.ts'

const people = 600
/** The first ones are not counted: both programs are compiled while they run. */
const warmUp = 2
const rounds = 5
const connections = 32

/** Opening a desktop (claim, durable lease, file; already signed in) against an Express handler that does nothing. */
export async function desktopRows(): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'jackdaw-bench-'))
  const children: ChildProcess[] = []
  try {
    const [port, rdpPort, barePort] = [await freePort(), await freePort(), await freePort()]
    const config = join(folder, 'site.yaml')
    await writeFile(config, siteFile(await readFile(packagePath('src', 'demo.yaml'), 'utf8'), port, rdpPort))
    children.push(start(packagePath('dist', 'src', 'cli.js'), 'start', '--config', config))
    children.push(start(fileURLToPath(new URL('bare-express.mjs', import.meta.url)), String(barePort)))
    const agent = new Agent({ keepAlive: true, maxSockets: connections })
    const call = (to: number, method: string, path: string, token: string, body = '{}') =>
      send(agent, { port: to, method, path, token, body })
    await until(async () => (await call(port, 'GET', '/readyz', '')).status === 200)
    await until(async () => (await call(barePort, 'POST', '/', '')).status === 200)
    const tokens = await signInAll(call, port)
    const ratios: number[] = []
    const x2go = await startX2goBroker()
    const againstX2go: number[] = []
    for (let round = -warmUp; round < rounds; round++) {
      await until(async () => readyIn(await call(port, 'GET', '/api/v1/pools', tokens[0] ?? '')) >= people)
      const bare = await perSecond(people * 4, connections, () =>
        call(barePort, 'POST', '/', tokens[0] ?? ''),
      )
      const leases: { id: string; token: string }[] = []
      const open = await perSecond(people, connections, async (index) => {
        const token = tokens[index - 1] ?? ''
        const answer = await call(port, 'POST', '/api/v1/pools/public/open', token)
        if (answer.status !== 200) throw new Error(`open answered ${answer.status}: ${answer.body}`)
        leases.push({ id: z.object({ lease: z.string() }).parse(JSON.parse(answer.body)).lease, token })
      })
      if (round >= 0) ratios.push(open / bare)
      if (x2go !== undefined && round >= 0) againstX2go.push(open / (await x2go.selections(people / 4, 8)))
      for (const { id, token } of leases) await call(port, 'POST', `/api/v1/leases/${id}/end`, token)
    }
    agent.destroy()
    await x2go?.stop()
    const rows: Row[] = [
      {
        name: 'desktops: opens over HTTP, 32 connections',
        against: 'bare Express handler',
        aim: '>= 0.35',
        ratios,
      },
      {
        name: 'desktops: the same',
        against: 'x2gobroker selecting a session, 8 connections',
        aim: '>= 3',
        ratios: againstX2go,
        note: 'which stores nothing and signs nothing',
      },
    ]
    return rows.filter((row) => row.ratios.length > 0)
  } finally {
    for (const child of children) {
      child.kill('SIGTERM')
      if (child.exitCode === null) await once(child, 'exit')
    }
    await rm(folder, { recursive: true })
  }
}

/** The demo site with many people, and a pool that has a spare desktop for each. */
function siteFile(demo: string, port: number, rdpPort: number): string {
  const users = Array.from(
    { length: people },
    (_, i) =>
      `    - { user: u${i}, name: U${i}, email: u${i}@example.org, password: u${i}, groups: [office] }`,
  )
  return demo
    .replace('port: 8080', `port: ${port}`)
    .replace(/port: 3389\b/, `port: ${rdpPort}`)
    .replace(/publicUrl: \S+/, `publicUrl: http://127.0.0.1:${port}`)
    .replace('stage: PT0.2S', 'stage: PT0.001S')
    .replace(/^( +)local:.*$/m, (head) => `${head}\n${users.join('\n')}`)
    .replace(
      /name: cernwod04, cpus: 16, memoryGb: 64, slots: 40/,
      'name: cernwod04, cpus: 1600, memoryGb: 6400, slots: 4000',
    )
    .replace('size: { spare: 2, max: 10 }', `size: { spare: ${people}, max: ${people} }`)
}

function start(...command: string[]): ChildProcess {
  return spawn(process.execPath, command, { stdio: ['ignore', 'ignore', 'inherit'] })
}

async function signInAll(
  call: (to: number, method: string, path: string, token: string, body?: string) => Promise<Answer>,
  port: number,
): Promise<string[]> {
  const tokens: string[] = []
  for (let i = 0; i < people; i++) {
    const body = JSON.stringify({ user: `u${i}`, password: `u${i}` })
    const answer = await call(port, 'POST', '/api/v1/session', '', body)
    tokens.push(z.object({ token: z.string() }).parse(JSON.parse(answer.body)).token)
  }
  return tokens
}

function readyIn(answer: Answer): number {
  const Pools = z.object({ items: z.array(z.object({ name: z.string(), ready: z.number() })) })
  return Pools.parse(JSON.parse(answer.body)).items.find(({ name }) => name === 'public')?.ready ?? 0
}

interface Answer {
  status: number
  body: string
}

function send(
  agent: Agent,
  call: { port: number; method: string; path: string; token: string; body: string },
): Promise<Answer> {
  const { port, method, path, token, body } = call
  const headers = {
    'Content-Type': 'application/json',
    Accept: 'application/json',
    ...(token === '' ? {} : { Authorization: `Bearer ${token}` }),
  }
  return new Promise((resolve, reject) => {
    const sent = request({ agent, host: '127.0.0.1', port, method, path, headers }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (text += chunk))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }))
    })
    sent.on('error', reject)
    sent.end(method === 'GET' ? undefined : body)
  })
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 120_000
  while (Date.now() < deadline) {
    if (await condition().catch(() => false)) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('the service was not ready in time')
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return typeof address === 'object' && address !== null ? address.port : 0
}
