import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { packagePath } from '../../../src/base/package-root.ts'
import { freePort } from '../../service/process.ts'

/** An SSH server with a `powershell` of ours on it, listening once for each computer that it stands for. */
export interface Sshd {
  user: string
  keyFile: string
  fingerprint: string
  port(computer: string): number
  /** Who acts as powershell.exe on those computers from now on. */
  act(actor: Actor): void
  close(): Promise<void>
}

/** What one call of powershell.exe is handed. */
export interface Call {
  computer: string
  words: readonly string[]
  /** Its standard input and output; destroyed when the caller goes. */
  stream: Duplex
}

export type Actor = (call: Call) => void

/** A real OpenSSH server. */
export async function startSshd(program: string, computers: readonly string[]): Promise<Sshd> {
  const folder = await mkdtemp(join(tmpdir(), 'jackdaw-sshd-'))
  const ports = new Map<string, number>()
  for (const name of computers) ports.set(name, await freePort())
  const fingerprint = makeKeys(folder)
  writeFront(folder)
  let actor: Actor = ({ stream }) => stream.destroy()
  const front = createServer((stream) => {
    stream.on('error', () => undefined)
    void firstLine(stream).then((line) => {
      const [port = '', ...words] = line.split('\t')
      const computer = computers.find((name) => ports.get(name) === Number(port)) ?? ''
      actor({ computer, words, stream })
    })
  })
  await new Promise<void>((resolve) => front.listen(join(folder, 'front.sock'), resolve))
  const daemon = run(program, folder, [...ports.values()])
  await Promise.race([daemon.listening, daemon.ended])
  return {
    ...{ fingerprint, user: userInfo().username, keyFile: join(folder, 'login') },
    port: (computer) => ports.get(computer) ?? 0,
    act: (next) => void (actor = next),
    async close() {
      daemon.child.kill()
      front.close()
      await daemon.ended.catch(() => undefined)
      await rm(folder, { recursive: true })
    },
  }
}

export function makeKeys(folder: string): string {
  for (const name of ['host', 'login']) {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, name)])
  }
  const shown = execFileSync('ssh-keygen', ['-lf', join(folder, 'host.pub')], { encoding: 'utf8' })
  return shown.split(' ')[1] ?? ''
}

function writeFront(folder: string): void {
  const program = join(folder, 'bin', 'powershell')
  mkdirSync(join(folder, 'bin'))
  writeFileSync(program, readFileSync(packagePath('test', 'fakes', 'windows', 'front.pl')))
  chmodSync(program, 0o755)
}

function run(program: string, folder: string, ports: readonly number[]) {
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true })
  const path = `${join(folder, 'bin')}:/usr/local/bin:/usr/bin:/bin`
  const config = [
    ...ports.map((port) => `Port ${port}`),
    'ListenAddress 127.0.0.1',
    `HostKey ${join(folder, 'host')}`,
    `AuthorizedKeysFile ${join(folder, 'login.pub')}`,
    ...['PidFile none', 'StrictModes no', 'UsePAM no', 'PasswordAuthentication no', 'MaxStartups 200'],
    ...['KbdInteractiveAuthentication no', 'PermitRootLogin prohibit-password', 'PrintMotd no'],
    `SetEnv PATH=${path} JACKDAW_WINDOWS=${join(folder, 'front.sock')}`,
  ]
  writeFileSync(join(folder, 'config'), `${config.join('\n')}\n`)
  const child = spawn(program, ['-D', '-e', '-f', join(folder, 'config')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  const ended = once(child, 'exit').then(() => {
    throw new Error(`sshd ended: ${said}`)
  })
  ended.catch(() => undefined)
  const listening = new Promise<void>((resolve) => {
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      said += chunk
      if (said.split('Server listening on').length > ports.length) resolve()
    })
  })
  return { child, ended, listening }
}

/** The first line of a stream; what comes behind it is left in it. */
export function firstLine(stream: Duplex): Promise<string> {
  return new Promise((resolve) => {
    let begun = Buffer.alloc(0)
    const take = (chunk: Buffer): void => {
      begun = Buffer.concat([begun, chunk])
      const end = begun.indexOf(10)
      if (end === -1) return
      stream.off('data', take)
      stream.pause()
      if (end + 1 < begun.length) stream.unshift(begun.subarray(end + 1))
      resolve(begun.subarray(0, end).toString('utf8'))
    }
    stream.on('data', take)
    stream.resume()
  })
}
