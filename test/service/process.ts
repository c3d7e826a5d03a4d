import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packagePath } from '../../src/base/package-root.ts'

/** A site of its own on free ports, run by the program as it was built. */
export interface TestSite {
  folder: string
  config: string
  url: string
  rdpPort: number
  /** Runs the program to its end. */
  run(...args: string[]): Promise<Ended>
  /** Starts the program, ready or not. */
  launch(...args: string[]): { process: ChildProcess; ended: Promise<Ended> }
  /** Starts the service, with more words on its command line, and waits until it is ready. */
  start(...more: string[]): Promise<Running>
  /** The same for any command that says when it is ready. */
  command(...args: string[]): Promise<Running>
  dispose(): Promise<void>
}

export interface Ended {
  code: number | null
  out: string
  err: string
}

export interface Running {
  process: ChildProcess
  /** All of its log so far, a line each. */
  log(): string[]
  /** Sends a signal and waits for the end. */
  stop(signal: NodeJS.Signals): Promise<Ended>
}

const program = packagePath('dist', 'src', 'cli.js')

export async function aSite(edit: (yaml: string) => string = (yaml) => yaml): Promise<TestSite> {
  const folder = await mkdtemp(join(tmpdir(), 'jackdaw-'))
  const [port, rdpPort] = [await freePort(), await freePort()]
  const config = join(folder, 'jackdaw.yaml')
  const demo = await readFile(packagePath('src', 'demo.yaml'), 'utf8')
  await writeFile(config, edit(onPorts(demo, port, rdpPort)))
  const url = `http://127.0.0.1:${port}`
  const running = new Set<ChildProcess>()
  const launch = (args: string[]) => {
    const child = spawn(process.execPath, [program, ...args], {
      cwd: folder,
      env: { ...process.env, NODE_ENV: 'production' },
    })
    running.add(child)
    child.once('exit', () => running.delete(child))
    return collect(child)
  }
  const command = async (args: string[]): Promise<Running> => {
    const { child, ended, out } = launch(args)
    await Promise.race([ready(child), ended.then(({ err }) => Promise.reject(new Error(`it ended: ${err}`)))])
    return {
      process: child,
      log: () =>
        out()
          .split('\n')
          .filter((line) => line !== ''),
      stop: (signal) => {
        child.kill(signal)
        return ended
      },
    }
  }
  return {
    ...{ folder, config, url, rdpPort },
    launch: (...args) => {
      const { child, ended } = launch(args)
      return { process: child, ended }
    },
    run: (...args) => launch(args).ended,
    start: (...more) => command(['start', '--config', config, ...more]),
    command: (...args) => command(args),
    dispose: async () => {
      await Promise.all([...running].map((child) => (child.kill('SIGKILL'), once(child, 'exit'))))
      await rm(folder, { recursive: true })
    },
  }
}

/** The demo site's file on other ports. */
export function onPorts(yaml: string, port: number, rdpPort: number): string {
  return yaml
    .replace(/port: 8080\b/, `port: ${port}`)
    .replace(/publicUrl: \S+/, `publicUrl: http://127.0.0.1:${port}`)
    .replace(/port: 3389\b/, `port: ${rdpPort}`)
    .replace(/publicAddress: \S+/, `publicAddress: 127.0.0.1:${rdpPort}`)
}

function collect(child: ChildProcess): { child: ChildProcess; ended: Promise<Ended>; out: () => string } {
  let [out, err] = ['', '']
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (out += text))
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (err += text))
  const ended = new Promise<Ended>((resolve) => child.once('close', (code) => resolve({ code, out, err })))
  return { child, ended, out: () => out }
}

/** Waits until the service says on its log that it is ready. */
function ready({ stdout }: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    let seen = ''
    const look = (text: string) => {
      seen += text
      if (!seen.includes('"msg":"ready"')) return
      stdout?.off('data', look)
      resolve()
    }
    stdout?.on('data', look)
  })
}

/**
 * A port that is free, and stays so while nobody listens on it: below those that the system hands out by itself (32768 on,
 * ip_local_port_range), of which any program may have taken it by the time that a service starts again.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 12_000 + Math.floor(Math.random() * 20_000)
    const server = createServer().listen(port, '127.0.0.1')
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    )
    if (!isFree) continue
    server.close()
    await once(server, 'close')
    return port
  }
}
