import { z } from 'zod'
import type { Random } from './random.ts'

/** What the service has answered, and so must never lose. */
export interface Acknowledged {
  requests: Map<string, { approved: boolean }>
  machines: Map<string, { expiresAt: string; deleted: boolean }>
  leases: Map<string, { ended: boolean }>
}

export function nothingYet(): Acknowledged {
  return { requests: new Map(), machines: new Map(), leases: new Map() }
}

const Request = z.object({ id: z.string(), state: z.string(), machines: z.array(z.string()) })
const Extended = z.object({ expiresAt: z.string() })
const Opened = z.object({ lease: z.string() })

/** Calls the API as somebody whose password is their name. */
export async function callAs(url: string, user: string, method: string, path: string, body?: object) {
  const Authorization = `Basic ${Buffer.from(`${user}:${user}`).toString('base64')}`
  const response = await fetch(`${url}/api/v1${path}`, {
    method,
    headers: { Authorization, 'Content-Type': 'application/json', Accept: 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return {
    ok: response.ok,
    status: response.status,
    body: text === '' ? null : z.unknown().parse(JSON.parse(text)),
  }
}

const people: readonly [string, ...string[]] = ['alice', 'carol']

/** Does one random thing over HTTP, and remembers what was answered. Fails when the service is gone. */
export async function doSomething(url: string, random: Random, seen: Acknowledged): Promise<void> {
  const user = random.pick(people)
  const roll = random.next()
  if (roll < 0.3) return request(url, user, random, seen)
  if (roll < 0.5) return openDesktop(url, random, seen)
  if (roll < 0.65) return endLease(url, random, seen)
  if (roll < 0.9) return extend(url, random, seen)
  return remove(url, random, seen)
}

async function request(url: string, user: string, random: Random, seen: Acknowledged): Promise<void> {
  const days = 20 + random.below(60)
  const name = `t${seen.requests.size}-${random.below(1_000_000)}`
  const order = { template: 'slc5', days, budget: 'T-1042', purpose: 'torture', name }
  const asked = await callAs(url, user, 'POST', '/requests', order)
  if (!asked.ok) return
  const { id } = Request.parse(asked.body)
  seen.requests.set(id, { approved: false })
  const approval = await callAs(url, 'bob', 'POST', `/requests/${id}/approve`, {})
  if (!approval.ok) return
  seen.requests.set(id, { approved: true })
  for (const name of Request.parse(approval.body).machines)
    seen.machines.set(name, { expiresAt: '', deleted: false })
}

async function openDesktop(url: string, random: Random, seen: Acknowledged): Promise<void> {
  const opened = await callAs(
    url,
    random.pick(['alice', 'bob', 'carol', 'olga']),
    'POST',
    '/pools/public/open',
    {},
  )
  if (opened.ok) seen.leases.set(Opened.parse(opened.body).lease, { ended: false })
}

async function endLease(url: string, random: Random, seen: Acknowledged): Promise<void> {
  const open = [...seen.leases].filter(([, { ended }]) => !ended).map(([id]) => id)
  const id = open[random.below(open.length)]
  if (id === undefined) return
  const ended = await callAs(url, 'olga', 'POST', `/leases/${id}/end`, {})
  if (ended.ok) seen.leases.set(id, { ended: true })
}

async function extend(url: string, random: Random, seen: Acknowledged): Promise<void> {
  const name = some(random, seen)
  if (name === undefined) return
  const days = 1 + random.below(5)
  const extended = await callAs(url, 'olga', 'POST', `/machines/${name}/extend`, { days })
  if (extended.status !== 200) return
  const { expiresAt } = Extended.parse(extended.body)
  const known = seen.machines.get(name)
  if (known !== undefined && expiresAt > known.expiresAt) seen.machines.set(name, { ...known, expiresAt })
}

async function remove(url: string, random: Random, seen: Acknowledged): Promise<void> {
  const name = some(random, seen)
  if (name === undefined) return
  const removed = await callAs(url, 'olga', 'DELETE', `/machines/${name}`)
  if (removed.ok) seen.machines.set(name, { expiresAt: '', deleted: true })
}

function some(random: Random, seen: Acknowledged): string | undefined {
  const alive = [...seen.machines].filter(([, { deleted }]) => !deleted).map(([name]) => name)
  return alive[random.below(alive.length)]
}
