import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFile, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { selfSigned } from './slapd.ts'

const run = promisify(execFile)

/** A real Active Directory by Samba, on an address of its own, since its ports are fixed. */
export interface Samba {
  url: string
  baseDn: string
  administrator: { dn: string; password: string }
  ca: string
  /** `samba-tool` on its database. */
  tool(...words: string[]): Promise<void>
  stop(): Promise<void>
}

const [realm, domain, administratorPassword] = ['AD.LAB.TEST', 'LAB', 'Lab-Passw0rd1']

/** Provisions a domain, prepares it with `fill` while nothing runs, and starts LDAP. Some ten seconds. */
export async function startSamba(
  program: string,
  fill: (tool: Samba['tool']) => Promise<void>,
): Promise<Samba> {
  const folder = await mkdtemp(join(tmpdir(), 'jackdaw-samba-'))
  const at = (name: string): string => join(folder, name)
  const address = `127.${20 + (process.pid % 200)}.${(process.pid >> 8) % 250}.1`
  await Promise.all(['run', 'ncalrpc'].map((name) => mkdir(at(name))))
  await selfSigned(at('key.pem'), at('crt.pem'), address)
  const options = {
    interfaces: `${address}/8`,
    'bind interfaces only': 'yes',
    'posix:eadb': at('private/eadb.tdb'),
    'server services': 'ldap',
    'pid directory': at('run'),
    'ncalrpc dir': at('ncalrpc'),
    'log file': at('log.%m'),
    'tls keyfile': at('key.pem'),
    'tls certfile': at('crt.pem'),
    'tls cafile': '',
  }
  await run('samba-tool', [
    ...['domain', 'provision', `--targetdir=${folder}`, `--realm=${realm}`, `--domain=${domain}`],
    ...['--host-name=dc1', `--host-ip=${address}`, `--adminpass=${administratorPassword}`],
    ...['--server-role=dc', '--dns-backend=NONE'],
    ...Object.entries(options).map(([name, value]) => `--option=${name}=${value}`),
  ])
  const configuration = at('etc/smb.conf')
  await appendFile(configuration, '\n[global]\nprefork children = 1\nldap server require strong auth = yes\n')
  const tool = async (...words: string[]) => {
    await run('samba-tool', [...words, '-s', configuration, '-H', at('private/sam.ldb')])
  }
  await fill(tool)
  const child = spawn(program, ['-F', '--no-process-group', '-s', configuration], {
    stdio: 'ignore',
    detached: true,
  })
  await reachable(address, 636)
  return {
    ...{ tool, baseDn: 'DC=ad,DC=lab,DC=test', ca: at('crt.pem'), url: `ldaps://${address}` },
    administrator: { dn: `administrator@${realm.toLowerCase()}`, password: administratorPassword },
    async stop() {
      const gone = once(child, 'exit')
      // Its workers are processes of their own, in the group that it leads.
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
      await gone
      await rm(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

async function reachable(address: string, port: number): Promise<void> {
  const deadline = Date.now() + 60_000
  while (!(await answers(address, port))) {
    if (Date.now() > deadline) throw new Error(`nothing listens on ${address}:${port}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

function answers(host: string, port: number): Promise<boolean> {
  const socket = createConnection(port, host)
  return new Promise((resolve) => {
    const settle = (isOpen: boolean) => () => {
      socket.destroy()
      resolve(isOpen)
    }
    socket.once('connect', settle(true)).once('error', settle(false))
  })
}
