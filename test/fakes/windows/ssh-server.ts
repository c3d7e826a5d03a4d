import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ssh2, { type AuthContext, type Connection, type ParsedKey } from 'ssh2'
import { type Actor, makeKeys, type Sshd } from './sshd.ts'

/**
 * The same as `startSshd` without a process for each call: for the many calls of a contract. It takes one key of one
 * user, and runs commands only.
 */
export async function startSshServer(computers: readonly string[]): Promise<Sshd> {
  const folder = await mkdtemp(join(tmpdir(), 'jackdaw-ssh-'))
  const fingerprint = makeKeys(folder)
  const hostKeys = [readFileSync(join(folder, 'host'))]
  const allowed = ssh2.utils.parseKey(readFileSync(join(folder, 'login.pub')))
  if (allowed instanceof Error) throw allowed
  const open = new Set<Connection>()
  let actor: Actor = ({ stream }) => stream.destroy()
  const servers = new Map<string, Server>()
  for (const computer of computers) {
    const server = new ssh2.Server({ hostKeys }, (client) => {
      open.add(client)
      client.on('close', () => open.delete(client))
      client.on('error', () => undefined)
      client.on('authentication', (attempt) => {
        if (isAllowed(attempt, allowed)) attempt.accept()
        else attempt.reject(['publickey'])
      })
      client.on('session', (accept) => {
        accept().on('exec', (take, _refuse, { command }) => {
          const [, ...words] = command.split(' ')
          const stream = take()
          stream.on('error', () => undefined)
          actor({ computer, words, stream })
        })
      })
    })
    // Questions and answers are short, and each side would wait for the other's receipt.
    const listener = createServer({ noDelay: true }, (socket) => server.injectSocket(socket))
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
    servers.set(computer, listener)
  }
  return {
    ...{ fingerprint, user: 'jackdaw', keyFile: join(folder, 'login') },
    port: (computer) => portOf(servers.get(computer)?.address() ?? null),
    act: (next) => void (actor = next),
    async close() {
      for (const client of open) client.end()
      await Promise.all(
        [...servers.values()].map((server) => new Promise((resolve) => server.close(resolve))),
      )
      await rm(folder, { recursive: true })
    },
  }
}

/** It is asked first whether a key would do, and then shown that it is theirs. */
function isAllowed(attempt: AuthContext, allowed: ParsedKey): boolean {
  if (attempt.method !== 'publickey' || attempt.username !== 'jackdaw') return false
  if (!attempt.key.data.equals(allowed.getPublicSSH())) return false
  const { signature, blob, hashAlgo } = attempt
  return signature === undefined || (blob !== undefined && allowed.verify(blob, signature, hashAlgo))
}

function portOf(address: AddressInfo | string | null): number {
  return typeof address === 'object' && address !== null ? address.port : 0
}
