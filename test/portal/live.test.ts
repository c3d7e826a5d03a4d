import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Browser, openSite, type Site } from './served.ts'

let site: Site
let alice: Browser
beforeAll(async () => {
  site = await openSite()
  alice = await site.signedIn('alice')
})
afterAll(() => site.close())

/** Reads events until one of this name has come, and gives their names. */
async function eventsUntil(name: string, headers: Record<string, string>, ready: () => Promise<unknown>) {
  const cookie = `jackdaw_session=${alice.cookies.get('jackdaw_session') ?? ''}`
  const abort = new AbortController()
  const response = await fetch(`${site.url}/events`, {
    headers: { cookie, ...headers },
    signal: abort.signal,
  })
  await ready()
  let text = ''
  const names = () => [...text.matchAll(/^event: (\w+)$/gm)].map(([, found]) => found)
  const reader = response.body?.getReader()
  while (!names().includes(name)) {
    const chunk = await reader?.read()
    if (chunk?.value === undefined) break
    text += Buffer.from(chunk.value).toString('utf8')
  }
  abort.abort()
  return { names: names(), text, type: response.headers.get('content-type') }
}

test('a page is told that something of its kind changed, and never what', async () => {
  const order = { template: 'slc5', budget: 'T-1042', purpose: 'secret purpose' }

  const events = await eventsUntil('requests', {}, () => alice.post('/request', order))

  expect(events.type).toBe('text/event-stream')
  expect(events.names).toContain('requests')
  expect(events.text).not.toContain('secret purpose')
})

test('a page that was connected before draws everything anew, since it may have missed something', async () => {
  const events = await eventsUntil('hosts', { 'last-event-id': '7' }, async () => undefined)

  expect(new Set(events.names)).toEqual(
    new Set(['machines', 'desktops', 'terminals', 'hosts', 'requests', 'budgets']),
  )
})

test('whoever is not signed in is told nothing', async () => {
  const answer = await site.browser().get('/events')

  expect(answer.status).toBe(401)
})
