import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Duplex } from 'node:stream'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createWebSocketStream, WebSocketServer } from 'ws'
import { type FakeScreen, openProxy, type Proxies, screenOf, terminalOf } from './console.ts'
import { broadcast, type Farm, newFarm, stopTask, tick, vmOn } from './farm.ts'
import { Answer, type FakeVm } from './machines.ts'
import { type Call, calls, faultsOf, privilegeFor } from './schema.ts'
import * as switching from './switching.ts'
import * as verbs from './verbs.ts'

export interface FakeProxmoxOptions {
  /** The token that is let in, as `USER@REALM!ID=SECRET`. */
  token: string
  privileges: readonly string[]
  /** A certificate and its key (PEM), for HTTPS. */
  tls?: { cert: string; key: string }
  screen?: FakeScreen
}

export interface FakeProxmox {
  url: string
  farm: Farm
  /** Everything that was asked, as `GET /nodes`. */
  asked: string[]
  /** How many requests came, whoever from, and over how many connections. */
  readonly requests: number
  readonly connections: number
  /** What the next requests to a path get instead of their answer. */
  fail(path: RegExp, status: number, reason: string, times?: number): void
  broadcast(): void
  /** A folder that nodes see as storage `exchange`. */
  folder: string
  close(): Promise<void>
}

type Verb = (asked: verbs.Asked) => unknown

/** A fake of the REST API of Proxmox VE: a real server, strict where the real one is. It is not Proxmox VE. */
export async function fakeProxmox(options: FakeProxmoxOptions): Promise<FakeProxmox> {
  const folder = await mkdtemp(join(tmpdir(), 'jackdaw-pve-'))
  const farm = newFarm(folder)
  farm.privileges = new Set(options.privileges)
  const proxies: Proxies = new Map()
  const asked: string[] = []
  let [requests, connections] = [0, 0]
  const planned: { path: RegExp; status: number; reason: string; left: number }[] = []
  const doing = handlers(farm, proxies)

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    requests += 1
    const body = await textOf(request)
    const url = new URL(request.url ?? '/', 'http://fake')
    const method = request.method ?? ''
    const path = url.pathname.replace(/^\/api2\/json/, '')
    try {
      checkToken(request.headers.authorization, options.token)
      asked.push(`${method} ${path}`)
      tick(farm)
      const plan = planned.find((one) => one.left > 0 && one.path.test(path))
      if (plan !== undefined) {
        plan.left -= 1
        throw new Answer(plan.status, plan.reason)
      }
      send(response, 200, 'OK', { data: handle({ method, path, url, body }) ?? null })
    } catch (error) {
      if (!(error instanceof Answer)) throw error
      const reason = (error.message.split('\n')[0] ?? '').replace(/[^\x20-\x7e]/g, '')
      const errors = Object.keys(error.errors).length === 0 ? {} : { errors: error.errors }
      send(response, error.status, reason, { data: null, message: error.message, ...errors })
    }
  }

  function handle(said: { method: string; path: string; url: URL; body: string }): unknown {
    const { method, path, url, body } = said
    const found = calls.map((call) => ({ call, words: wordsIn(call.path, path) }))
    const match = found.find(({ call, words }) => call.method === method && words !== undefined)
    const { call, words } = match ?? {}
    if (call === undefined || words === undefined)
      throw new Answer(501, `Method '${method} ${path}' not implemented`)
    if (body !== '' && method !== 'POST' && method !== 'PUT') {
      throw new Answer(501, `Unexpected content for method '${method}'`)
    }
    const given = new Map(new URLSearchParams(method === 'POST' || method === 'PUT' ? body : url.search))
    const faults = faultsOf(call, given)
    if (Object.keys(faults).length > 0) throw new Answer(400, 'Parameter verification failed.', faults)
    checkNode(farm, words.node)
    const user = options.token.slice(0, options.token.indexOf('='))
    const context = {
      farm,
      node: words.node ?? '',
      vmid: Number(words.vmid),
      name: words.snapname ?? '',
      given,
      user,
    }
    checkPrivileges(farm, call, context)
    const verb = doing.get(`${call.method} ${call.path}`)
    if (verb === undefined) throw new Answer(501, `the fake does not do ${call.method} ${call.path}`)
    return verb({ ...context, name: words.snapname ?? words.upid ?? '' })
  }

  const server = options.tls === undefined ? createServer() : createTlsServer(options.tls)
  const open = new Set<Duplex>()
  server.on('connection', (socket: Duplex) => {
    connections += 1
    open.add(socket)
    socket.once('close', () => open.delete(socket))
  })
  server.on('request', (request, response) => void answer(request, response))
  server.on('upgrade', upgradeOf(options, proxies))
  await listen(server)
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: `${options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    farm,
    asked,
    get requests() {
      return requests
    },
    get connections() {
      return connections
    },
    folder,
    fail: (path, status, reason, times = 1) => planned.push({ path, status, reason, left: times }),
    broadcast: () => broadcast(farm),
    async close() {
      for (const socket of open) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function listen(server: Server): Promise<void> {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
}

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of request) if (part instanceof Buffer) parts.push(part)
  return Buffer.concat(parts).toString('utf8')
}

function send(response: ServerResponse, status: number, reason: string, body: object): void {
  response.writeHead(status, reason, { 'content-type': 'application/json;charset=UTF-8' })
  response.end(JSON.stringify(body))
}

function wordsIn(pattern: string, path: string): Record<string, string> | undefined {
  const shape = pattern.replace(/\{(\w+)\}/g, '(?<$1>[^/]+)')
  const groups = new RegExp(`^${shape}$`).exec(path)
  if (groups === null) return undefined
  return Object.fromEntries(
    Object.entries(groups.groups ?? {}).map(([key, value]) => [key, decodeURIComponent(value)]),
  )
}

function checkToken(header: string | undefined, token: string): void {
  if (header === undefined) throw new Answer(401, 'No ticket')
  if (header !== `PVEAPIToken=${token}`) throw new Answer(401, 'Authentication failed!')
}

/** The node that is asked passes what is for another on to it, and says when that gives no answer. */
function checkNode(farm: Farm, node: string | undefined): void {
  if (node === undefined) return
  const known = farm.nodes.get(node)
  if (known === undefined) throw new Answer(500, `hostname lookup '${node}' failed - no such node`)
  if (!known.isUp) throw new Answer(595, `Connection refused`)
}

function checkPrivileges(farm: Farm, call: Call, { vmid, node, given }: verbs.Asked): void {
  const made = given.get('newid') ?? given.get('vmid') ?? ''
  const needed = call.needs.map((need) => {
    const [where = '', privilege = ''] = need.split(' ')
    return { path: where === 'node' ? `/nodes/${node}` : `/vms/${where === 'new' ? made : vmid}`, privilege }
  })
  const isConfig = call.method !== 'GET' && /\/(config|qemu)$/.test(call.path)
  const gone = (given.get('delete') ?? '').split(/[,; ]+/).filter((key) => key !== '')
  const options: [string, string][] = [
    ...[...given].filter(([key]) => !['delete', 'vmid', 'pool'].includes(key)),
    ...gone.map((key): [string, string] => [key, '']),
  ]
  const changed = (isConfig ? options : []).map(([key, value]) => ({
    path: `/vms/${vmid}`,
    privilege: privilegeFor(key, value) ?? '',
  }))
  const state = given.get('todisk') === '1' ? [{ path: `/vms/${vmid}`, privilege: 'VM.Config.Disk' }] : []
  const missing = [...needed, ...changed, ...state].find(({ privilege }) => !farm.privileges.has(privilege))
  if (missing !== undefined) {
    throw new Answer(403, `Permission check failed (${missing.path}, ${missing.privilege})`)
  }
}

function handlers(farm: Farm, proxies: Proxies): Map<string, Verb> {
  const vm = '/nodes/{node}/qemu/{vmid}'
  const one = ({ node, vmid }: verbs.Asked) => vmOn(farm, node, vmid)
  return new Map<string, Verb>([
    ['GET /nodes', () => nodeRows(farm)],
    ['GET /nodes/{node}/status', ({ node }) => nodeStatus(farm, node)],
    [
      'GET /nodes/{node}/storage',
      () => [...farm.storages].map(([storage, { shared }]) => ({ storage, shared: shared ? 1 : 0 })),
    ],
    ['GET /cluster/resources', () => resourceRows(farm)],
    ['GET /cluster/nextid', ({ given }) => String(nextId(farm, given.get('vmid')))],
    ['GET /cluster/tasks', () => (farm.privileges.has('Sys.Audit') ? taskRows(farm) : [])],
    ['GET /nodes/{node}/tasks/{upid}/status', ({ name }) => taskStatus(farm, name)],
    [
      'GET /nodes/{node}/tasks/{upid}/log',
      ({ name, given }) => taskLog(farm, name, Number(given.get('start') ?? 0)),
    ],
    ['DELETE /nodes/{node}/tasks/{upid}', ({ name }) => stopTask(taskNamed(farm, name))],
    ['GET /nodes/{node}/qemu', ({ node, given }) => listRows(farm, node, given.get('full') === '1')],
    ['POST /nodes/{node}/qemu', verbs.create],
    [`GET ${vm}/config`, (asked) => configOf(one(asked))],
    [`PUT ${vm}/config`, verbs.configure],
    [`POST ${vm}/config`, verbs.configure],
    [`GET ${vm}/pending`, (asked) => pendingOf(one(asked))],
    [`DELETE ${vm}`, verbs.destroy],
    [`POST ${vm}/clone`, verbs.clone],
    [
      `GET ${vm}/status/current`,
      (asked) => ({
        ...rowOf(one(asked), true),
        agent: one(asked).config.agent === undefined ? undefined : 1,
        ha: haOf(one(asked)),
      }),
    ],
    [`POST ${vm}/status/start`, switching.start],
    [`POST ${vm}/status/stop`, switching.stop],
    [`POST ${vm}/status/shutdown`, switching.shutdown],
    [`POST ${vm}/status/reset`, switching.reset],
    [`POST ${vm}/status/suspend`, switching.suspend],
    [`POST ${vm}/status/resume`, switching.resume],
    [`GET ${vm}/snapshot`, (asked) => snapshotRows(one(asked))],
    [`POST ${vm}/snapshot`, verbs.takeSnapshot],
    [`DELETE ${vm}/snapshot/{snapname}`, verbs.dropSnapshot],
    [`POST ${vm}/snapshot/{snapname}/rollback`, verbs.rollBack],
    [`POST ${vm}/template`, verbs.template],
    [`GET ${vm}/migrate`, switching.checkMigration],
    [`POST ${vm}/migrate`, switching.migrate],
    [`POST ${vm}/vncproxy`, (asked) => openProxy(asked, proxies, 'screen')],
    [`POST ${vm}/termproxy`, (asked) => openProxy(asked, proxies, 'serial')],
    [`POST ${vm}/agent/ping`, switching.ping],
    [`GET ${vm}/agent/network-get-interfaces`, switching.interfaces],
  ])
}

function nodeRows(farm: Farm): object[] {
  return [...farm.nodes].map(([node, { isUp }]) =>
    isUp
      ? { node, status: 'online', maxcpu: 16, maxmem: 64 * 2 ** 30, type: 'node' }
      : { node, status: 'offline', type: 'node' },
  )
}

function nodeStatus(farm: Farm, node: string): object {
  const model = farm.nodes.get(node)?.cpu
  return {
    pveversion: 'pve-manager/9.0.6/49c767b70aeb6648',
    cpuinfo: { model, cpus: 16, cores: 8, sockets: 1 },
  }
}

function nextId(farm: Farm, asked: string | undefined): number {
  if (asked !== undefined && farm.vms.has(Number(asked))) {
    throw new Answer(400, 'Parameter verification failed.', { vmid: `VM ${asked} already exists` })
  }
  if (asked !== undefined) return Number(asked)
  let id = 100
  while (farm.vms.has(id)) id += 1
  return id
}

/** Where a machine is, its tags and its lock are as they are; the rest is what was told last. */
function resourceRows(farm: Farm): object[] {
  return [...farm.vms.values()].map((vm) => {
    const told = farm.told.get(vm.vmid)
    const { tags, lock } = vm.config
    return {
      id: `qemu/${vm.vmid}`,
      type: 'qemu',
      vmid: vm.vmid,
      node: vm.node,
      status: told?.status ?? 'unknown',
      ...(told === undefined ? {} : { name: told.name, template: told.isTemplate ? 1 : 0 }),
      ...(tags === undefined ? {} : { tags }),
      ...(lock === undefined ? {} : { lock }),
    }
  })
}

function taskRows(farm: Farm): object[] {
  return [...farm.tasks.values()].map(({ upid, node, type, id, exit }) => ({
    ...{ upid, node, type, id, user: 'root@pam' },
    ...(exit === undefined ? {} : { endtime: 1_700_000_100, status: exit }),
  }))
}

function taskNamed(farm: Farm, upid: string) {
  const task = farm.tasks.get(upid)
  if (task === undefined) throw new Answer(500, `no such task`)
  return task
}

function taskStatus(farm: Farm, upid: string): object {
  const { exit, node, type, id } = taskNamed(farm, upid)
  const status = exit === undefined ? { status: 'running' } : { status: 'stopped', exitstatus: exit }
  return { upid, node, type, id, user: 'root@pam', ...status }
}

function taskLog(farm: Farm, upid: string, from: number): object[] {
  const lines = taskNamed(farm, upid).log.slice(from)
  return lines.length === 0
    ? [{ n: 1, t: 'no content' }]
    : lines.map((t, index) => ({ n: from + index + 1, t }))
}

function listRows(farm: Farm, node: string, isFull: boolean): object[] {
  return [...farm.vms.values()].filter((vm) => vm.node === node).map((vm) => rowOf(vm, isFull))
}

function rowOf(vm: FakeVm, isFull: boolean): object {
  const { name = `VM ${vm.vmid}`, tags, lock, cores = '1', memory = '512' } = vm.config
  const runs = vm.qmp !== undefined
  if (runs) vm.seconds += 1
  const memoryBytes = Number(memory) * 2 ** 20
  const full = { qmpstatus: vm.qmp ?? 'stopped', ...(runs ? trafficOf(vm) : {}) }
  return {
    vmid: vm.vmid,
    name,
    status: runs ? 'running' : 'stopped',
    cpus: Number(cores),
    cpu: runs ? 0.25 : 0,
    mem: runs ? memoryBytes / 2 : 0,
    maxmem: memoryBytes,
    maxdisk: 8 * 2 ** 30,
    uptime: runs ? vm.seconds : 0,
    ...(vm.isTemplate ? { template: 1 } : {}),
    ...(tags === undefined ? {} : { tags }),
    ...(lock === undefined ? {} : { lock }),
    ...(isFull ? full : {}),
  }
}

function trafficOf(vm: FakeVm): object {
  return {
    nics: { [`tap${vm.vmid}i0`]: { netin: 1234, netout: 567 } },
    blockstat: { scsi0: { rd_bytes: 4096, wr_bytes: 8192 } },
  }
}

function haOf(vm: FakeVm): object {
  return vm.ha === undefined ? { managed: 0 } : { managed: 1, state: vm.ha }
}

function configOf(vm: FakeVm): object {
  return { ...vm.config, ...vm.pending, digest: '0'.repeat(40), ...(vm.isTemplate ? { template: 1 } : {}) }
}

function pendingOf(vm: FakeVm): object[] {
  return Object.entries({ ...vm.config, ...vm.pending }).map(([key, value]) => {
    const waits = vm.pending[key]
    return waits === undefined ? { key, value } : { key, value: vm.config[key], pending: waits }
  })
}

function snapshotRows(vm: FakeVm): object[] {
  const rows = [...vm.snapshots].map(([name, { description, snaptime, hasMemory }]) => ({
    ...{ name, description, snaptime, vmstate: hasMemory ? 1 : 0 },
  }))
  return [...rows, { name: 'current', description: 'You are here!', running: vm.qmp === undefined ? 0 : 1 }]
}

/** `vncwebsocket`: the token again, and the ticket of the proxy that was made for this machine. */
function upgradeOf(options: FakeProxmoxOptions, proxies: Proxies) {
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => 'binary' })
  return (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const url = new URL(request.url ?? '/', 'http://fake')
    const words = wordsIn('/api2/json/nodes/{node}/qemu/{vmid}/vncwebsocket', url.pathname)
    const port = Number(url.searchParams.get('port'))
    const waiting = proxies.get(port)
    proxies.delete(port)
    const ticket = (url.searchParams.get('vncticket') ?? '').replace(/^[^:]*:(?=PVEVNC:)/, '')
    const isRight = waiting?.ticket === ticket && waiting.vmid === Number(words?.vmid)
    if (request.headers.authorization !== `PVEAPIToken=${options.token}` || !isRight) {
      socket.end('HTTP/1.1 401 permission denied - invalid PVEVNC ticket\r\n\r\n')
      return
    }
    sockets.handleUpgrade(request, socket, head, (web) => {
      const stream = createWebSocketStream(web)
      stream.on('error', () => {})
      if (waiting.kind === 'serial') terminalOf(stream, waiting)
      else screenOf(stream, waiting, options.screen ?? { security: 1, isRight: () => false })
    })
  }
}
