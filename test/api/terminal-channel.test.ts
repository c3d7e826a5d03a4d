import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { once } from 'node:events'
import { WebSocket } from 'ws'
import { z } from 'zod'
import { callerFor } from '../../src/identity/roles.ts'
import { nobody, system } from '../../src/identity/person.ts'
import { beginConnection } from '../../src/operations/connections.ts'
import { orderTerminal } from '../../src/operations/manage-terminals.ts'
import { openDesktop } from '../../src/operations/open-desktop.ts'
import { openSession } from '../../src/operations/open-session.ts'
import { hour, minute } from '../operations/core.ts'
import { openStorySite, type StorySite } from '../stories/site.ts'

let site: StorySite
const open: Channel[] = []
beforeEach(async () => {
  site = await openStorySite()
})
afterEach(async () => {
  for (const { socket } of open.splice(0)) socket.terminate()
  await site.close()
})

const Said = z.looseObject({ type: z.string() })
type Said = z.infer<typeof Said>

interface Channel {
  socket: WebSocket
  say(words: object): void
  /** The next thing of this type, skipping what comes before. */
  heard(type: string): Promise<Said>
}

async function connect(
  options: { origin?: string; headers?: Record<string, string> } = {},
): Promise<Channel> {
  const socket = new WebSocket(`${site.url.replace('http', 'ws')}/api/v1/terminals/channel`, options)
  const queue: Said[] = []
  const waiting: (() => void)[] = []
  socket.on('message', (data) => {
    queue.push(Said.parse(JSON.parse(Buffer.isBuffer(data) ? data.toString('utf8') : '')))
    waiting.splice(0).forEach((wake) => wake())
  })
  await once(socket, 'open')
  const channel: Channel = {
    socket,
    say: (words) => socket.send(JSON.stringify(words)),
    async heard(type) {
      for (;;) {
        const said = queue.shift()
        if (said?.type === type) return said
        if (said === undefined) await new Promise<void>((resolve) => waiting.push(resolve))
      }
    },
  }
  open.push(channel)
  return channel
}

async function tokenOf(user: string): Promise<string> {
  const claim = { user, password: user }
  return (await site.service.operations.perform(openSession, nobody('rest', '127.0.0.1'), claim)).token
}

function as(user: string, groups: string[]) {
  const person = { user, name: user, email: null, groups }
  return callerFor(person, { operator: ['operators'], auditor: [] }, 'rest', null)
}

const openAt = (terminal: string) =>
  site.service.operations.perform(openDesktop, as('carol', ['office']), {
    pool: 'public',
    terminal: { name: terminal },
  })

/** What is said of a session once it has ended, after whatever is said before. */
async function endOf(channel: Channel): Promise<Said> {
  for (;;) {
    const said = await channel.heard('session')
    if (JSON.stringify(said).includes('"ended"')) return said
  }
}

describe('the terminal channel', () => {
  test('shows somebody their session, warns of its end, extends and logs off', async () => {
    const token = await tokenOf('carol')
    await openAt('lobby-1')
    const channel = await connect()
    channel.say({ type: 'hello', name: 'lobby-1', token })
    const [welcome, first] = [await channel.heard('welcome'), await channel.heard('session')]
    await site.pass(9 * minute)

    channel.say({ type: 'extend', minutes: 30 })
    const extended = await channel.heard('session')
    channel.say({ type: 'log-off' })
    const ended = await channel.heard('session')

    expect(welcome).toMatchObject({ terminal: 'lobby-1', pool: 'public' })
    expect(first).toMatchObject({ session: { state: 'offered', canExtend: true } })
    expect(extended).toMatchObject({ session: { endsAt: '2026-11-23T10:30:00.000Z' } })
    expect(ended).toMatchObject({ session: { state: 'ended', endReason: 'logged_off' } })
  })

  test('a session that is opened elsewhere is told to the terminal that it leaves', async () => {
    const token = await tokenOf('carol')
    await openAt('lobby-1')
    const channel = await connect()
    channel.say({ type: 'hello', name: 'lobby-1', token })
    await channel.heard('session')

    await openAt('office-204')

    expect(await channel.heard('moved')).toMatchObject({ to: 'office-204' })
  })

  test('the end of a session is told in good time, once for each end, and whether it can be moved', async () => {
    const token = await tokenOf('carol')
    const { lease } = await openAt('lobby-1')
    await site.service.operations.perform(beginConnection, system('router'), { lease })
    const channel = await connect()
    channel.say({ type: 'hello', name: 'lobby-1', token })
    await channel.heard('session')

    await site.pass(2 * hour - 5 * minute)
    const ending = await channel.heard('ending')
    channel.say({ type: 'extend', minutes: 120 })
    const extended = await channel.heard('session')
    await site.pass(2 * hour)
    const again = await channel.heard('ending')
    channel.say({ type: 'extend', minutes: 60 })
    const asked = await channel.heard('asked')
    const waiting = await channel.heard('session')
    await site.pass(5 * minute)
    const last = await endOf(channel)

    const first = '2026-11-23T10:00:00.000Z'
    const second = '2026-11-23T12:00:00.000Z'
    expect(ending).toEqual({ type: 'ending', endsAt: first, canExtend: true, canAsk: true })
    expect(extended).toMatchObject({ session: { endsAt: second, isEnding: false } })
    expect(again).toEqual({ type: 'ending', endsAt: second, canExtend: false, canAsk: true })
    expect(asked).toMatchObject({ request: 'R-1', until: '2026-11-23T13:00:00.000Z' })
    expect(waiting).toMatchObject({ session: { endsAt: second, asked: '2026-11-23T13:00:00.000Z' } })
    expect(last).toMatchObject({ session: { state: 'ended', endReason: 'expired', asked: null } })
  })

  test('whoever goes back to the first terminal finds the session there again', async () => {
    const token = await tokenOf('carol')
    await openAt('lobby-1')
    const channel = await connect()
    channel.say({ type: 'hello', name: 'lobby-1', token })
    await channel.heard('session')

    await openAt('office-204')
    const moved = await channel.heard('moved')
    await openAt('lobby-1')

    expect(moved).toEqual({ type: 'moved', to: 'office-204' })
    expect(await channel.heard('session')).toMatchObject({ session: { at: 'lobby-1', state: 'offered' } })
  })

  test('behind a proxy of the site a terminal is known by its own address', async () => {
    await site.close()
    site = await openStorySite({
      edit: (yaml) =>
        yaml.replace(/(http: \{ host: 127.0.0.1, port: 8080) \}/, "$1, proxies: ['127.0.0.1'] }"),
    })
    const headers = { 'X-Forwarded-For': '127.0.0.17' }
    const channel = await connect({ headers })

    channel.say({ type: 'hello' })

    expect(await channel.heard('welcome')).toMatchObject({ terminal: 'lobby-1', pool: 'public' })
  })

  test('without a token nobody learns whose session it is, but what operators send is shown', async () => {
    await openAt('lobby-1')
    const channel = await connect()
    channel.say({ type: 'hello', name: 'lobby-1' })
    await channel.heard('welcome')

    const order = { name: 'lobby-1', kind: 'message' as const, text: 'The hall closes at six.' }
    await site.service.operations.perform(orderTerminal, as('olga', ['operators']), order)
    const message = await channel.heard('message')
    channel.say({ type: 'log-off' })

    expect(message).toMatchObject({ text: 'The hall closes at six.' })
    expect(await channel.heard('refused')).toMatchObject({ code: 'not_found' })
  })

  test('a page of another site cannot open it', async () => {
    await expect(connect({ origin: 'https://evil.example' })).rejects.toThrow('403')
  })

  test('what is not understood ends it', async () => {
    const channel = await connect()

    channel.say({ type: 'shout' })

    await expect(once(channel.socket, 'close')).resolves.toContain(1007)
  })
})
