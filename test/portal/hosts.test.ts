import { afterEach, beforeEach, expect, test } from 'vitest'
import { demoConfig } from '../operations/core.ts'
import { ordered, shown } from '../operations/ordered.ts'
import { type Browser, openSite, type Site } from './served.ts'

let site: Site
let olga: Browser
let alice: Browser
beforeEach(async () => {
  const config = await demoConfig((yaml) =>
    yaml.replace(
      'templates:\n',
      'groups: [{ name: desktops, title: Desktop hosts, members: [developers] }]\ntemplates:\n',
    ),
  )
  site = await openSite(config)
  ;[olga, alice] = [await site.signedIn('olga'), await site.signedIn('alice')]
})
afterEach(() => site.close())

test('operators see the score of each host for an order, others why a host cannot take it', async () => {
  const path = '/hosts/placement?template=slc5&cpus=2&memoryGb=4&count=30'
  const [full, plain] = [await olga.get(path), await alice.get(path)]

  expect(full.html).toContain('There is no room for 30 of 2 CPUs and 4 GB.')
  expect(full.html).toMatch(/\d(\.5)? of 5/)
  expect(plain.html).toContain('room for 16 of 30 only, then not enough memory')
  expect(plain.html).not.toContain('of 5')
})

test('an order that cannot be is said to be wrong', async () => {
  const { status, html } = await alice.get('/hosts/placement?template=slc5&memoryGb=999')

  expect(status).toBe(422)
  expect(html).toContain('role="alert"')
})

test('a class of hosts may be chosen on the order form by those whom it is for', async () => {
  const [form, none] = [await alice.get('/request'), await (await site.signedIn('bob')).get('/request')]
  const order = { template: 'slc5', days: '30', name: 'webafs20', purpose: 'AFS', budget: 'T-1042' }
  await alice.post('/request', { ...order, group: 'desktops' })
  await (await site.signedIn('bob')).post('/requests/R-1/approve')
  await site.settle()

  expect(form.html).toContain('Desktop hosts')
  expect(none.html).not.toContain('Desktop hosts')
  expect((await shown(site)).host).toBe('cernwod04')
})

test('an operator has machines moved as it was proposed, and nobody else does', async () => {
  await ordered(site, { name: 'web', count: 3 })
  const page = await olga.get('/hosts/rebalance?goal=consolidate')
  const id = /name="id" value="([0-9a-f]+)"/.exec(page.html)?.[1] ?? ''
  const strangers = await alice.get('/hosts/rebalance')

  const done = await olga.submit('/hosts/rebalance', { id, goal: 'consolidate' })
  await site.pass(600_000)

  expect(page.html).toContain('could be switched off')
  expect(strangers.status).toBe(403)
  expect(done.html).toContain('being moved')
  const hosts = await Promise.all(
    ['web01', 'web02', 'web03'].map(async (name) => (await shown(site, name)).host),
  )
  expect(new Set(hosts).size).toBe(2)
})

test('a proposal that is no longer true is refused and shown anew', async () => {
  await ordered(site, { name: 'web', count: 3 })

  const { status, html } = await olga.post('/hosts/rebalance', {
    id: '0123456789abcdef',
    goal: 'consolidate',
  })

  expect(status).toBe(409)
  expect(html).toContain('has changed since this was proposed')
  expect(html).toMatch(/name="id" value="[0-9a-f]{16}"/)
})
