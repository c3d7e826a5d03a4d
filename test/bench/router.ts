import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { request } from '../broker/router/packets.ts'
import { perSecond, type Row } from './measure.ts'
import { type Label, openPeers, type Peer, type Peers } from './router-peers.ts'

const rounds = 5
const bulkMegabytes = 96
const idle = 1_500
const [exchanges, talkers] = [12_000, 50]
const dials = 1_500

/** Our router against HAProxy as a site would use it, each with its own process, in turns. */
export async function routerRows(): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'jackdaw-bench-'))
  const peers = await openPeers(folder, bulkMegabytes)
  try {
    const rows = [
      ...(await speedRows(peers, 'bulk through 1 connection', '>= 1.0', (peer) => bulk(peer, 1))),
      ...(await speedRows(peers, 'bulk through 8 connections', '>= 1.0', (peer) => bulk(peer, 8))),
      ...(await talkRows(peers)),
      ...(await speedRows(peers, 'connections per second', '>= 0.45', (peer) => opens(peer))),
      ...(await latencyRows(peers)),
    ]
    return [...rows, ...(await memoryRows(peers))]
  } finally {
    await peers.stop()
    await rm(folder, { recursive: true })
  }
}

/** A measure of each peer in each round; in another order each time. */
async function inTurns<T>(
  peers: readonly Peer[],
  measure: (peer: Peer) => Promise<T>,
): Promise<Map<Peer, T[]>> {
  const found = new Map<Peer, T[]>(peers.map((peer) => [peer, []]))
  for (const peer of peers) await measure(peer)
  for (let round = 0; round < rounds; round++) {
    const order = peers
      .map((_, at) => peers[(at + round) % peers.length])
      .filter((peer) => peer !== undefined)
    for (const peer of order) found.get(peer)?.push(await measure(peer))
  }
  return found
}

function ratios(mine: readonly number[] | undefined, theirs: readonly number[] | undefined): number[] {
  return (mine ?? []).map((each, round) => each / (theirs?.[round] ?? Number.NaN))
}

async function speedRows(
  { ours, plain, tuned, direct }: Peers,
  what: string,
  aim: string,
  measure: (peer: Peer) => Promise<number>,
): Promise<Row[]> {
  const found = await inTurns([ours, plain, tuned, direct], measure)
  const against = (peer: Peer) => ratios(found.get(ours), found.get(peer))
  return [
    { name: `router: ${what}`, against: 'HAProxy with 1 MB buffers', aim, ratios: against(tuned) },
    { name: '', against: 'HAProxy as it comes', ratios: against(plain) },
    { name: '', against: 'no router at all', ratios: against(direct) },
  ]
}

async function talkRows({ ours, plain, tuned, direct }: Peers): Promise<Row[]> {
  const found = await inTurns([ours, plain, tuned, direct], async (peer) => {
    const before = await peer.used()
    const speed = await talk(peer)
    const { cpuSeconds } = await peer.used()
    return { speed, cpu: (cpuSeconds - before.cpuSeconds) / exchanges }
  })
  const of = (peer: Peer, key: 'speed' | 'cpu') => found.get(peer)?.map((each) => each[key])
  const speed = (peer: Peer) => ratios(of(ours, 'speed'), of(peer, 'speed'))
  const tunedName = 'HAProxy with 1 MB buffers'
  return [
    { name: 'router: round trips, 50 connections', against: tunedName, aim: '>= 0.7', ratios: speed(tuned) },
    { name: '', against: 'HAProxy as it comes', ratios: speed(plain) },
    { name: '', against: 'no router at all', ratios: speed(direct) },
    {
      name: 'router: CPU per message',
      against: tunedName,
      aim: '<= 1.6',
      ratios: ratios(of(ours, 'cpu'), of(tuned, 'cpu')),
    },
    { name: '', against: 'HAProxy as it comes', ratios: ratios(of(ours, 'cpu'), of(plain, 'cpu')) },
  ]
}

/** One connection, one message at a time: what standing between the two ends costs. */
async function latencyRows({ ours, tuned, direct }: Peers): Promise<Row[]> {
  const found = await inTurns([ours, tuned, direct], latency)
  const of = (peer: Peer, key: 'p50' | 'p99') => found.get(peer)?.map((each) => each[key])
  const row = (key: 'p50' | 'p99', peer: Peer, name: string, against: string): Row => ({
    ...{ name, against },
    ratios: ratios(of(ours, key), of(peer, key)),
  })
  const added = (key: 'p50' | 'p99') => {
    const each = (of(ours, key) ?? []).map((mine, round) => mine - (of(direct, key)?.[round] ?? 0))
    return `${(1000 * ([...each].sort((a, b) => a - b)[Math.floor(each.length / 2)] ?? 0)).toFixed(0)} µs added here`
  }
  return [
    { ...row('p50', direct, 'router: latency of a message, p50', 'no router at all'), note: added('p50') },
    row('p50', tuned, '', 'HAProxy with 1 MB buffers'),
    { ...row('p99', direct, 'router: latency of a message, p99', 'no router at all'), note: added('p99') },
    row('p99', tuned, '', 'HAProxy with 1 MB buffers'),
  ]
}

async function memoryRows({ ours, tuned }: Peers): Promise<Row[]> {
  const each = async (peer: Peer): Promise<number> => {
    const before = (await peer.used()).bytes
    const sockets = await Promise.all(Array.from({ length: idle }, () => dial(peer, 'echo')))
    await Promise.all(sockets.map(exchange))
    const after = (await peer.used()).bytes
    for (const socket of sockets) socket.destroy()
    return (after - before) / idle
  }
  const [mine, theirs] = [await each(ours), await each(tuned)]
  return [
    {
      name: `router: memory of an idle connection of ${idle}`,
      against: '16 KB',
      aim: '<= 1.0',
      ratios: [mine / 16_384],
      note: `${(mine / 1024).toFixed(1)} KB each; HAProxy ${(theirs / 1024).toFixed(1)} KB`,
    },
  ]
}

/** Megabytes a second that come through, on so many connections together. */
async function bulk(peer: Peer, count: number): Promise<number> {
  const start = performance.now()
  const got = await Promise.all(
    Array.from({ length: count }, async () => {
      const socket = await dial(peer, 'bulk', Buffer.allocUnsafe(1024 * 1024))
      await once(socket, 'end')
      socket.destroy()
      return socket.bytesRead
    }),
  )
  const seconds = (performance.now() - start) / 1000
  const all = got.reduce((sum, bytes) => sum + bytes, 0)
  if (all !== count * bulkMegabytes * 1_048_576) throw new Error(`${peer.name}: ${all} bytes came`)
  return all / 1_048_576 / seconds
}

async function talk(peer: Peer): Promise<number> {
  const sockets = await Promise.all(Array.from({ length: talkers }, () => dial(peer, 'echo')))
  const start = performance.now()
  await Promise.all(
    sockets.map(async (socket) => {
      for (let each = 0; each < exchanges / talkers; each++) await exchange(socket)
    }),
  )
  const speed = exchanges / ((performance.now() - start) / 1000)
  for (const socket of sockets) socket.destroy()
  return speed
}

function opens(peer: Peer): Promise<number> {
  return perSecond(dials, 16, async () => {
    const socket = await dial(peer, 'bye')
    await once(socket.resume(), 'end')
    socket.destroy()
  })
}

async function latency(peer: Peer): Promise<{ p50: number; p99: number }> {
  const socket = await dial(peer, 'echo')
  const times: number[] = []
  for (let each = 0; each < 4_000; each++) {
    const start = performance.now()
    await exchange(socket)
    times.push(performance.now() - start)
  }
  socket.destroy()
  times.sort((a, b) => a - b)
  const at = (part: number) => times[Math.floor(part * times.length)] ?? Number.NaN
  return { p50: at(0.5), p99: at(0.99) }
}

const greeting = Object.fromEntries(
  (['bulk', 'echo', 'bye'] as const).map((label) => [
    label,
    Buffer.from(request(`Cookie: msts=${label}\r\n`, '0100080003000000'), 'hex'),
  ]),
)

/** A client that has said whom it is for. With a buffer, what comes is read into it and dropped. */
async function dial(peer: Peer, label: Label, buffer?: Buffer): Promise<Socket> {
  const onread = buffer === undefined ? {} : { onread: { buffer, callback: () => true } }
  const socket = connect({ host: '127.0.0.1', port: peer.port(label), noDelay: true, ...onread })
  await once(socket, 'connect')
  socket.write(greeting[label] ?? '')
  if (buffer !== undefined) socket.resume()
  return socket
}

const message = Buffer.alloc(64, 'm')

/** One message there and back. No two at a time on one connection. */
async function exchange(socket: Socket): Promise<void> {
  const back = once(socket, 'data')
  socket.write(message)
  await back
}
