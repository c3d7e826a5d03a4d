import { once } from 'node:events'
import { chmod, mkdir, rm } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { dirname } from 'node:path'
import { messageOf, Outage } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { Hypervisor } from './hypervisor.ts'
import type { ServerAddress } from './simulator-rule.ts'
import { Asked, eachLine, type Question, sendLine, writable } from './simulator-wire.ts'

export interface SimulatorServer {
  /** Breaks off what is asked for, hangs up and listens no more. Harmless twice. */
  close(): Promise<void>
}

/**
 * Serves a hypervisor to other processes of this machine. A socket is for the user alone who started it; a port is for
 * whoever is on this machine.
 * @throws Outage `simulator_cannot_listen`.
 */
export async function serveSimulator(
  hypervisor: Hypervisor,
  where: ServerAddress,
  log: Log,
): Promise<SimulatorServer> {
  const clients = new Set<Socket>()
  const server = createServer((socket) => {
    clients.add(socket)
    socket.on('close', () => clients.delete(socket))
    socket.on('error', (error) => log.debug({ error: error.message }, 'a client of the simulator failed'))
    serve(hypervisor, socket, log)
  })
  await listen(server, where)
  server.on('error', (error) => log.error({ error: error.message }, 'the simulator listens no more'))
  return {
    async close() {
      if (!server.listening) return
      const closed = once(server, 'close')
      server.close()
      for (const client of clients) client.destroy()
      await closed
    },
  }
}

async function listen(server: Server, where: ServerAddress): Promise<void> {
  try {
    if ('path' in where) await clear(where.path)
    server.listen(where)
    await once(server, 'listening')
    if ('path' in where) await chmod(where.path, 0o600)
  } catch (cause) {
    const name = 'path' in where ? where.path : `${where.host}:${where.port}`
    const detail = `The simulator cannot listen on ${name}: ${messageOf(cause)}`
    throw new Outage('simulator_cannot_listen', detail, { transient: false, cause })
  }
}

/** A socket that nobody listens on is left over from a crash. */
async function clear(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const probe = connect(path)
  try {
    await once(probe, 'connect')
  } catch {
    await rm(path, { force: true })
    return
  } finally {
    probe.destroy()
  }
  throw new Error('another process listens there')
}

function serve(hypervisor: Hypervisor, socket: Socket, log: Log): void {
  const asked = new Map<number, AbortController>()

  async function answer(id: number, question: Asking): Promise<void> {
    const stop = new AbortController()
    asked.set(id, stop)
    try {
      const found = await perform(hypervisor, question, stop.signal)
      if (!stop.signal.aborted) sendLine(socket, { id, answer: found ?? null })
    } catch (error) {
      if (!stop.signal.aborted) failed(id, question, error)
    } finally {
      asked.delete(id)
    }
  }

  function failed(id: number, question: Question, error: unknown): void {
    if (error instanceof Outage) {
      const { code, message: detail, transient } = error
      sendLine(socket, { id, outage: { code, detail, transient } })
    } else {
      log.error({ call: question.call, error: messageOf(error) }, 'the simulator made a mistake')
      sendLine(socket, { id, mistake: messageOf(error) })
    }
  }

  /** From here on the connection belongs to one console. */
  async function lend(id: number, question: ConsoleQuestion): Promise<void> {
    const begun = stopReading()
    const stop = new AbortController()
    asked.set(id, stop)
    try {
      const line = await hypervisor.console(question.ref, question.kind, stop.signal)
      sendLine(socket, { id, answer: null })
      line.write(begun)
      line.on('close', () => socket.destroy())
      line.on('error', () => socket.destroy())
      socket.on('close', () => line.destroy())
      line.pipe(socket).pipe(line)
    } catch (error) {
      failed(id, question, error)
      socket.end()
    }
  }

  const stopReading = eachLine(socket, Asked, ({ id, ask }) => {
    if (ask === 'cancel') asked.get(id)?.abort()
    else if (ask.call === 'console') void lend(id, ask)
    else void answer(id, ask)
  })
  socket.on('close', () => asked.forEach((stop) => stop.abort()))
}

type ConsoleQuestion = Extract<Question, { call: 'console' }>
type Asking = Exclude<Question, ConsoleQuestion>

function perform(hypervisor: Hypervisor, question: Asking, signal: AbortSignal): Promise<unknown> {
  switch (question.call) {
    case 'inventory':
      return hypervisor.inventory(signal)
    case 'status':
      return hypervisor.status(question.ref, signal)
    case 'provision':
      return hypervisor.provision(question.spec, question.stage, signal)
    case 'resize':
      return hypervisor.resize(question.ref, question.size, signal)
    case 'images':
      return hypervisor.images(signal)
    case 'figures':
      return hypervisor.figures(question.ref, signal).then(writable)
    case 'snapshot':
    case 'revert':
    case 'forget':
    case 'capture':
    case 'exportImage':
    case 'importImage':
    case 'passage':
    case 'migrate':
      return hypervisor[question.call](question.ref, question.word, signal)
    default:
      return hypervisor[question.call](question.ref, signal)
  }
}
