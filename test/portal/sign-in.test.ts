import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openSite, type Site } from './served.ts'
import { textOf } from './markup.ts'

let site: Site
beforeAll(async () => {
  site = await openSite()
})
afterAll(() => site.close())

describe('signing in', () => {
  test('gives a cookie that no script and no other site can use, and goes to the machines', async () => {
    const answer = await site.browser().post('/sign-in', { user: 'alice', password: 'alice' })

    expect([answer.status, answer.location]).toEqual([303, '/'])
    expect(answer.headers.get('set-cookie')).toMatch(
      /^jackdaw_session=[\w-]{40,}; Path=\/; Expires=.*; HttpOnly; SameSite=Lax$/,
    )
  })

  test('comes back to the page that was asked for', async () => {
    const browser = site.browser()

    const asked = await browser.get('/budgets?x=1')
    const page = await browser.get(asked.location ?? '')
    const answer = await browser.post('/sign-in', { user: 'alice', password: 'alice', next: '/budgets?x=1' })

    expect(asked.location).toBe('/?next=%2Fbudgets%3Fx%3D1')
    expect(page.html).toContain('name="next" value="/budgets?x=1"')
    expect(answer.location).toBe('/budgets?x=1')
  })

  test('never goes to another site', async () => {
    const answer = await site
      .browser()
      .post('/sign-in', { user: 'alice', password: 'alice', next: '//other.example/' })

    expect(answer.location).toBe('/')
  })

  test('with a wrong password says so on the same page, and keeps the user name but not the password', async () => {
    const browser = site.browser()

    const answer = await browser.post('/sign-in', { user: 'alice', password: 'wr0ng' })

    expect(answer.status).toBe(401)
    expect(textOf(answer.html)).toContain('The user name or the password is wrong.')
    expect(answer.html).toContain('value="alice"')
    expect(answer.html).not.toContain('wr0ng')
    expect(browser.cookies.size).toBe(0)
  })

  test('tells somebody who guesses when to try again', async () => {
    const browser = site.browser()
    for (let guess = 0; guess < 9; guess++)
      await browser.post('/sign-in', { user: 'carol', password: 'guess' })

    const answer = await browser.post('/sign-in', { user: 'carol', password: 'carol' })

    expect(answer.status).toBe(429)
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(textOf(answer.html)).toContain('Try again in')
  })

  test('part of a page takes the whole page to the sign-in page', async () => {
    const answer = await site.browser().get('/fragments/machines', { 'HX-Request': 'true' })

    expect([answer.status, answer.headers.get('hx-redirect')]).toEqual([401, '/'])
  })
})

describe('signing out', () => {
  test('ends the session itself, not only the cookie', async () => {
    const browser = await site.signedIn('alice')
    const cookie = `jackdaw_session=${browser.cookies.get('jackdaw_session') ?? ''}`

    await browser.post('/sign-out')

    const answer = await site.browser().get('/budgets', { cookie })
    expect(browser.cookies.size).toBe(0)
    expect(answer.location).toBe('/?next=%2Fbudgets')
  })
})

describe('a form from elsewhere', () => {
  test.each([
    { from: 'another site', headers: { origin: 'https://other.example' } },
    { from: 'another site, as newer browsers say', headers: { 'sec-fetch-site': 'cross-site' } },
    { from: 'another name of the same domain', headers: { 'sec-fetch-site': 'same-site' } },
    { from: 'nowhere that is said', headers: {} },
  ])('is refused when it comes from $from, and nothing is done', async ({ headers }) => {
    const browser = await site.signedIn('alice')
    const fields = { template: 'slc5', purpose: 'forged', budget: 'T-1042' }

    const answer = await browser.post('/request', fields, headers)

    expect(answer.status).toBe(403)
    expect(textOf(answer.html)).toContain('This came from a page that is not ours')
    expect((await browser.get('/requests')).html).not.toContain('forged')
  })

  test.each(['/sign-in', '/sign-out', '/desktop', '/desktop/log-off'])(
    'is refused at %s too',
    async (path) => {
      const headers = { origin: 'https://other.example' }

      const answer = await site.browser().post(path, { user: 'alice', password: 'alice' }, headers)

      expect(answer.status).toBe(403)
      expect(answer.headers.get('set-cookie')).toBeNull()
    },
  )

  test('is taken from a browser that is too old for Origin but says which page of ours it comes from', async () => {
    const headers = { referer: `${site.url}/` }

    const answer = await site.browser().post('/sign-in', { user: 'alice', password: 'alice' }, headers)

    expect(answer.status).toBe(303)
  })
})
