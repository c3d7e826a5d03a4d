import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { aSimulator, aSpec, never, provision, type Simulated } from './simulated.ts'

let hypervisor: Simulated
let sockets: Socket[] = []

beforeEach(async () => {
  hypervisor = await aSimulator()
  await provision(hypervisor, aSpec())
})

afterEach(async () => {
  for (const socket of sockets) socket.destroy()
  sockets = []
  await hypervisor.close()
})

// Taken from real clients, cookies shortened; the confirm is MS-RDPBCGR 2.2.1.2 by hand.
const cookie = Buffer.from('Cookie: mstshash=bob\r\n').toString('hex')
const withNegotiation = (protocols: string) => `0300002924e00000000000${cookie}01000800${protocols}`

test.each([
  [
    'TLS where TLS and CredSSP are offered',
    withNegotiation('03000000'),
    '030000130ed000001234000200080001000000',
  ],
  [
    'CredSSP where only that is offered',
    withNegotiation('02000000'),
    '030000130ed000001234000200080002000000',
  ],
  [
    'plain RDP where nothing is offered',
    withNegotiation('00000000'),
    '030000130ed000001234000200080000000000',
  ],
  ['nothing where it is not asked', `030000211ce00000000000${cookie}`, '0300000b06d00000123400'],
  [
    'TLS without a cookie',
    '030000130ee000000000000100080001000000',
    '030000130ed000001234000200080001000000',
  ],
  ['the reference of the client', '0300000b06e00000abcd00', '0300000b06d0abcd123400'],
])('a connection request is confirmed with %s', async (_what, request, confirm) => {
  const socket = await dial()

  socket.write(Buffer.from(request, 'hex'))

  expect(await read(socket, confirm.length / 2)).toBe(confirm)
})

test('a request may come in pieces, and what follows it is sent back byte for byte', async () => {
  const socket = await dial()
  const request = Buffer.from(withNegotiation('01000000'), 'hex')

  for (const byte of request.subarray(0, -1)) socket.write(Buffer.of(byte))
  socket.write(Buffer.concat([request.subarray(-1), Buffer.from('together with it')]))
  const first = await read(socket, 19 + 16)
  socket.write(Buffer.from([0, 255, 3, 13, 10]))
  const second = await read(socket, 5)

  expect(first).toBe(
    `030000130ed000001234000200080001000000${Buffer.from('together with it').toString('hex')}`,
  )
  expect(second).toBe('00ff030d0a')
})

test.each([
  ['another protocol', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  ['a preconnection blob', Buffer.from('1200000000000000010000000000000000000000', 'hex')],
  ['another X.224 packet', Buffer.from('0300000c02f0800000000000', 'hex')],
  ['lengths that disagree', Buffer.from('0300002925e00000000000', 'hex')],
])('a connection that begins with %s is closed without an answer', async (_what, bytes) => {
  const socket = await dial()

  socket.write(bytes)

  expect(await readToEnd(socket)).toBe('')
})

test.each([
  ['shut down', () => hypervisor.shutdown('m-1', never)],
  ['saved', () => hypervisor.save('m-1', never)],
  ['powered off', () => hypervisor.powerOff('m-1', never)],
  ['removed', () => hypervisor.remove('m-1', never)],
  ['gone', () => hypervisor.vanish('m-1')],
])('when the machine is %s its sessions end and nobody listens', async (_what, end) => {
  const socket = await session()

  await end()

  expect(await readToEnd(socket)).toBe('')
  expect((await hypervisor.status('m-1', never)).rdp).toBeNull()
})

test.each([
  ['reset', () => hypervisor.reset('m-1', never)],
  ['cleaned', () => hypervisor.restoreClean('m-1', never)],
  ['resized', () => hypervisor.resize('m-1', { cpus: 2, memoryGb: 2 }, never)],
])(
  'when the machine is %s its sessions end and it takes new ones at the same place',
  async (_what, restart) => {
    const socket = await session()
    const before = await hypervisor.status('m-1', never)

    await restart()

    expect(await readToEnd(socket)).toBe('')
    expect((await hypervisor.status('m-1', never)).rdp).toEqual(before.rdp)
    expect((await session()).readyState).toBe('open')
  },
)

test('a silent host does not end the sessions on its machines', async () => {
  const socket = await session()

  hypervisor.setHost('big', { reachable: false })

  socket.write('still here')
  expect(await read(socket, 10)).toBe(Buffer.from('still here').toString('hex'))
})

test('a stopped machine listens at the same place again when it starts', async () => {
  const before = await hypervisor.status('m-1', never)

  await hypervisor.powerOff('m-1', never)
  await hypervisor.start('m-1', never)

  expect((await hypervisor.status('m-1', never)).rdp).toEqual(before.rdp)
})

test('a start and a stop at once leave no listener behind', async () => {
  await hypervisor.powerOff('m-1', never)

  await Promise.allSettled([hypervisor.start('m-1', never), hypervisor.powerOff('m-1', never)])
  await hypervisor.powerOff('m-1', never)

  await expect(dialPort(hypervisor.machine('m-1')?.rdpPort ?? 0)).rejects.toMatchObject({
    code: 'ECONNREFUSED',
  })
})

test('a Linux machine has no RDP server', async () => {
  await provision(hypervisor, aSpec({ ref: 'm-2', os: 'linux' }))

  expect(await hypervisor.status('m-2', never)).toMatchObject({ power: 'running', rdp: null })
})

test.each([
  ['127.0.0.1:13389', { host: '127.0.0.1', port: 13389 }],
  ['[::1]:3389', { host: '::1', port: 3389 }],
])('with a real RDP server at %s, that is where machines are', async (rdpAddress, rdp) => {
  const other = await aSimulator({ rule: { rdpAddress } })
  await provision(other, aSpec())

  const status = await other.status('m-1', never)

  expect(status.rdp).toEqual(rdp)
  expect(other.machine('m-1')?.rdpPort).toBeNull()
  await other.close()
})

async function dial(): Promise<Socket> {
  const { rdp } = await hypervisor.status('m-1', never)
  return dialPort(rdp?.port ?? 0)
}

async function dialPort(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  sockets.push(socket)
  await once(socket, 'connect')
  return socket
}

async function session(): Promise<Socket> {
  const socket = await dial()
  socket.write(Buffer.from(withNegotiation('01000000'), 'hex'))
  await read(socket, 19)
  return socket
}

/** The next bytes, in hex. */
async function read(socket: Socket, length: number): Promise<string> {
  for (;;) {
    const chunk: unknown = socket.read(length)
    if (Buffer.isBuffer(chunk)) return chunk.toString('hex')
    await once(socket, 'readable')
  }
}

async function readToEnd(socket: Socket): Promise<string> {
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  socket.on('error', () => undefined)
  if (!socket.closed) await once(socket, 'close')
  return Buffer.concat(chunks).toString('hex')
}
