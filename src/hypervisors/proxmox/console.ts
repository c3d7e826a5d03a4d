import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { createWebSocketStream, WebSocket } from 'ws'
import type { Hypervisor } from '../hypervisor.ts'
import { hypervisorUnreachable, refused } from '../outages.ts'
import { Proxy } from './answers.ts'
import type { Cluster, Place } from './cluster.ts'
import { signedInScreen } from './rfb.ts'
import { powerOf } from './state.ts'
import { signedInTerminal } from './terminal.ts'

/** How long an RFB server or a terminal may take to greet. Its proxy waits for us for ten seconds. */
const greetMillis = 10_000
const largestFrame = 16 * 1024 * 1024

/** Screens and serial lines. */
export function consoles(world: Cluster): Pick<Hypervisor, 'console'> {
  return {
    async console(ref, kind, signal) {
      signal.throwIfAborted()
      const place = await world.machine(ref, signal)
      const power = powerOf(await world.status(place, signal))
      if (power !== 'running' && power !== 'paused')
        throw refused(`Machine ${ref} is ${power}, and has no ${kind} then.`)
      return kind === 'screen' ? screen(world, place, signal) : serial(world, place, signal)
    },
  }
}

async function screen(world: Cluster, place: Place, signal: AbortSignal): Promise<Duplex> {
  const path = `/nodes/${place.node}/qemu/${place.vmid}`
  const proxy = await world.client.post(`${path}/vncproxy`, Proxy, signal, { websocket: true })
  return signedIn(world, path, proxy, signal, (stream) =>
    signedInScreen(stream, proxy.password ?? proxy.ticket),
  )
}

async function serial(world: Cluster, place: Place, signal: AbortSignal): Promise<Duplex> {
  const config = await world.config(place, signal)
  const line = ['serial0', 'serial1', 'serial2', 'serial3'].find((name) => config[name] === 'socket')
  if (line === undefined) {
    throw refused(
      `Machine ${place.ref} has no serial line. Its template needs one: qm set VMID --serial0 socket.`,
    )
  }
  const path = `/nodes/${place.node}/qemu/${place.vmid}`
  const proxy = await world.client.post(`${path}/termproxy`, Proxy, signal, { serial: line })
  return signedIn(world, path, proxy, signal, (stream) => signedInTerminal(stream, proxy))
}

/** Opens the WebSocket of a proxy, and signs in there. */
async function signedIn(
  world: Cluster,
  path: string,
  { port, ticket }: { port: number; ticket: string },
  signal: AbortSignal,
  greet: (stream: Duplex) => Promise<Duplex>,
): Promise<Duplex> {
  const { socket, url, headers } = await world.client.upgrade(
    `${path}/vncwebsocket`,
    { port, vncticket: ticket },
    signal,
  )
  const web = new WebSocket(url, 'binary', {
    headers,
    createConnection: () => socket,
    maxPayload: largestFrame,
    perMessageDeflate: false,
    followRedirects: false,
  })
  // Before it is open: the greeting may come in one piece with the answer to the upgrade.
  const stream = createWebSocketStream(web)
  // Whoever takes the stream hears of its end; until then nobody does.
  stream.on('error', () => {})
  const limit = AbortSignal.any([signal, AbortSignal.timeout(greetMillis)])
  const giveUp = () => web.terminate()
  limit.addEventListener('abort', giveUp, { once: true })
  try {
    await once(web, 'open')
    return await greet(stream)
  } catch (error) {
    web.terminate()
    signal.throwIfAborted()
    throw error instanceof Error && error.name === 'Outage'
      ? error
      : hypervisorUnreachable(world.rule.name, error)
  } finally {
    limit.removeEventListener('abort', giveUp)
  }
}
