import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Caller, system } from '../../src/identity/person.ts'
import { openDesktop } from '../../src/operations/open-desktop.ts'
import { component } from '../components.ts'
import { openStorySite, type StorySite } from './site.ts'

const browserHere = await component('chromium', { install: true })
const name = browserHere.available ? 'in a real browser' : `in a real browser (needs: ${browserHere.remedy})`

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
]

describe.skipIf(!browserHere.available)(name, () => {
  let site: StorySite
  let browser: Browser
  const complaints: string[] = []

  beforeAll(async () => {
    site = await openStorySite({ live: true })
    const executablePath = browserHere.available ? browserHere.path : ''
    browser = await chromium.launch({
      executablePath,
      args: [...flags, '--disable-component-update', '--disable-sync'],
    })
  })
  afterAll(async () => {
    await browser.close()
    await site.close()
  })

  /** A window of their own; whatever the page complains about is kept, a breach of the content policy included. */
  async function windowOf(user: string | null, width = 1200): Promise<Page> {
    const context = await browser.newContext({ viewport: { width, height: 900 } })
    const page = await context.newPage()
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
    page.on('pageerror', (error) => complaints.push(error.message))
    if (user === null) return page
    await page.goto(site.url)
    await page.getByLabel('User name').fill(user)
    await page.getByLabel('Password').fill(user)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('heading', { name: 'Machines' }).waitFor()
    return page
  }

  test('what an operator has unfolded and typed stays so while the page of pools changes by itself', async () => {
    const olga = await windowOf('olga')
    await olga.goto(`${site.url}/pools`)
    await olga.getByText('Maintenance').last().click()
    await olga.getByLabel('Why public is closed').first().fill('new image')

    const carol: Caller = { ...system(), user: 'carol', roles: [] }
    await site.service.operations.perform(openDesktop, carol, { pool: 'public' })
    await olga.getByRole('row', { name: /^public 1 / }).waitFor()

    expect(await olga.locator('details[open]').count()).toBe(1)
    expect(await olga.getByLabel('Why public is closed').first().inputValue()).toBe('new image')
  })

  test('a request, its approval in another window and the finished server arrive without reloading', async () => {
    const [alice, bob] = [await windowOf('alice'), await windowOf('bob')]
    await alice.goto(`${site.url}/chat`)
    await bob.goto(`${site.url}/chat`)

    await alice
      .getByPlaceholder('request slc5')
      .fill('request slc5 for 60d budget T-1042 name webafs20 why "AFS web server"')
    await alice.keyboard.press('Enter')
    await bob.getByRole('button', { name: /^Approve/ }).click()
    await alice.getByText('ssh alice@').first().waitFor()

    await bob
      .getByText(/approved by you|you approved|approved by bob/i)
      .first()
      .waitFor()
    expect(await bob.getByRole('button', { name: /^Approve/ }).count()).toBe(0)
  })

  test('the list of machines follows what is done to one, and nothing overflows a narrow screen', async () => {
    const alice = await windowOf('alice', 320)
    const other = await windowOf('alice')
    await other.goto(`${site.url}/machines/webafs20`)

    await other.getByRole('button', { name: 'Save…' }).click()
    await other.getByRole('button', { name: 'Save', exact: true }).click()
    await alice.getByText('saved').first().waitFor()

    const overflow = await alice.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
    expect(overflow).toBeLessThanOrEqual(0)
  })

  test('the page for thin clients gives a desktop, and gives it back', async () => {
    const terminal = await windowOf(null, 800)
    await terminal.goto(`${site.url}/desktop?pool=public`)
    await terminal.getByLabel('User name').fill('carol')
    await terminal.getByLabel('Password').fill('carol')
    await terminal.getByRole('button', { name: 'Log in' }).click()

    const download = terminal.waitForEvent('download')
    await terminal.getByRole('link', { name: 'Open desktop' }).click()
    const file = await download
    await terminal.getByRole('button', { name: 'Log off' }).click()
    await terminal.getByText('You are logged off').waitFor()

    expect(file.suggestedFilename()).toMatch(/^public-\d+\.rdp$/)
  })

  test('no page complained, of the content policy or of anything else', () => {
    expect(complaints).toEqual([])
  })
})
