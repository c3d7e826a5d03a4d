import { afterAll, beforeAll, expect, test } from 'vitest'
import { system } from '../../src/identity/person.ts'
import { startLink } from '../../src/operations/links.ts'
import { textOf } from './markup.ts'
import { openSite, type Site } from './served.ts'

let site: Site
beforeAll(async () => {
  site = await openSite()
})
afterAll(() => site.close())

/** The page that a link from chat leads to. */
async function linkTo(id: string): Promise<string> {
  const account = { platform: 'slack', id, name: '<b>ally</b>', email: null, directoryName: null } as const
  const { token } = await site.operations.perform(startLink, system(), account)
  return `/accounts/link/${token}`
}

test('whoever follows a link signs in first, and comes back to it', async () => {
  const page = await linkTo('T1.U1')

  const shown = await site.browser().get(page)

  expect(shown.location).toBe(`/?next=${encodeURIComponent(page)}`)
})

test('the page says which account it is and who would act through it, and changes nothing by being looked at', async () => {
  const alice = await site.signedIn('alice')
  const page = await linkTo('T1.U1')

  const shown = await alice.get(page)

  expect(textOf(shown.html)).toContain('Is this your Slack account?')
  expect(shown.html).toContain('&lt;b>ally&lt;/b>')
  expect(textOf((await alice.get('/accounts')).html)).toContain('No chat account is linked to you')
})

test('a confirmed account is listed until it is unlinked', async () => {
  const alice = await site.signedIn('alice')

  const linked = await alice.submit(await linkTo('T1.U1'))
  const unlinked = await alice.submit('/accounts/unlink', { platform: 'slack', account: 'T1.U1' })

  expect(textOf(linked.html)).toContain('T1.U1')
  expect(textOf(unlinked.html)).toContain('No chat account is linked to you')
})

test('another site’s page confirms nothing', async () => {
  const alice = await site.signedIn('alice')

  const shown = await alice.post(await linkTo('T1.U1'), {}, { origin: 'http://evil.example' })

  expect(shown.status).toBe(403)
  expect(textOf((await alice.get('/accounts')).html)).toContain('No chat account is linked to you')
})

test('a link that was used says so', async () => {
  const alice = await site.signedIn('alice')
  const page = await linkTo('T1.U2')
  await alice.submit(page)

  const shown = await alice.post(page)

  expect(shown.status).toBe(404)
  expect(textOf(shown.html)).toContain('This link was used before or is older than 15 minutes.')
})
