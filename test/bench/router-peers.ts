import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { haproxyConfig, mapValue } from '../../broker/router/haproxy.ts'
import { packagePath } from '../../src/base/package-root.ts'
import { component } from '../components.ts'
import { freePort } from '../service/process.ts'

/** Something that leads from a ticket to a desktop, in a process of its own. */
export interface Peer {
  name: string
  /** Where to dial for a kind of desktop. */
  port(label: Label): number
  /** CPU seconds that its process has used, and its resident memory in bytes; zeros where there is none. */
  used(): Promise<{ cpuSeconds: number; bytes: number }>
}

export const labels = ['bulk', 'echo', 'bye'] as const
export type Label = (typeof labels)[number]
type Desktops = Readonly<Record<Label, number>>

export interface Peers {
  direct: Peer
  ours: Peer
  /** As Debian ships it, and with buffers of 1 MB, which is what a site that cares would set. */
  plain: Peer
  tuned: Peer
  stop(): Promise<void>
}

export async function openPeers(folder: string, bulkMegabytes: number): Promise<Peers> {
  const children: ChildProcess[] = []
  const run = (...command: [string, ...string[]]): ChildProcess => {
    const [program, ...words] = command
    const child = spawn(program, words, { stdio: ['pipe', 'pipe', 'inherit'] })
    children.push(child)
    return child
  }
  const script = (name: string) => fileURLToPath(new URL(name, import.meta.url))
  const desktop = run(process.execPath, script('rdp-desktop.mjs'), String(bulkMegabytes))
  const [bulk = 0, echo = 0, bye = 0] = (await firstLine(desktop)).split(' ').map(Number)
  const desktops: Desktops = { bulk, echo, bye }
  const listener = pathToFileURL(packagePath('dist', 'broker', 'router', 'listener.js')).href
  const routes = labels.map((label) => `${label}=${desktops[label]}`)
  const router = run(process.execPath, script('router-under-test.mjs'), listener, ...routes)
  const ourPort = Number(await firstLine(router))
  const haproxy = (name: string, bufferBytes: number) =>
    openHaproxy(run, { folder, name, bufferBytes, desktops })
  return {
    direct: {
      name: 'direct',
      port: (label) => desktops[label],
      used: async () => ({ cpuSeconds: 0, bytes: 0 }),
    },
    ours: { name: 'router', port: () => ourPort, used: () => usedBy(router) },
    plain: await haproxy('plain', 16_384),
    tuned: await haproxy('tuned', 1_048_576),
    async stop() {
      for (const child of children) {
        child.kill('SIGKILL')
        if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
      }
    },
  }
}

async function openHaproxy(
  run: (...command: [string, ...string[]]) => ChildProcess,
  options: { folder: string; name: string; bufferBytes: number; desktops: Desktops },
): Promise<Peer> {
  const { folder, name, bufferBytes, desktops } = options
  const program = await component('haproxy', { install: true })
  if (!program.available) throw new Error(program.remedy)
  const [port, mapPath] = [await freePort(), join(folder, `${name}.map`)]
  const rows = labels.map((label) => `${label} ${mapValue({ host: '127.0.0.1', port: desktops[label] })}\n`)
  await writeFile(mapPath, rows.join(''))
  const file = join(folder, `${name}.cfg`)
  const config = haproxyConfig({
    bind: `127.0.0.1:${port}`,
    ...{ mapPath, bufferBytes, threads: 1 },
    socketPath: join(folder, `${name}.sock`),
    router: { host: '127.0.0.1', port: 1 },
  })
  await writeFile(file, config.replace('global\n', 'global\n  maxconn 8000\n'))
  const child = run(program.path, '-db', '-q', '-f', file)
  await answers(port)
  return { name: `HAProxy, ${name}`, port: () => port, used: () => usedBy(child) }
}

/** Resolves once something listens there; it may take its time on a busy machine. */
async function answers(port: number): Promise<void> {
  for (let tries = 1; ; tries++) {
    const socket = connect({ host: '127.0.0.1', port })
    try {
      await once(socket, 'connect')
      return
    } catch (error) {
      if (tries === 200) throw error
      await pause(25)
    } finally {
      socket.destroy()
    }
  }
}

async function firstLine({ stdout }: ChildProcess): Promise<string> {
  if (stdout === null) throw new Error('a peer has an output')
  const said: unknown[] = await once(stdout, 'data')
  return String(said[0]).trim()
}

/** From `/proc`: user and system time in ticks of 10 ms, and resident pages. */
async function usedBy({ pid }: ChildProcess): Promise<{ cpuSeconds: number; bytes: number }> {
  const stat = await readFile(`/proc/${pid ?? 0}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [user, system, pages] = [fields[11], fields[12], fields[21]].map(Number)
  return { cpuSeconds: ((user ?? 0) + (system ?? 0)) / 100, bytes: (pages ?? 0) * 4096 }
}
