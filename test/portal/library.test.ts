import { afterEach, beforeEach, expect, test } from 'vitest'
import { ordered, shown } from '../operations/ordered.ts'
import { type Browser, openSite, type Site } from './served.ts'

let site: Site
let alice: Browser
beforeEach(async () => {
  site = await openSite()
  await ordered(site)
  alice = await site.signedIn('alice')
})
afterEach(() => site.close())

const inside = '/machines/webafs20/library'

test('the page shows what a machine does now, and leads to its snapshots and copies', async () => {
  const { html } = await alice.get(inside)
  const { html: machine } = await alice.get('/machines/webafs20')

  expect(machine).toContain(`href="${inside}"`)
  for (const words of ['the guest answers', 'Take a snapshot', 'Make an image', 'Put it into the library']) {
    expect(html).toContain(words)
  }
  expect(html).not.toContain('Move it')
})

test('a snapshot is taken, gone back to after a question, and deleted', async () => {
  const taken = await alice.submit('/machines/webafs20/snapshots', { name: 'before' })
  await site.settle()
  const asked = await alice.get('/machines/webafs20/snapshots/before')
  await alice.post('/machines/webafs20/snapshots/before/revert')
  await site.settle()
  const between = await shown(site)
  await alice.post('/machines/webafs20/snapshots/before/delete')
  await site.settle()

  expect(taken.html).toContain('A snapshot is being taken.')
  expect(asked.html).toContain('loses what was changed on webafs20 since')
  expect(between).toMatchObject({ state: 'running', snapshots: [{ name: 'before' }] })
  expect((await shown(site)).snapshots).toEqual([])
})

test('a name that is none is shown beside its field', async () => {
  const { status, html } = await alice.post('/machines/webafs20/snapshots', { name: 'Not So' })

  expect(status).toBe(400)
  expect(html).toContain('aria-invalid="true"')
})

test('a machine goes into the library and comes back', async () => {
  await alice.post('/machines/webafs20/archive', {})
  await site.settle()
  const away = await alice.get(inside)
  await alice.post('/machines/webafs20/restore')
  await site.settle()

  expect(away.html).toContain('It comes back when you say so.')
  expect((await shown(site)).state).toBe('running')
})

test('a test environment is asked for and leads to its request', async () => {
  const fields = { days: '14', count: '1', template: 'w2008r2', budget: 'T-1042' }

  const { location } = await alice.post('/machines/webafs20/clone', fields)

  expect(location).toBe('/requests/R-2?done=asked')
})

test('an operator moves a machine, empties its host and takes that back', async () => {
  const olga = await site.signedIn('olga')
  const { host } = await shown(site)
  const { html } = await olga.get(inside)
  await olga.post('/machines/webafs20/migrate', {})
  await site.settle()
  const moved = (await shown(site)).host ?? ''
  await olga.post(`/hosts/${moved}/drain`)
  await site.pass(60_000)
  const emptied = await olga.get('/hosts')
  await olga.post(`/hosts/${moved}/bring-back`)
  await site.settle()

  expect(html).toContain('Move it')
  expect(moved).not.toBe(host)
  expect(emptied.html).toContain('Free for maintenance.')
  expect((await shown(site)).host).toBe(moved)
})
