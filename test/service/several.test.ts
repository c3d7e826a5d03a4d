import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { request as greeting } from '../broker/router/packets.ts'
import { dial } from '../broker/router/wire.ts'
import { type Cluster, missingServer, openCluster } from '../store/cluster.ts'
import { callAs } from '../torture/traffic.ts'
import { type Crew, type Member, openCrew } from './crew.ts'

const unless = missingServer === undefined ? '' : ` (needs PostgreSQL: ${missingServer})`

const Job = z.object({ id: z.string(), kind: z.string(), state: z.string(), attempts: z.number() })
const Held = z.object({ subject: z.string(), state: z.string(), takenBy: z.string().nullable() })
const Notice = z.object({
  kind: z.string(),
  about: z.object({ id: z.string() }),
  deliveries: z.array(z.object({ user: z.string(), platform: z.string() })),
})
const Machine = z.object({ id: z.string(), state: z.string(), pool: z.string().nullable() })
const Session = z.object({ token: z.string() })
const Opened = z.object({ lease: z.string(), rdp: z.string() })
const Request = z.object({ id: z.string(), state: z.string() })

vi.setConfig({ testTimeout: 120_000 })

/** What takes seconds on a calm machine may take longer on a busy one; the end of the test bounds it. */
const eventually = { timeout: 100_000, interval: 20 }

async function signIn({ url }: Member, user: string): Promise<string> {
  const { body } = await callAs(url, user, 'POST', '/session', { user, password: user })
  return Session.parse(body).token
}

async function statusAt({ url }: Member, token: string, path = '/api/v1/machines'): Promise<number> {
  const answer = await fetch(`${url}${path}`, {
    headers: { Authorization: `Bearer ${token}` },
    redirect: 'manual',
  })
  return answer.status
}

async function order({ url }: Member, user: string, facts: object): Promise<string> {
  const usual = { template: 'slc5', days: 40, budget: 'T-1042', purpose: 'a test' }
  const { body } = await callAs(url, user, 'POST', '/requests', { ...usual, ...facts })
  return Request.parse(body).id
}

async function approve({ url }: Member, id: string): Promise<number> {
  return (await callAs(url, 'bob', 'POST', `/requests/${id}/approve`, {})).status
}

/** A desktop of the public pool: the lease, and what a client would send to reach it. */
async function openDesktop({ url }: Member, user: string): Promise<{ lease: string; hello: string }> {
  const opened = await vi.waitFor(async () => {
    const { body } = await callAs(url, user, 'POST', '/pools/public/open', {})
    return Opened.parse(body)
  }, eventually)
  const [, token = ''] = /^loadbalanceinfo:s:(.+?)\r?$/m.exec(opened.rdp) ?? []
  return { lease: opened.lease, hello: greeting(`${token}\r\n`, '0100080003000000') }
}

/** What the chat page of somebody who is signed in at this process hears and shows. */
async function openChat({ url }: Member, token: string) {
  const headers = { Cookie: `jackdaw_session=${token}` }
  const response = await fetch(`${url}/chat/events`, { headers })
  const body = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  return {
    /** Resolves with the next thing that the stream says. */
    hears: async () => (await body?.read())?.value ?? '',
    shows: async () => {
      const page = await fetch(`${url}/chat/messages`, { headers: { ...headers, Accept: 'text/plain' } })
      return page.text()
    },
    close: () => body?.cancel(),
  }
}

describe.skipIf(missingServer !== undefined)(`three real processes on one site${unless}`, () => {
  let cluster: Cluster
  let crew: Crew
  let a: Member
  let b: Member
  let c: Member

  beforeAll(async () => {
    cluster = await openCluster()
    crew = await openCrew(cluster)
    ;[a, b, c] = crew.members
  })
  afterAll(async () => {
    await crew.dispose()
    await cluster.dispose()
  })

  test('a session of one is good at all, as a token and as a cookie, and once closed at none', async () => {
    const token = await signIn(a, 'alice')
    const open = await Promise.all([a, b, c].map((member) => statusAt(member, token)))
    const page = await fetch(`${c.url}/`, { headers: { Cookie: `jackdaw_session=${token}` } })
    const closed = await fetch(`${b.url}/sign-out`, {
      method: 'POST',
      redirect: 'manual',
      headers: { Cookie: `jackdaw_session=${token}`, Origin: b.url },
    })

    const after = await Promise.all([a, b, c].map((member) => statusAt(member, token)))

    expect(open).toEqual([200, 200, 200])
    expect(await page.text()).toContain('Alice')
    expect(closed.status).toBe(303)
    expect(after).toEqual([401, 401, 401])
  })

  test('whoever guesses a password gets no more tries by asking all of them', async () => {
    const guess = async ({ url }: Member) =>
      (await callAs(url, 'dave', 'POST', '/session', { user: 'dave', password: 'wrong' })).status
    for (let n = 0; n < 9; n++) await guess(a)

    let tries = 0
    await vi.waitFor(async () => {
      tries++
      expect(await guess(c)).toBe(429)
    }, eventually)

    // Fewer than it would give to somebody of whom it has heard nothing.
    expect(tries).toBeLessThan(9)
  })

  test('each request, decision, job and notice happens once, whoever takes it', async () => {
    const members = [a, b, c, a, b, c, a, b, c]
    const ids = await Promise.all(
      members.map((member, n) => order(member, 'alice', { name: `once${n}`, purpose: `once ${n}` })),
    )
    const twice = await Promise.all(ids.map((id) => Promise.all([approve(b, id), approve(c, id)])))
    await vi.waitFor(async () => {
      const jobs = await crew.documents('jobs', Job)
      expect(jobs.filter(({ state }) => state !== 'done')).toEqual([])
    }, eventually)

    const [notices, machines, jobs, inventory] = await Promise.all([
      crew.documents('notices', Notice),
      crew.documents('machines', Machine),
      crew.documents('jobs', Job),
      crew.farm.inventory(AbortSignal.timeout(60_000)),
    ])

    expect(twice.map((statuses) => statuses.sort())).toEqual(ids.map(() => [200, 409]))
    const wanted = notices.filter(({ kind }) => kind === 'approval-wanted').map(({ about }) => about.id)
    expect(wanted.sort()).toEqual([...ids].sort())
    const copies = notices.map(({ deliveries }) =>
      deliveries.map(({ user, platform }) => `${user} ${platform}`),
    )
    expect(copies.every((each) => new Set(each).size === each.length)).toBe(true)
    expect(machines.filter(({ pool }) => pool === null).map(({ id }) => id)).toEqual(
      ids.map((_, n) => `once${n}`),
    )
    expect(inventory.machines.length).toBe(machines.length)
    expect(jobs.filter(({ attempts }) => attempts > 1)).toEqual([])
  })

  test('an end that comes near is told once, and reached once', async () => {
    const until = new Date(Date.now() + 6_000).toISOString()
    const id = await order(a, 'alice', { name: 'shortly', days: undefined, until })
    await approve(b, id)

    await vi.waitFor(async () => {
      const machines = await crew.documents('machines', Machine)
      expect(machines.find((machine) => machine.id === 'shortly')?.state).toBe('expired')
    }, eventually)

    const told = (await crew.documents('notices', Notice)).filter(({ about }) => about.id === 'shortly')
    expect(told.map(({ kind }) => kind).sort()).toEqual(['machine-expired', 'machine-expiring'])
    const ends = (await crew.documents('jobs', Job)).filter(({ kind }) => kind === 'expire-machine')
    expect(ends.map(({ attempts }) => attempts)).toEqual([1])
  })

  test('a card follows what was done elsewhere, on a page that is open at another process', async () => {
    const chat = await openChat(c, await signIn(b, 'bob'))
    await chat.hears()
    const id = await order(a, 'carol', { name: 'followed', purpose: 'to be followed' })
    await chat.hears()
    await vi.waitFor(async () => expect(await chat.shows()).toContain(id), eventually)
    const heard = chat.hears()
    await approve(b, id)

    const news = await heard

    expect(news).toContain('event: changed')
    await vi.waitFor(
      async () => expect(await chat.shows()).toMatch(new RegExp(`${id}[^]*approved`, 'i')),
      eventually,
    )
    await chat.close()
  })

  test('a lease that is revoked at one loses its connection at another, and its ticket with it', async () => {
    const { lease, hello } = await openDesktop(a, 'carol')
    const client = await dial(b.rdpPort, hello)
    await client.has(11)
    const start = performance.now()
    const ended = await callAs(a.url, 'olga', 'POST', `/leases/${lease}/end`, {})

    await client.over

    const again = await dial(c.rdpPort, hello)
    await again.over
    expect(ended.status).toBe(200)
    expect(again.received().subarray(11, 12).toString('hex')).toBe('03')
    process.stdout.write(
      `the connection at another process was gone after ${Math.round(performance.now() - start)} ms\n`,
    )
  })

  test('one that hangs holds up nobody, and is one of them again when it goes on', async () => {
    b.process.kill('SIGSTOP')
    const id = await order(a, 'alice', { name: 'meanwhile' })
    await approve(c, id)
    await vi.waitFor(async () => {
      const machines = await crew.documents('machines', Machine)
      expect(machines.find((machine) => machine.id === 'meanwhile')?.state).toBe('running')
    }, eventually)
    b.process.kill('SIGCONT')

    const token = await signIn(a, 'alice')

    expect(await statusAt(b, token)).toBe(200)
    expect((await fetch(`${b.url}/readyz`)).status).toBe(200)
    const machines = await crew.documents('machines', Machine)
    const inventory = await crew.farm.inventory(AbortSignal.timeout(60_000))
    expect(inventory.machines.length).toBe(machines.filter(({ state }) => state !== 'deleted').length)
  })

  test('one that is killed while it makes a machine is taken over from, and nobody else stops', async () => {
    const id = await order(a, 'alice', { name: 'survivor' })
    await approve(a, id)
    const victim = await vi.waitFor(async () => {
      const jobs = await crew.documents('jobs', Held)
      const job = jobs.find(({ subject, state }) => subject === 'machine:survivor' && state === 'running')
      const member = [a, b, c].find(({ name }) => name === job?.takenBy)
      if (member === undefined) throw new Error('nobody has it in hand')
      return member
    }, eventually)
    await victim.stop('SIGKILL')
    const others = [a, b, c].filter((member) => member !== victim)

    const answers = await Promise.all(others.map(({ url }) => fetch(`${url}/readyz`)))
    await vi.waitFor(async () => {
      const machines = await crew.documents('machines', Machine)
      expect(machines.find((machine) => machine.id === 'survivor')?.state).toBe('running')
    }, eventually)

    const inventory = await crew.farm.inventory(AbortSignal.timeout(60_000))
    const machines = await crew.documents('machines', Machine)
    expect(answers.map(({ status }) => status)).toEqual([200, 200])
    expect(inventory.machines.length).toBe(machines.filter(({ state }) => state !== 'deleted').length)
    const log = others.flatMap((member) => member.log())
    expect(
      log.filter((line) => line.includes('job taken from a process that is lost')).length,
    ).toBeGreaterThan(0)
    expect(log.filter((line) => line.includes('"level":50'))).toEqual([])
  })
})
