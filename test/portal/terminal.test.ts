import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { demoConfig, hour } from '../operations/core.ts'
import { inlineParts, tagsOf, textOf } from './markup.ts'
import { type Browser, openSite, type Shown, type Site } from './served.ts'

let site: Site
afterEach(() => site.close())

const carol = { user: 'carol', password: 'carol', pool: 'public' }

function refreshOf({ html }: Shown): string | undefined {
  return tagsOf(html).find(({ attributes }) => attributes['http-equiv'] === 'refresh')?.attributes.content
}

/** The path of the lease that a page is about. */
function leaseIn({ html }: Shown): string {
  return /\/desktop\/lease\/L-[0-9a-z]+/.exec(html)?.[0] ?? 'no lease'
}

describe('with a desktop to spare', () => {
  let terminal: Browser
  beforeEach(async () => {
    site = await openSite()
    await site.settle()
    terminal = site.browser()
  })

  test('logging in shows a link to the desktop and goes to its file by itself', async () => {
    const page = await terminal.post('/desktop', carol)

    expect(page.status).toBe(200)
    expect(textOf(page.html)).toContain('Open desktop')
    expect(refreshOf(page)).toBe(`1; url=${leaseIn(page)}/file.rdp`)
    expect(textOf(page.html)).toContain('Your session lasts until 11:00, in 2 hours.')
    expect(inlineParts(tagsOf(page.html))).toEqual([])
  })

  test('the file is what the API gives: UTF-16LE, its type bare, and the lease in the headers', async () => {
    const page = await terminal.post('/desktop', carol)

    const file = await terminal.get(`${leaseIn(page)}/file.rdp`)

    expect(file.headers.get('content-type')).toBe('application/x-rdp')
    expect(file.headers.get('content-disposition')).toMatch(/^attachment; filename="public-\d+\.rdp"$/)
    expect(leaseIn(page)).toContain(file.headers.get('jackdaw-lease') ?? 'none')
    expect([...file.bytes.subarray(0, 2)]).toEqual([0xff, 0xfe])
    expect(file.bytes.toString('utf16le')).toContain('username:s:carol\r\n')
  })

  test('no address that a browser keeps holds the ticket or the session', async () => {
    const page = await terminal.post('/desktop', carol)
    const file = await terminal.get(`${leaseIn(page)}/file.rdp`)

    const ticket = /msts=(\S+)/.exec(file.bytes.toString('utf16le'))?.[1] ?? 'no ticket'
    expect(page.html).not.toContain(ticket)
    expect(page.html).not.toContain(terminal.cookies.get('jackdaw_session') ?? 'no session')
  })

  test('the cookie goes with the browser, for the next person at a shared terminal', async () => {
    const page = await terminal.post('/desktop', carol)

    expect(page.headers.getSetCookie()[0]).toMatch(
      /^jackdaw_session=[\w-]+; Path=\/; HttpOnly; SameSite=Lax$/,
    )
  })

  test('thirty minutes more can be had until somebody has to agree, on the same page', async () => {
    const page = await terminal.post('/desktop', carol)

    const answers = []
    for (let press = 0; press < 5; press++) answers.push(await terminal.post(`${leaseIn(page)}/extend`))

    expect(textOf(answers[0]?.html ?? '')).toContain('Your session lasts until 11:30')
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
    const asked = textOf(answers[4]?.html ?? '')
    expect(asked).toContain('R-1 asks for 30 minutes more')
    expect(asked).toContain('Your session lasts until 13:00')
    expect(asked).toContain('Open desktop')
  })

  test('logging off ends the desktop and the session', async () => {
    const page = await terminal.post('/desktop', carol)

    const left = await terminal.submit(`${leaseIn(page)}/end`)
    const [lease] = await site.store.read((tx) => tx.leases.find('user', 'carol'))

    const selected = tagsOf(left.html).find(({ attributes }) => attributes.selected !== undefined)
    expect(textOf(left.html)).toContain('You are logged off.')
    expect(selected?.attributes.value).toBe('public')
    expect([lease?.state, lease?.endReason]).toEqual(['ended', 'logged_off'])
    expect(terminal.cookies.size).toBe(0)
  })

  test('once the time is up the page says why, and nobody is signed in any more', async () => {
    const page = await terminal.post('/desktop', carol)
    await site.pass(3 * hour)

    const ended = await terminal.get(leaseIn(page))

    expect(textOf(ended.html)).toContain('Nobody connected to it in time.')
    expect(terminal.cookies.size).toBe(0)
  })

  test('somebody else at another terminal does not get the desktop, an operator included', async () => {
    const page = await terminal.post('/desktop', carol)
    const olga = await site.signedIn('olga')

    const answers = await Promise.all([olga.get(leaseIn(page)), olga.get(`${leaseIn(page)}/file.rdp`)])

    expect(answers.map(({ status }) => status)).toEqual([404, 404])
  })

  test('without a session the lease leads to the login page', async () => {
    const page = await terminal.post('/desktop', carol)

    const answer = await site.browser().get(`${leaseIn(page)}/file.rdp`)

    expect(answer.location).toBe('/desktop')
  })

  test.each([
    { why: 'a wrong password', fields: { ...carol, password: 'x' }, status: 401, words: 'password is wrong' },
    { why: 'no password', fields: { ...carol, password: '' }, status: 401, words: 'both your user name and' },
    {
      why: 'a pool of others',
      fields: { user: 'bob', password: 'bob', pool: 'developers' },
      status: 403,
      words: 'is for developers',
    },
    { why: 'no such pool', fields: { ...carol, pool: 'moon' }, status: 404, words: 'There is no pool moon' },
  ])('$why is told on the login page, and nobody is signed in', async ({ fields, status, words }) => {
    const page = await terminal.post('/desktop', fields)

    expect(page.status).toBe(status)
    expect(textOf(page.html)).toContain(words)
    expect(tagsOf(page.html).some(({ attributes }) => attributes.name === 'password')).toBe(true)
    expect(terminal.cookies.size).toBe(0)
  })

  test.each([
    { query: '?pool=public', chosen: 'public' },
    { query: '?terminal=lab-9', chosen: 'developers' },
    { query: '?mac=00-0B-3C-00-00-11', chosen: 'public' },
  ])('$query chooses $chosen', async ({ query, chosen }) => {
    const page = await terminal.get(`/desktop${query}`)

    const selected = tagsOf(page.html).find(({ attributes }) => attributes.selected !== undefined)
    expect(selected?.attributes.value).toBe(chosen)
  })

  test('what the terminal says of itself is kept with the lease', async () => {
    const page = await terminal.get('/desktop?terminal=office-204')
    const said = tagsOf(page.html).find(({ attributes }) => attributes.type === 'hidden')

    await terminal.post('/desktop', { ...carol, terminal: said?.attributes.value ?? '' })

    const [lease] = await site.store.read((tx) => tx.leases.find('user', 'carol'))
    expect(lease?.terminal).toMatchObject({ name: 'office-204', kind: 'thinstation' })
  })
})

describe('without a desktop to spare', () => {
  test('the page waits by itself, shows how far it is, and opens the desktop when it is ready', async () => {
    site = await openSite(await demoConfig((yaml) => yaml.replace('spare: 2, max: 10', 'spare: 0, max: 1')))
    const terminal = site.browser()

    const waiting = await terminal.post('/desktop', carol)
    const again = await terminal.get(`${leaseIn(waiting)}?start=1`)
    await site.settle()
    const ready = await terminal.get(`${leaseIn(waiting)}?start=1`)

    expect([waiting.status, again.status, ready.status]).toEqual([202, 202, 200])
    expect(refreshOf(waiting)).toBe(`2; url=${leaseIn(waiting)}?start=1`)
    expect(textOf(waiting.html)).toContain('Your desktop is being prepared')
    expect(refreshOf(ready)).toBe(`1; url=${leaseIn(waiting)}/file.rdp`)
  })

  test('a full pool says so, and when to try again', async () => {
    site = await openSite(await demoConfig((yaml) => yaml.replace('spare: 2, max: 10', 'spare: 1, max: 1')))
    await site.settle()
    await site.browser().post('/desktop', carol)

    const page = await site.browser().post('/desktop', { user: 'alice', password: 'alice', pool: 'public' })

    expect([page.status, page.headers.get('retry-after')]).toEqual([409, '60'])
    expect(textOf(page.html)).toContain('Try again when somebody has logged off.')
  })
})

describe('on the page of desktops', () => {
  test('opening gives the file, and the session can be extended and ended there', async () => {
    site = await openSite()
    await site.settle()
    const browser = await site.signedIn('alice')

    const file = await browser.post('/desktops/public/open')
    const page = await browser.get('/desktops')
    const id = file.headers.get('jackdaw-lease') ?? ''
    const extended = await browser.submit(`/leases/${id}/extend`, { minutes: '30' })
    const ended = await browser.submit(`/leases/${id}/end`)

    expect(file.headers.get('content-type')).toBe('application/x-rdp')
    expect(textOf(page.html)).toContain('ready for you')
    expect(textOf(extended.html)).toContain('You have more time now.')
    expect(textOf(ended.html)).toContain('You are logged off.')
  })
})
