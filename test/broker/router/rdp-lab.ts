import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { component } from '../../components.ts'
import { freePort } from '../../service/process.ts'
import { openDesktops, type RealDesktops } from './rdp-desktops.ts'

const names = [
  'xorgxrdp',
  'freerdp',
  'freerdpShadow',
  'rdesktop',
  'xrdp',
  'xvfb',
  'xterm',
  'imagemagick',
] as const
const programs = await Promise.all(names.map((name) => component(name, { install: true })))

/** What would provide the clients and servers that are not here. */
export const missing = programs.flatMap((program) => (program.available ? [] : [program.remedy]))
/** Sessions are those of an account of this machine, which only root can make. */
export const noRoot = process.getuid?.() === 0 ? [] : ['run as root']

function path(name: (typeof names)[number]): string {
  const program = programs[names.indexOf(name)]
  return program?.available === true ? program.path : ''
}

/** Real RDP servers and clients, with a folder and screens of their own. */
export interface Lab {
  /** For files of a test. */
  folder: string
  /** A screen that nobody sees. With a colour, a window of that colour fills it. */
  screen(colour?: string): Promise<string>
  /** FreeRDP's shadow server: shows a screen to whoever has the right password (CredSSP). */
  shadow(display: string): Promise<number>
  /** xrdp with its login window. */
  xrdp(how: { security: 'negotiate' | 'rdp'; encryption: 'none' | 'high' }): Promise<number>
  /** xrdp with sessions: whoever logs in has a desktop of their own, kept while nobody is connected. */
  desktops(): Promise<RealDesktops>
  client(program: 'freerdp' | 'rdesktop', display: string, words: readonly string[]): Client
  close(): Promise<void>
}

export interface Client {
  /** Resolves with its exit code. */
  ended: Promise<number | null>
  stop(): void
}

/** The user that the shadow server knows. */
export const account = { user: 'alice', password: 'secret' }
/** Her password as Windows keeps it: MD4 of its UTF-16LE text. */
const passwordHash = '878d8014606cda29677a44efa1353fc7'

export async function openLab(): Promise<Lab> {
  const folder = await mkdtemp(join(tmpdir(), 'rdp-lab-'))
  const children: ChildProcess[] = []
  const ending: (() => Promise<void>)[] = []
  const run = (program: string, words: readonly string[], display = ''): ChildProcess => {
    const env = { ...process.env, HOME: folder, DISPLAY: display }
    const child = spawn(program, words, { env, stdio: ['pipe', 'pipe', 'ignore'] })
    child.on('error', () => undefined)
    child.stdout.resume()
    children.push(child)
    return child
  }

  const listening = async (port: number): Promise<number> => {
    for (let tries = 0; ; tries++) {
      // xrdp-sesman takes the other one, whatever it is told.
      const socket = connect(port, tries % 2 === 0 ? '127.0.0.1' : '::1')
      const isOpen = await new Promise<boolean>((resolve) => {
        socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
      })
      socket.destroy()
      if (isOpen) return port
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  return {
    folder,
    async screen(colour) {
      const words = ['-displayfd', '1', '-noreset', '-screen', '0', '640x480x24', '-nolisten', 'tcp']
      const server = run(path('xvfb'), words)
      const number = await new Promise<string>((resolve) =>
        server.stdout?.once('data', (said) => resolve(String(said))),
      )
      const display = `:${number.trim()}`
      if (colour !== undefined)
        run(path('xterm'), ['-bg', colour, '-geometry', '200x60+0+0', '-e', 'sleep 600'], display)
      return display
    },
    async shadow(display) {
      const [port, known] = [await freePort(), join(folder, 'sam.txt')]
      await writeFile(known, `${account.user}:::${passwordHash}:::\n`)
      const words = ['/bind-address:127.0.0.1', `/port:${port}`, '/sec:nla', `/sam-file:${known}`]
      run(path('freerdpShadow'), words, display)
      return listening(port)
    },
    async xrdp(how) {
      const port = await freePort()
      const { key, certificate } = await makeCertificate(folder)
      const file = join(folder, `xrdp-${port}.ini`)
      await writeFile(
        file,
        xrdpSettings({ ...how, port, key, certificate, log: join(folder, `xrdp-${port}.log`) }),
      )
      run(path('xrdp'), ['-n', '-c', file])
      return listening(port)
    },
    desktops: () => openDesktops({ folder, run, listening, ending, xrdp: path('xrdp') }),
    client(program, display, words) {
      const child = run(path(program), words, display)
      // rdesktop asks whether it may trust a certificate.
      child.stdin?.on('error', () => undefined).end('yes\n')
      const ended = once(child, 'exit').then(() => child.exitCode)
      return { ended, stop: () => child.kill('SIGKILL') }
    },
    async close() {
      for (const end of ending) await end()
      for (const child of children.reverse()) {
        child.kill('SIGKILL')
        if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
      }
      await rm(folder, { recursive: true, force: true })
    },
  }
}

export async function makeCertificate(folder: string): Promise<{ key: string; certificate: string }> {
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const make = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', certificate]
  await promisify(execFile)('openssl', [...make, '-days', '2', '-subj', '/CN=localhost'])
  return { key, certificate }
}

export function xrdpSettings(how: {
  security: string
  encryption: string
  port: number
  key: string
  certificate: string
  log: string
}): string {
  return `[Globals]
ini_version=1
fork=true
port=${how.port}
use_vsock=false
security_layer=${how.security}
crypt_level=${how.encryption}
certificate=${how.certificate}
key_file=${how.key}
allow_channels=true
ssl_protocols=TLSv1.2, TLSv1.3
max_bpp=32
use_fastpath=both
ls_top_window_bg_color=009cb5
ls_width=350
ls_height=430
ls_bg_color=dedede

[Logging]
LogFile=${how.log}
LogLevel=INFO
EnableSyslog=false

[Channels]
rdpdr=true
rdpsnd=true
drdynvc=true
cliprdr=true

[Xorg]
name=Xorg
lib=libxup.so
username=ask
password=ask
ip=127.0.0.1
port=-1
code=20
`
}

/** How much of a screen, from 0 to 1, is of a colour, give or take what its coding loses. */
export async function shareOf(
  display: string,
  [red, green, blue]: readonly [number, number, number],
): Promise<number> {
  const words = ['-display', display, '-window', 'root', '-depth', '8', 'rgb:-']
  const options = { encoding: 'buffer', maxBuffer: 64 * 1024 * 1024 } as const
  const { stdout } = await promisify(execFile)(path('imagemagick'), words, options)
  const near = (at: number, wanted: number) => Math.abs((stdout[at] ?? 0) - wanted) <= 12
  let count = 0
  for (let at = 0; at + 2 < stdout.length; at += 3) {
    if (near(at, red) && near(at + 1, green) && near(at + 2, blue)) count += 1
  }
  return count / (stdout.length / 3)
}
