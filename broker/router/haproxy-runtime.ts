import { once } from 'node:events'
import { connect, isIPv6 } from 'node:net'
import { messageOf, Outage } from '../../src/base/errors.ts'
import { mapValue } from './haproxy.ts'
import type { Target } from './sessions.ts'

/** A session that HAProxy carries to a desktop. */
export interface CarriedSession {
  id: string
  /** `host|port` of the desktop, as it stands in the map. */
  desktop: string
}

/** HAProxy's runtime socket (management guide §9.3): its map changes, and sessions end, without a restart. */
export interface HaproxyRuntime {
  /** What stands in its map now. */
  tickets(): Promise<Map<string, string>>
  /** Adds, changes and removes (null) tickets. */
  change(tickets: ReadonlyMap<string, Target | null>): Promise<void>
  sessions(): Promise<CarriedSession[]>
  /** Ends sessions. Those that are over already are none to end. */
  shutdown(ids: readonly string[]): Promise<void>
}

/** A command line of HAProxy's is at most one of its buffers. */
const longestLine = 12_000
const answerMillis = 5_000

/** @throws Outage `haproxy_unreachable`, transient, from each call when the socket does not answer. */
export function haproxyRuntime(socketPath: string, mapPath: string): HaproxyRuntime {
  const ask = (command: string) => askSocket(socketPath, command)

  async function askAll(commands: readonly string[]): Promise<void> {
    let line = ''
    for (const command of commands) {
      if (line.length + command.length > longestLine) {
        await ask(line)
        line = ''
      }
      line += line === '' ? command : `;${command}`
    }
    if (line !== '') await ask(line)
  }

  return {
    async tickets() {
      const rows = (await ask(`show map ${mapPath}`)).split('\n').map((row) => row.split(' '))
      return new Map(
        rows.flatMap(([, ticket, value]) => (value === undefined ? [] : [[ticket ?? '', value]])),
      )
    },
    async change(tickets) {
      const commands = [...tickets].flatMap(([ticket, target]) => [
        `del map ${mapPath} ${ticket}`,
        ...(target === null ? [] : [`add map ${mapPath} ${ticket} ${mapValue(target)}`]),
      ])
      await askAll(commands)
    },
    async sessions() {
      const text = await ask('show sess all')
      return text.split(/^(?=0x)/m).flatMap((block) => {
        const id = /^(0x[0-9a-f]+):/.exec(block)?.[1]
        const address = /^ +server=dynamic .* addr=(\S+)$/m.exec(block)?.[1]
        return id === undefined || address === undefined ? [] : [{ id, desktop: asMapValue(address) }]
      })
    },
    shutdown: (ids) => askAll(ids.map((id) => `shutdown session ${id}`)),
  }
}

/** `127.0.0.1:3389` and `2001:db8::1:3389` (as HAProxy writes it) in the form of the map. */
function asMapValue(address: string): string {
  const at = address.lastIndexOf(':')
  const host = address.slice(0, at).replace(/^\[|\]$/g, '')
  return mapValue({ host: isIPv6(host) ? host : host, port: Number(address.slice(at + 1)) })
}

async function askSocket(path: string, command: string): Promise<string> {
  const socket = connect(path)
  socket.setTimeout(answerMillis, () => socket.destroy(new Error(`no answer in ${answerMillis} ms`)))
  let answer = ''
  try {
    socket.setEncoding('utf8').on('data', (text: string) => (answer += text))
    socket.write(`${command}\n`)
    await once(socket, 'close')
    return answer
  } catch (cause) {
    throw new Outage('haproxy_unreachable', `HAProxy at ${path}: ${messageOf(cause)}`, {
      transient: true,
      cause,
    })
  }
}
