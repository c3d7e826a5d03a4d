import { X509Certificate } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openStorySite, type StorySite } from '../stories/site.ts'

let site: StorySite
beforeAll(async () => {
  site = await openStorySite()
})
afterAll(() => site.close())

const basic = (user: string): string => `Basic ${Buffer.from(`${user}:${user}`).toString('base64')}`
const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(`${site.url}${path}`, { headers, redirect: 'manual' })

async function cookieOf(user: string): Promise<string> {
  const answer = await get('/RDWeb/FeedLogin/WebFeedLogin.aspx', { Authorization: basic(user) })
  return `.ASPXAUTH=${await answer.text()}`
}

describe('the web feed', () => {
  test('sends whoever is not known to its login, which challenges them and gives a token', async () => {
    const [feed, challenge] = [
      await get('/RDWeb/Feed/webfeed.aspx'),
      await get('/RDWeb/FeedLogin/WebFeedLogin.aspx'),
    ]
    const login = await get('/RDWeb/FeedLogin/WebFeedLogin.aspx', { Authorization: basic('carol') })

    expect([feed.status, feed.headers.get('location')]).toEqual([302, '/RDWeb/FeedLogin/WebFeedLogin.aspx'])
    expect([challenge.status, challenge.headers.get('www-authenticate')]).toEqual([
      401,
      'Basic realm="Jackdaw desktops", charset="UTF-8"',
    ])
    expect(login.headers.get('content-type')).toBe('application/x-msts-webfeed-login; charset=utf-8')
  })

  test.each([
    ['bob', ['public']],
    ['alice', ['developers', 'public']],
  ])('shows %s what they may open', async (user, names) => {
    const feed = await (await get('/RDWeb/Feed/webfeed.aspx', { Cookie: await cookieOf(user) })).text()

    const aliases = [...feed.matchAll(/Alias="([^"]*)"/g)].map(([, alias]) => alias ?? '').sort()
    expect(aliases).toEqual(names)
  })

  test('is given in the version that a client asks for', async () => {
    const Accept = 'application/x-msts-radc+xml; radc_schema_version=2.1'
    const answer = await get('/RDWeb/Feed/webfeed.aspx', { Accept, Authorization: basic('carol') })

    expect(answer.headers.get('content-type')).toBe('application/x-msts-radc+xml; charset=utf-8')
    expect(await answer.text()).toContain('SchemaVersion="2.1"')
  })

  test.each(['/RDWeb/', '/Feed/webfeed.aspx', '/api/feeddiscovery/webfeeddiscovery.aspx'])(
    'is found from %s',
    async (path) => {
      expect((await get(path)).headers.get('location')).toBe('/RDWeb/Feed/webfeed.aspx')
    },
  )

  test('is found by Windows from anywhere, and by nobody else', async () => {
    const windows = await get('/somewhere', { 'User-Agent': 'TSWorkspace/2.0' })
    const browser = await get('/somewhere', { 'User-Agent': 'Mozilla/5.0' })

    expect([windows.status, browser.status]).toEqual([302, 404])
  })

  test.each(['desktop.ico', 'desktop-16.png', 'desktop-256.png'])('has the icon %s', async (name) => {
    const answer = await get(`/RDWeb/Feed/icons/${name}`)

    const bytes = Buffer.from(await answer.arrayBuffer())
    const start = name.endsWith('.ico') ? bytes.subarray(22) : bytes
    expect(start.subarray(1, 4).toString()).toBe('PNG')
  })

  test('gives Windows, which keeps files, one that names the pool; others get the file of a lease', async () => {
    const path = '/RDWeb/Feed/rdp/public.rdp'
    const Cookie = await cookieOf('carol')
    const kept = await get(path, { Cookie, 'User-Agent': 'TSWorkspace/2.0' })
    const opened = await get(path, { Cookie, 'User-Agent': 'com.microsoft.rdc.macos RdCore/1.0 (Mac OS X)' })

    const text = Buffer.from(await kept.arrayBuffer()).toString('utf16le')
    expect(text).toContain('loadbalanceinfo:s:tsv://MS Terminal Services Plugin.1.public\r\n')
    expect(text).toContain('\r\nsignature:s:')
    expect(await opened.text()).toMatch(/^loadbalanceinfo:s:Cookie: msts=[\w-]{43}\r$/m)
  })

  test('opens no pool for who is not of it', async () => {
    const Cookie = await cookieOf('bob')

    const answers = await Promise.all(
      ['TSWorkspace/2.0', 'other'].map((agent) =>
        get('/RDWeb/Feed/rdp/developers.rdp', { Cookie, 'User-Agent': agent }),
      ),
    )

    expect(answers.map(({ status }) => status)).toEqual([403, 403])
  })
})

describe('reconnecting', () => {
  const action = 'http://schemas.microsoft.com/ts/2010/09/rdweb/GetRDPFiles'
  const post = (Cookie: string, SOAPAction: string) =>
    fetch(`${site.url}/RDWeb/Feed/rdwebservice.asmx`, {
      method: 'POST',
      headers: { Cookie, SOAPAction, 'Content-Type': 'text/xml' },
      body: '<x/>',
    })

  test('gives somebody their own open sessions and nobody else’s', async () => {
    const [alice, bob] = [await cookieOf('alice'), await cookieOf('bob')]
    await get('/RDWeb/Feed/rdp/public.rdp', { Cookie: alice })

    const [hers, his] = [await post(alice, `"${action}"`), await post(bob, action)]

    expect((await hers.text()).match(/username:s:alice/g)).toHaveLength(1)
    expect(await his.text()).not.toContain('<rdpStream>')
  })

  test('knows one action', async () => {
    expect((await post(await cookieOf('alice'), 'other')).status).toBe(400)
  })
})

describe('files for devices', () => {
  test.each([
    ['/wyse/wnos/wnos.ini', 'Include=$mac.ini'],
    ['/wyse/wnos/inc/008064000013.ini', 'description="developers"'],
    ['/wyse/wnos/inc/00:80:64:00:00:13.ini', '# Jackdaw: lab-9'],
    ['/wyse/wnos/inc/ffffffffffff.ini', 'ConnectionBroker=Microsoft'],
    ['/thinstation/thinstation.conf.network', 'SESSION_0_TYPE=firefox'],
    ['/thinstation/thinstation.conf-000B3C000012', 'terminal=office-204'],
  ])('%s says %s', async (path, line) => {
    const answer = await get(path)

    expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8')
    expect(await answer.text()).toContain(line)
  })

  test('the certificate that signs RDP files can be fetched, to be trusted', async () => {
    const answer = await get('/rdp-signing.crt')

    const certificate = new X509Certificate(await answer.text())
    expect(certificate.fingerprint.replaceAll(':', '')).toBe(answer.headers.get('jackdaw-thumbprint'))
  })

  test('something that is no MAC is not there', async () => {
    expect((await get('/wyse/wnos/inc/..%2Fx.ini')).status).toBe(404)
  })
})
