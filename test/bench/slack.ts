import { type ChildProcess, fork, spawn } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { Agent, createServer, request, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { parseLine } from '../../bot/grammar.ts'
import { packagePath } from '../../src/base/package-root.ts'
import { freePort } from '../service/process.ts'
import { millisOf, perSecond, type Row } from './measure.ts'

const secret = '8f742231b10e8888abcd99yyyzzz85a5'
const rounds = 5
const commands = 40
const atOnce = 32

/** From a signed command to its acknowledgement against a bare Bolt app, and a line's way to its command against Hubot's. */
export async function slackRows(): Promise<Row[]> {
  return [...(await acknowledgements()), await dispatch()]
}

async function acknowledgements(): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'jackdaw-bench-'))
  const children: ChildProcess[] = []
  const sink = openSink()
  try {
    const [port, rdpPort, barePort] = [await freePort(), await freePort(), await freePort()]
    const sinkPort = await sink.listen()
    const config = join(folder, 'site.yaml')
    await writeFile(config, siteFile(await readFile(packagePath('src', 'demo.yaml'), 'utf8'), port, rdpPort))
    const tokens = { SLACK_BOT_TOKEN: 'xoxb-1', SLACK_SIGNING_SECRET: secret }
    const env = { ...process.env, ...tokens, SLACK_API_URL: `http://127.0.0.1:${sinkPort}/api/` }
    children.push(start(env, packagePath('dist', 'src', 'cli.js'), 'start', '--config', config))
    children.push(
      start(process.env, fileURLToPath(new URL('bare-bolt.mjs', import.meta.url)), String(barePort), secret),
    )
    const agent = new Agent({ keepAlive: true, maxSockets: atOnce, timeout: 3_000 })
    const url = `http://127.0.0.1:${sinkPort}/response`
    const [ours, bare] = [command(agent, port, url), command(agent, barePort, url)]
    await Promise.all([ours, bare].map((send) => until(async () => (await send()) === 200)))
    const [single, burst]: [number[], number[]] = [[], []]
    for (let round = 0; round < rounds; round++) {
      await sink.quiet()
      single.push(await oneByOne({ bare, ours }, () => sink.quiet()))
      const bareBurst = await perSecond(atOnce * 4, atOnce, bare)
      const ourBurst = await perSecond(atOnce, atOnce, ours)
      await sink.quiet()
      burst.push(ourBurst / bareBurst)
    }
    agent.destroy()
    const against = 'bare Bolt ack()'
    return [
      { name: 'slack: acknowledgements, one command at a time', against, aim: '>= 0.6', ratios: single },
      {
        name: `slack: acknowledgements, ${atOnce} commands at once`,
        against,
        ratios: burst,
        note: 'their answers are worked out at the same time',
      },
    ]
  } finally {
    for (const child of children) {
      child.kill('SIGTERM')
      if (child.exitCode === null) await once(child, 'exit')
    }
    await sink.close()
    await rm(folder, { recursive: true })
  }
}

/** How the acknowledgements compare, in turns; what follows an acknowledgement is waited for, and does not count. */
async function oneByOne(
  send: { bare: () => Promise<number>; ours: () => Promise<number> },
  after: () => Promise<void>,
): Promise<number> {
  let [bare, ours] = [0, 0]
  for (let sent = 0; sent < commands; sent++) {
    bare += await millisOf(send.bare)
    await after()
    ours += await millisOf(send.ours)
    await after()
  }
  return bare / ours
}

/** A Slack that takes everything and knows one person. */
function openSink() {
  let answered = 0
  const user = { id: 'U0CAROL', team_id: 'T1', name: 'carol', profile: {} }
  const answers: Readonly<Record<string, object>> = {
    '/api/auth.test': { user_id: 'UB', team_id: 'T1' },
    '/api/users.info': { user },
    '/api/conversations.open': { channel: { id: 'D1' } },
  }
  const server: Server = createServer((incoming, response) => {
    incoming.resume()
    if (incoming.url === '/response') answered += 1
    response.writeHead(200, { 'Content-Type': 'application/json' })
    response.end(JSON.stringify({ ok: true, ts: '1.1', channel: 'C1', ...answers[incoming.url ?? ''] }))
  })
  return {
    /** Waits until every command that was asked has its answer. */
    async quiet() {
      let seen = -1
      while (seen !== answered) {
        seen = answered
        await new Promise((resolve) => setTimeout(resolve, 25))
      }
    },
    async listen() {
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const address = server.address()
      return address !== null && typeof address === 'object' ? address.port : 0
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Sends a signed command, and gives the status that acknowledged it. */
function command(agent: Agent, port: number, responseUrl: string): () => Promise<number> {
  let sent = 0
  return () => {
    sent += 1
    const body = new URLSearchParams({
      ...{ command: '/vm', text: 'templates', user_id: 'U0CAROL', team_id: 'T1', channel_id: 'C1' },
      ...{ trigger_id: `${port}.${sent}`, response_url: responseUrl },
    }).toString()
    const at = String(Math.floor(Date.now() / 1000))
    const hash = createHmac('sha256', secret).update(`v0:${at}:${body}`).digest('hex')
    const headers = {
      'Content-Type': 'application/x-www-form-urlencoded',
      'Content-Length': Buffer.byteLength(body),
      'X-Slack-Request-Timestamp': at,
      'X-Slack-Signature': `v0=${hash}`,
    }
    return new Promise((resolve, reject) => {
      const options = { agent, host: '127.0.0.1', port, method: 'POST', path: '/slack/events', headers }
      const outgoing = request(options, (response) => {
        response.resume()
        response.on('end', () => resolve(response.statusCode ?? 0))
      })
      outgoing.on('error', reject)
      outgoing.end(body)
    })
  }
}

function siteFile(demo: string, port: number, rdpPort: number): string {
  return demo
    .replace('port: 8080', `port: ${port}`)
    .replace(/port: 3389\b/, `port: ${rdpPort}`)
    .replace(/publicUrl: \S+/, `publicUrl: http://127.0.0.1:${port}`)
    .replace('user: carol\n', 'user: carol\n      accounts: { slack: U0CAROL }\n')
    .replace(/^chat:$/m, 'chat:\n  slack: { mode: http }')
}

function start(env: NodeJS.ProcessEnv, script: string, ...args: string[]): ChildProcess {
  return spawn(process.execPath, [script, ...args], { stdio: 'ignore', env })
}

async function until(ready: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    if (await ready().catch(() => false)) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('the bench waited for something that did not come')
}

const lines = [
  'list',
  'show webafs20',
  'extend webafs20 30d',
  'request slc5 for 30d budget T-1042 2cpu 4gb',
  'costs',
]

const Heard = z.object({ perSecond: z.number(), heard: z.number() })

/** From a line to the command that it is, with what stands in it: our grammar against Hubot's listeners. */
async function dispatch(): Promise<Row> {
  const hubot = fork(fileURLToPath(new URL('hubot.mjs', import.meta.url)), {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  const lexicon = { templates: ['slc5', 'w2008r2'], machines: ['webafs20'], budgets: ['T-1042'] }
  const context = {
    ...{ verbs: 'mention' as const, now: '2026-11-23T08:00:00.000Z', zone: 'Europe/Zurich' },
    lexicon: { ...lexicon, pools: ['public'], hosts: ['cernwod03'] },
  }
  const ratios: number[] = []
  try {
    for (let round = 0; round < rounds; round++) {
      hubot.send({ verbs, lines, calls })
      const { perSecond: theirs, heard } = Heard.parse((await once(hubot, 'message')).at(0))
      if (heard < calls) throw new Error(`Hubot heard ${heard} of ${calls} lines`)
      const ours = await perSecond(calls, 1, async (index) => {
        const understood = parseLine(lines[index % lines.length] ?? '', context)
        if (understood.kind !== 'command')
          throw new Error(`not understood: ${lines[index % lines.length] ?? ''}`)
      })
      ratios.push(ours / theirs)
    }
  } finally {
    hubot.kill()
  }
  return {
    ...{ name: 'chat: a line is understood', against: `Hubot, ${verbs.length} listeners`, ratios },
    note: 'ours also reads what stands in it: names, sizes, terms, budgets',
  }
}

const calls = 3_000
const verbs = [
  ...[
    'request',
    'quote',
    'list',
    'show',
    'start',
    'stop',
    'off',
    'reset',
    'save',
    'resume',
    'extend',
    'resize',
  ],
  ...[
    'approve',
    'deny',
    'cancel',
    'delete',
    'connect',
    'console',
    'snapshot',
    'revert',
    'capture',
    'archive',
  ],
  ...[
    'restore',
    'clone',
    'budget',
    'costs',
    'prices',
    'templates',
    'hosts',
    'drain',
    'return',
    'help',
    'settings',
  ],
]
