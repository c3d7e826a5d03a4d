import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Outage } from '../../src/base/errors.ts'
import { inlineParts, tagsOf, textOf, unlabelled } from './markup.ts'
import { type Browser, openSite, type Site } from './served.ts'

let site: Site
let olga: Browser
const hostile = '"><script>alert(1)</script>'

beforeAll(async () => {
  site = await openSite()
  olga = await site.signedIn('olga')
  const alice = await site.signedIn('alice')
  const bob = await site.signedIn('bob')
  const order = { template: 'slc5', budget: 'T-1042', days: '60', cpus: '2' }
  await alice.post('/request', { ...order, name: 'webafs20', purpose: hostile })
  await alice.post('/request', { ...order, name: 'webafs21', purpose: 'A second one' })
  await bob.post('/requests/R-1/approve')
  await site.settle()
  await olga.post('/desktops/public/open')
})
afterAll(() => site.close())

const pages = [
  '/',
  '/?show=all',
  '/?show=orphans',
  '/machines/webafs20',
  '/machines/webafs20?cpus=4&memoryGb=8',
  '/machines/webafs20/confirm/delete',
  '/request',
  '/request?template=w2008&cpus=99&days=x',
  '/requests',
  '/requests/R-1',
  '/requests/R-2',
  '/budgets',
  '/prices',
  '/budgets/T-1042/2026-11',
  '/budgets/t-1042/2026-10',
  '/costs',
  '/costs?of=T-1042&months=24&ahead=12',
  '/costs?of=budgets',
  '/costs?machine=webafs20',
  '/desktops',
  '/hosts',
  '/audit',
  '/audit?actor=alice&subject=request:R-1&since=2026-11-01',
  '/audit?since=never',
  '/accounts',
  '/settings',
  '/settings/keys',
  '/accounts/link/none',
  '/api/docs',
  '/desktop',
  '/nowhere',
]

describe.each(pages)('%s', (path) => {
  test('holds nothing that a browser would have to run or style, and says so to it', async () => {
    const page = await olga.get(path)

    expect(inlineParts(tagsOf(page.html))).toEqual([])
    expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'self';/)
    expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
    expect(page.headers.get('content-security-policy')).not.toContain('unsafe')
    expect(page.headers.get('cache-control')).toBe('no-store')
  })

  test('has one heading of the first level, a label for each field and a caption for each table', async () => {
    const tags = tagsOf((await olga.get(path)).html)

    const tables = tags.filter(
      ({ name, attributes }) => name === 'table' && attributes.role !== 'presentation',
    )
    expect(tags.filter(({ name }) => name === 'h1')).toHaveLength(1)
    expect(unlabelled(tags)).toEqual([])
    expect(tags.filter(({ name }) => name === 'caption')).toHaveLength(tables.length)
  })
})

test('parts of pages are markup of their own, with what people typed as text', async () => {
  const fragments = ['machines', 'machines/webafs20', 'requests', 'budgets', 'desktops', 'hosts']

  const answers = await Promise.all(fragments.map((path) => olga.get(`/fragments/${path}?show=all`)))

  expect(answers.map(({ status }) => status)).toEqual(fragments.map(() => 200))
  expect(answers.flatMap(({ html }) => inlineParts(tagsOf(html)))).toEqual([])
  expect(answers[1]?.html).toContain('&quot;>&lt;script>')
})

test('what the pages load is there, and may be kept for good', async () => {
  const tags = tagsOf((await olga.get('/')).html)
  const loaded = tags.flatMap(({ name, attributes: { src, href } }) =>
    name === 'script' ? [src ?? ''] : name === 'link' ? [href ?? ''] : [],
  )

  const answers = await Promise.all(loaded.map((path) => olga.get(path)))

  expect(loaded).toHaveLength(5)
  expect(answers.map(({ status }) => status)).toEqual(loaded.map(() => 200))
  expect(answers.every(({ headers }) => /immutable/.test(headers.get('cache-control') ?? ''))).toBe(true)
})

test('a page that does not exist says so in the usual frame', async () => {
  const page = await olga.get('/nowhere')

  expect(page.status).toBe(404)
  expect(textOf(page.html)).toContain('There is no page /nowhere.')
})

test('somebody else may not see the audit, and is told why', async () => {
  const carol = await site.signedIn('carol')

  const page = await carol.get('/audit')

  expect(page.status).toBe(403)
  expect(textOf(page.html)).toContain('Only auditors and operators may see this.')
})

test('a form that is too large is refused in plain words', async () => {
  const answer = await olga.post('/request', { purpose: 'x'.repeat(70_000) })

  expect(answer.status).toBe(413)
  expect(tagsOf(answer.html).some(({ name }) => name === 'main')).toBe(true)
})

test('while the store is out of order pages say so and ask to come back, and parts of pages stay as they are', async () => {
  const broken = await openSite()
  const alice = await broken.signedIn('alice')
  broken.store.read = () =>
    Promise.reject(new Outage('store_unwritable', 'the disk takes no writes', { transient: true }))

  const page = await alice.get('/budgets')
  const part = await alice.get('/fragments/machines', { 'HX-Request': 'true' })

  expect([page.status, page.headers.get('retry-after')]).toEqual([503, '5'])
  expect(textOf(page.html)).toContain('Out of order for a moment')
  expect(part.headers.get('hx-reswap')).toBe('none')
  await broken.close()
})
