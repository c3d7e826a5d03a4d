import { afterEach, beforeEach, expect, test } from 'vitest'
import { formWith, openWebSite, type WebSite } from './site.ts'

let site: WebSite
beforeEach(async () => {
  site = await openWebSite()
})
afterEach(() => site.close())

const attack = '<script>alert(1)</script> "quoted" @channel <!here> &amp;'

test('whoever is not signed in is sent to the door', async () => {
  const response = await site.get(null, '/chat')

  expect(response.status).toBe(303)
  expect(response.headers.get('location')).toBe('/?next=/chat')
})

test('a new conversation says how to begin', async () => {
  const page = await (await site.get('alice', '/chat')).text()

  expect(page).toContain('Say what you need in a line')
  expect(page).not.toMatch(/style=|onclick=|<script>/)
})

test('a line that is sent without scripts is answered on the page that follows', async () => {
  const response = await site.post('alice', '/chat/say', { line: 'prices', key: 'k1' })

  expect(response.status).toBe(303)
  expect(response.headers.get('location')).toBe('/chat#end')
  const html = await site.lines('alice')
  expect(html.indexOf('prices')).toBeLessThan(html.indexOf('0.96 CHF a day'))
})

test('the same line sent twice is one line with one answer', async () => {
  await site.post('alice', '/chat/say', { line: 'prices', key: 'k1' })
  const once = await site.lines('alice')
  await site.post('alice', '/chat/say', { line: 'prices', key: 'k1' })

  expect(await site.lines('alice')).toBe(once)
})

test('a script is answered with the conversation at once', async () => {
  const response = await site.post('alice', '/chat/say?lines=1', { line: 'prices', key: 'k1' })

  expect(response.status).toBe(200)
  expect(await response.text()).toContain('0.96 CHF a day')
})

test('another site cannot speak for anybody', async () => {
  const response = await site.post(
    'alice',
    '/chat/say',
    { line: 'prices', key: 'k1' },
    { 'Sec-Fetch-Site': 'cross-site' },
  )

  expect(response.status).toBe(403)
  expect(await site.lines('alice')).not.toContain('0.96 CHF a day')
})

test('a conversation is its own person’s only', async () => {
  await site.post('alice', '/chat/say', { line: 'prices', key: 'k1' })

  expect(await site.lines('bob')).not.toContain('prices</p>')
})

test('what people type is text, whatever it looks like', async () => {
  await site.post('alice', '/chat/say', { line: attack, key: 'k1' })
  await site.post('alice', '/chat/say', { line: 'request slc5 for 60d budget T-1042', key: 'k3' })
  const form = formWith(await site.lines('alice'), 'Request')
  await site.post('alice', '/chat/submit', {
    ...form,
    ...{ 'field.template': 'slc5', 'field.term': '60d', 'field.budget': 'T-1042', 'field.purpose': attack },
  })

  const html = await site.lines('alice')
  expect(html).toContain('waits for bob')
  expect(html).not.toContain('<script>alert')
  expect(html).toContain('&lt;script>alert(1)&lt;/script>')
  expect(html).toContain('&quot;quoted&quot; @channel')
})

test('a form that was sent gives its place to the answer', async () => {
  await site.post('alice', '/chat/say', { line: 'request slc5 for 60d budget T-1042', key: 'k1' })
  const form = formWith(await site.lines('alice'), 'Request')
  const fields = {
    'field.template': 'slc5',
    'field.term': '60d',
    'field.budget': 'T-1042',
    'field.purpose': 'AFS',
  }

  await site.post('alice', '/chat/submit', { ...form, ...fields, 'field.cpus': '99' })
  const faulty = await site.lines('alice')
  await site.post('alice', '/chat/submit', { ...formWith(faulty, 'Request'), ...fields })
  const html = await site.lines('alice')

  expect(faulty).toMatch(/aria-invalid="true"/)
  expect(faulty).toContain('value="99"')
  expect(html).toContain('Your request R-1')
  expect(html).not.toContain('class="card-form"')
  expect(html.match(/<article/g)).toHaveLength(2)
})

test('a press takes the place of the card it was on, and twice is once', async () => {
  await ask('webafs20')
  await site.post('bob', '/chat/say', { line: 'show R-1', key: 'k1' })
  const form = formWith(await site.lines('bob'), 'Approve')

  await site.post('bob', '/chat/press', form)
  const once = await site.lines('bob')
  await site.post('bob', '/chat/press', form)

  expect(once).toContain('You approved R-1 of alice')
  expect(once).not.toContain('>Approve</button>')
  expect(await site.lines('bob')).toBe(once)
  const { items } = await site.store.read((tx) => tx.machines.page({ limit: 100 }))
  expect(items.filter(({ owner }) => owner === 'alice')).toHaveLength(1)
})

test('a card that was shown is redrawn when what it is about changes', async () => {
  await ask('webafs20')

  const notices = await site.store.read((tx) => tx.notices.find('about', 'request:R-1'))

  const shown = notices.filter(({ kind }) => kind === 'shown')
  expect(shown).toHaveLength(1)
  expect(shown[0]?.deliveries).toMatchObject([{ platform: 'web', channel: 'alice', user: 'alice' }])
})

test('without scripts, what a button asks first is asked on a page', async () => {
  await ask('webafs20')
  await site.post('bob', '/chat/say', { line: 'show R-1', key: 'k1' })
  const form = formWith(await site.lines('bob'), 'Deny')

  const page = await (await site.get('bob', `/chat/ask?${new URLSearchParams(form)}`)).text()
  await site.post('bob', '/chat/press', { ...formWith(page, 'Deny'), answer: 'not now' })

  expect(page).toContain('Why? alice will read it.')
  expect(await site.lines('bob')).toContain('You denied R-1 of alice')
})

test('somebody else’s message cannot be pressed', async () => {
  await ask('webafs20')
  await site.post('bob', '/chat/say', { line: 'show R-1', key: 'k1' })
  const form = formWith(await site.lines('bob'), 'Approve')

  await site.post('carol', '/chat/press', form)

  expect((await site.store.read((tx) => tx.requests.get('R-1')))?.state).toBe('pending')
})

test('buttons say the whole deed to a screen reader, and tables their captions', async () => {
  await ask('webafs20')
  await site.post('bob', '/chat/say', { line: 'show R-1', key: 'k1' })

  const html = await site.lines('bob')

  expect(html).toContain('aria-label="Approve request R-1 of alice for nothing"')
  expect(await site.lines('alice')).toMatch(/<caption id="[^"]+">How the price comes about<\/caption>/)
})

test('an open page hears of changes to its own conversation', async () => {
  const response = await site.get('alice', '/chat/events')
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()

  const hello = await reader?.read()
  site.changed('bob')
  site.changed('alice')
  const news = await reader?.read()
  await reader?.cancel()

  expect(response.headers.get('content-type')).toBe('text/event-stream')
  expect(hello?.value).toBe('retry: 3000\n\nevent: changed\ndata: 1\n\n')
  expect(news?.value).toBe('event: changed\ndata: 1\n\n')
})

test('whoever asks for plain text reads the conversation as such', async () => {
  await site.post('alice', '/chat/say', { line: 'prices', key: 'k1' })

  const headers = { 'test-user': 'alice', Accept: 'text/plain' }
  const response = await fetch(`${site.url}/chat/messages`, { headers })

  expect(response.headers.get('content-type')).toMatch(/^text\/plain/)
  expect(await response.text()).toMatch(/^> prices\n\nPrices \(neutral\)\n/)
})

test('its script and style are served, and nothing of its sources', async () => {
  const found = await Promise.all(['chat.js', 'chat.css', '../web.ts', 'web.ts'].map((name) => status(name)))

  expect(found).toEqual([200, 200, 404, 404])
})

async function status(name: string): Promise<number> {
  const response = await site.get('alice', `/chat/assets/${encodeURIComponent(name)}`)
  await response.body?.cancel()
  return response.status
}

async function ask(name: string): Promise<void> {
  const line = `request slc5 for 30d budget T-1042 name ${name} why "AFS web server"`
  await site.post('alice', '/chat/say', { line, key: 'ask' })
}
