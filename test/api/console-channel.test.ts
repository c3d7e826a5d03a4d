import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { once } from 'node:events'
import { WebSocket } from 'ws'
import { nobody } from '../../src/identity/person.ts'
import { closeSession } from '../../src/operations/close-session.ts'
import { powerOffMachine } from '../../src/operations/control-machine.ts'
import { listAudit } from '../../src/operations/list-audit.ts'
import { openConsole } from '../../src/operations/open-console.ts'
import { openSession } from '../../src/operations/open-session.ts'
import { transferMachine } from '../../src/operations/transfer-machine.ts'
import { minute } from '../operations/core.ts'
import { giveMachine, person } from '../stories/machine.ts'
import { openStorySite, type StorySite } from '../stories/site.ts'

let site: StorySite
const open: WebSocket[] = []
beforeEach(async () => {
  site = await openStorySite()
  const given = giveMachine(site, { name: 'webafs20' })
  await site.settle()
  await given
})
afterEach(async () => {
  for (const socket of open.splice(0)) socket.terminate()
  await site.close()
})

const perform: StorySite['service']['operations']['perform'] = (...given) =>
  site.service.operations.perform(...given)

async function ticketOf(user = 'alice', groups: string[] = []): Promise<string> {
  const wish = { name: 'webafs20', kind: 'serial' } as const
  const { url } = await perform(openConsole, person(user, groups), wish)
  return new URL(url).hash.slice(1)
}

async function sessionOf(user: string): Promise<string> {
  return (await perform(openSession, nobody('rest', '127.0.0.1'), { user, password: user })).token
}

interface Dialled {
  ticket: string
  session?: string | undefined
  origin?: string | undefined
}

function dial({ ticket, session, origin = site.url }: Dialled): WebSocket {
  const address = `${site.url.replace('http', 'ws')}/api/v1/console/channel`
  const headers = session === undefined ? {} : { Cookie: `jackdaw_session=${session}` }
  const socket = new WebSocket(address, ['jackdaw-console', ticket], {
    headers,
    ...(origin === '' ? {} : { origin }),
  })
  open.push(socket)
  return socket
}

/** Resolves once both ends are open, with what the machine says from then on. */
async function opened(socket: WebSocket): Promise<{ said: (words: string) => Promise<void> }> {
  let text = ''
  await new Promise<void>((resolve, reject) => {
    socket.on('message', (data, isBinary) => {
      if (isBinary && Buffer.isBuffer(data)) text += data.toString('utf8')
      else resolve()
    })
    socket.on('close', (_code, reason) => reject(new Error(reason.toString())))
    socket.on('error', reject)
  })
  return {
    said: async (words) => {
      while (!text.includes(words)) await once(socket, 'message')
    },
  }
}

async function closed(socket: WebSocket): Promise<{ code: number; reason: string }> {
  const closing = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }))
  })
  socket.on('error', () => undefined)
  return closing
}

async function status(socket: WebSocket): Promise<number | undefined> {
  return new Promise((resolve) => {
    socket.on('unexpected-response', (_request, response) => resolve(response.statusCode))
    socket.on('open', () => resolve(101))
    socket.on('error', () => undefined)
  })
}

test('a ticket and the cookie of its person open the serial line, and what is typed comes back', async () => {
  const socket = dial({ ticket: await ticketOf(), session: await sessionOf('alice') })

  const line = await opened(socket)
  socket.send(Buffer.from('hello\r'))

  await line.said('You typed: hello')
  expect(socket.protocol).toBe('jackdaw-console')
})

test('who asked for a console and who used it is kept, and no ticket', async () => {
  const ticket = await ticketOf()
  await opened(dial({ ticket, session: await sessionOf('alice') }))

  const { items } = await perform(listAudit, person('olga', ['operators']), {})

  const rows = items.filter(({ operation }) => operation.endsWith('-console'))
  expect(rows.map(({ actor, operation, subject, result }) => [actor, operation, subject, result])).toEqual([
    ['alice', 'enter-console', 'machine:webafs20', 'done'],
    ['alice', 'open-console', 'machine:webafs20', 'done'],
  ])
  expect(JSON.stringify(items)).not.toContain(ticket)
})

describe('a ticket is refused', () => {
  test('when it was used before', async () => {
    const [ticket, session] = [await ticketOf(), await sessionOf('alice')]
    await opened(dial({ ticket, session }))

    const again = await closed(dial({ ticket, session }))

    expect(again.code).toBe(4003)
    expect(again.reason).toContain('opened before')
  })

  test('when its minute is over', async () => {
    const [ticket, session] = [await ticketOf(), await sessionOf('alice')]
    await site.pass(minute)

    const late = await closed(dial({ ticket, session }))

    expect(late.code).toBe(4003)
    expect(late.reason).toContain('too old')
  })

  test('when somebody else brings it, and then still opens for its own person', async () => {
    const ticket = await ticketOf()

    const other = await closed(dial({ ticket, session: await sessionOf('olga') }))

    expect(other.code).toBe(4003)
    expect(other.reason).toContain('somebody else')
    await opened(dial({ ticket, session: await sessionOf('alice') }))
  })

  test('without a session', async () => {
    const ticket = await ticketOf()

    expect(await status(dial({ ticket }))).toBe(401)
    expect(await status(dial({ ticket, session: 'guessed' }))).toBe(401)
  })

  test.each(['https://elsewhere.example', 'null', ''])('from a page of "%s"', async (origin) => {
    const [ticket, session] = [await ticketOf(), await sessionOf('alice')]

    expect(await status(dial({ ticket, session, origin }))).toBe(403)
  })

  test('when the machine was stopped meanwhile', async () => {
    const [ticket, session] = [await ticketOf(), await sessionOf('alice')]
    await perform(powerOffMachine, person('alice'), { name: 'webafs20' })
    await site.settle()

    const late = await closed(dial({ ticket, session }))

    expect(late).toEqual({ code: 4003, reason: 'webafs20 is stopped; start it first.' })
  })
})

describe('a console that is open ends', () => {
  test('when its machine loses its power', async () => {
    const socket = dial({ ticket: await ticketOf(), session: await sessionOf('alice') })
    await opened(socket)
    const end = closed(socket)

    await perform(powerOffMachine, person('alice'), { name: 'webafs20' })
    await site.settle()

    expect(await end).toEqual({
      code: 4004,
      reason: 'webafs20 does not run any more: it was stopped, saved or removed.',
    })
  })

  test('when the session of whoever looks ends', async () => {
    const session = await sessionOf('alice')
    const socket = dial({ ticket: await ticketOf(), session })
    await opened(socket)
    const end = closed(socket)

    await perform(closeSession, person('alice'), { token: session })

    expect(await end).toEqual({ code: 4003, reason: 'Your session has ended. Sign in again.' })
  })

  test('when the machine becomes that of somebody else', async () => {
    const socket = dial({ ticket: await ticketOf(), session: await sessionOf('alice') })
    await opened(socket)
    const end = closed(socket)

    const olga = person('olga', ['operators'])
    await perform(transferMachine, olga, { name: 'webafs20', owner: 'carol', reason: 'alice moves on' })

    expect((await end).code).toBe(4003)
    expect((await end).reason).toBe('There is no machine webafs20, or it is not yours to see.')
  })

  test('when the service stops', async () => {
    const socket = dial({ ticket: await ticketOf(), session: await sessionOf('alice') })
    await opened(socket)
    const end = closed(socket)

    await site.service.stop()

    expect((await end).code).toBe(1001)
  })
})

test('a machine has four consoles at once, and the fifth is told so', async () => {
  const session = await sessionOf('alice')
  for (let n = 0; n < 4; n++) await opened(dial({ ticket: await ticketOf(), session }))

  const fifth = await closed(dial({ ticket: await ticketOf(), session }))

  expect(fifth.code).toBe(4003)
  expect(fifth.reason).toContain('has 4 consoles open')
})

test('a path that nobody serves is closed at once', async () => {
  const socket = new WebSocket(`${site.url.replace('http', 'ws')}/elsewhere`)

  expect(await status(socket)).toBe(404)
})

test.each([
  ['a stranger', 'carol', 'not_found'],
  ['the holder of its budget, who may see but not steer it', 'bob', 'forbidden'],
])('%s gets no ticket', async (_who, user, code) => {
  await expect(ticketOf(user)).rejects.toMatchObject({ code })
})

test('an operator gets one', async () => {
  await opened(dial({ ticket: await ticketOf('olga', ['operators']), session: await sessionOf('olga') }))
})
