import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { component } from '../components.ts'
import { freePort } from '../service/process.ts'
import { perSecond } from './measure.ts'

/** A broker of others: Debian's x2gobroker, by HTTP, which asks for no password here and stores nothing. */
export interface X2goBroker {
  /** Selections of a session a second, each answered with a server. */
  selections(count: number, connections: number): Promise<number>
  stop(): Promise<void>
}

/** Nothing where it is not installed and may not be. */
export async function startX2goBroker(): Promise<X2goBroker | undefined> {
  const found = await component('x2gobroker', { install: true })
  if (!found.available) return undefined
  const folder = await mkdtemp(join(tmpdir(), 'jackdaw-x2go-'))
  // It looks whether the server that it names listens.
  const server = createServer((socket) => socket.on('error', () => socket.destroy()).end('SSH-2.0-bench\r\n'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const sshPort = typeof address === 'object' ? (address?.port ?? 0) : 0
  const port = await freePort()
  await writeFile(join(folder, 'broker.conf'), configuration)
  await writeFile(join(folder, 'profiles.conf'), profiles(sshPort))
  const child = spawn('/usr/bin/python3', [found.path, '-M', 'HTTP', '-b', `127.0.0.1:${port}`], {
    stdio: 'ignore',
    env: {
      ...process.env,
      X2GOBROKER_DEFAULT_BACKEND: 'inifile',
      X2GOBROKER_CONFIG: join(folder, 'broker.conf'),
      X2GOBROKER_SESSIONPROFILES: join(folder, 'profiles.conf'),
    },
  })
  const agent = new Agent({ keepAlive: true })
  await until(() => select(agent, port))
  return {
    selections: (count, connections) => perSecond(count, connections, () => select(agent, port)),
    async stop() {
      agent.destroy()
      await ended(child)
      server.close()
      await rm(folder, { recursive: true })
    },
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}

async function until(work: () => Promise<void>): Promise<void> {
  const deadline = Date.now() + 60_000
  for (;;) {
    try {
      await work()
      return
    } catch (error) {
      if (Date.now() > deadline) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}

function select(agent: Agent, port: number): Promise<void> {
  const body = 'user=alice&task=selectsession&sid=p3'
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded', 'Content-Length': body.length }
  const where = { host: '127.0.0.1', port, method: 'POST', path: '/plain/inifile' }
  return new Promise((resolve, reject) => {
    const sent = request({ agent, ...where, headers }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.on('end', () => {
        if (/^SERVER:127.0.0.1:/m.test(text)) resolve()
        else reject(new Error(`x2gobroker answered ${response.statusCode ?? 0}: ${text}`))
      })
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

const configuration = `[global]
require-password = false
require-cookie = false
verify-ip = false
[broker_zeroconf]
enable = false
[broker_inifile]
enable = true
use-load-checker = false
`

function profiles(sshPort: number): string {
  const one = (n: number) =>
    `[p${n}]\nname=Desktop ${n}\nhost=127.0.0.1\nsshport=${sshPort}\nacl-users-allow=ALL\nacl-any-order=deny-allow\nbroker-agent-query-mode=NONE\n`
  return `[DEFAULT]\ncommand=XFCE\n${Array.from({ length: 10 }, (_, n) => one(n)).join('')}`
}
