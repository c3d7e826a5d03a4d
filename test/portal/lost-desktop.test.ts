import { afterEach, beforeEach, expect, test } from 'vitest'
import { system } from '../../src/identity/person.ts'
import { beginConnection, endConnection } from '../../src/operations/connections.ts'
import { endLeaseNow } from '../../src/operations/end-lease.ts'
import { leisurely, minute } from '../operations/core.ts'
import { textOf } from './markup.ts'
import { type Browser, openSite, type Shown, type Site } from './served.ts'

let site: Site
let terminal: Browser
beforeEach(async () => {
  site = await openSite(undefined, { ...leisurely, observeMillis: 15_000 })
  await site.settle()
  terminal = site.browser()
})
afterEach(() => site.close())

const login = (user: string, pool: string) => terminal.post('/desktop', { user, password: user, pool })
const leaseIn = ({ html }: Shown) => /\/desktop\/lease\/(L-[0-9a-z]+)/.exec(html)?.[1] ?? 'no lease'
const router = system('router')

/** Somebody sat there and their connection is gone, as when a host dies. */
async function cut(lease: string): Promise<void> {
  await site.operations.perform(beginConnection, router, { lease })
  await site.operations.perform(endConnection, router, { lease, reason: 'desktop_closed' })
}

async function vanish(desktop: string): Promise<void> {
  const machine = await site.store.read((tx) => tx.machines.get(desktop))
  await site.hypervisor.vanish(machine?.ref ?? '')
  await site.pass(minute)
}

async function host(reachable: boolean): Promise<void> {
  site.hypervisor.setHost('cernwod04', { reachable })
  await site.pass(minute)
}

test('a page says that its desktop was lost, and a press leads to the next one', async () => {
  const page = await login('carol', 'public')
  await vanish('public-001')

  const lost = await terminal.get(`/desktop/lease/${leaseIn(page)}`)
  const next = await login('carol', 'public')

  expect(textOf(lost.html)).toContain('The desktop was lost. Open another one.')
  expect(textOf(next.html)).toContain('It is public-002.')
})

test('a page says which host does not answer, and trying again gives another shared desktop', async () => {
  const page = await login('carol', 'public')
  const lease = leaseIn(page)
  await cut(lease)
  await host(false)

  const silent = await terminal.get(`/desktop/lease/${lease}`)
  const again = await terminal.post('/desktop', { pool: 'public' })
  const before = await terminal.get(`/desktop/lease/${lease}`)

  expect(textOf(silent.html)).toContain(
    'Your desktop public-001 cannot be reached: host cernwod04 does not answer.',
  )
  expect(silent.html).not.toContain('file.rdp')
  expect(silent.html).toContain('value="Try again"')
  expect(leaseIn(again)).not.toBe(lease)
  expect(textOf(again.html)).toContain('Your desktop is being prepared')
  expect(textOf(before.html)).toContain('Your session has ended')
})

test('somebody whose own desktop cannot be reached reads why, and is in it again once it can be', async () => {
  const page = await login('alice', 'developers')
  await site.operations.perform(endLeaseNow, system(), { id: leaseIn(page) })
  await site.settle()
  await host(false)

  const refused = await login('alice', 'developers')
  await host(true)
  const waking = await login('alice', 'developers')

  expect(refused.status).toBe(409)
  expect(refused.headers.get('retry-after')).toBe('60')
  expect(textOf(refused.html)).toContain(
    'Your desktop developers-001 cannot be reached: host cernwod04 does not answer. Try again in a minute, or ask an operator.',
  )
  expect(textOf(waking.html)).toContain('Your desktop is being prepared')
})

test('a page says that a desktop takes longer than usual, and goes on by itself', async () => {
  await Promise.all(['alice', 'bob'].map((user) => site.browser().post('/desktop', { ...person(user) })))
  site.hypervisor.fault({
    on: 'provision',
    times: 3,
    outage: { code: 'hypervisor_unreachable', transient: true },
  })
  const page = await login('carol', 'public')
  await site.settle()

  const slow = await terminal.get(`/desktop/lease/${leaseIn(page)}`)
  await site.pass(2 * minute)
  const ready = await terminal.get(`/desktop/lease/${leaseIn(page)}?start=1`)

  expect(slow.status).toBe(202)
  expect(textOf(slow.html)).toMatch(/It takes longer than usual: .+\. It is tried on by itself\./)
  expect(textOf(ready.html)).toContain('Your desktop is ready')
})

function person(user: string) {
  return { user, password: user, pool: 'public' }
}
