import { type Browser, type BrowserContextOptions, chromium, type Locator, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { powerOffMachine, startMachine } from '../../src/operations/control-machine.ts'
import { component } from '../components.ts'
import { signedInAt } from './chromium.ts'
import { giveMachine, person, untilState } from './machine.ts'
import { openStorySite, type StorySite } from './site.ts'

const browserHere = await component('chromium', { install: true })
const name = browserHere.available
  ? 'a console in a real browser'
  : `a console in a real browser (needs: ${browserHere.remedy})`

/** The keys of a message of RFB (KeyEvent, RFC 6143, 7.5.4). */
function keysIn(message: Buffer): string[] {
  if (message.length !== 8 || message[0] !== 4) return []
  return [`${message[1] === 0 ? 'up' : 'down'} ${message.readUInt32BE(4).toString(16)}`]
}

describe.skipIf(!browserHere.available)(name, () => {
  let site: StorySite
  let browser: Browser
  const complaints: string[] = []

  beforeAll(async () => {
    site = await openStorySite({ live: true, edit: (yaml) => yaml.replace('PT0.2S', 'PT0.01S') })
    const executablePath = browserHere.available ? browserHere.path : ''
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] })
    await giveMachine(site, { name: 'webafs20' })
  })
  afterEach(async () => {
    await Promise.all(browser.contexts().map((context) => context.close()))
  })
  afterAll(async () => {
    await browser.close()
    await site.close()
  })

  const windowOf = (user: string, path: string, look: BrowserContextOptions = {}) =>
    signedInAt({ browser, site, complaints }, user, path, look)
  const connected = (page: Page) => page.getByText('● Connected.').waitFor()
  const canvas = (page: Page) => page.locator('#console-frame canvas')

  /** Resolves once the picture is another one than this. */
  async function changed(picture: Locator, from: Buffer): Promise<Buffer> {
    for (;;) {
      const now = await picture.screenshot()
      if (!now.equals(from)) return now
    }
  }

  test('somebody follows a link from chat, signs in, and types on the serial line', async () => {
    const page = await windowOf('alice', '/console/webafs20/serial')
    await connected(page)

    await page.keyboard.type('uname -a')
    await page.keyboard.press('Enter')

    await page.locator('.xterm-rows').getByText('You typed: uname -a').waitFor()
    expect(new URL(page.url()).hash).toBe('')
  })

  test('the screen shows what is typed, and three keys that a browser keeps to itself are pressed by a button', async () => {
    const page = await windowOf('alice', '/machines/webafs20')
    await page.getByRole('button', { name: 'Screen' }).click()
    await connected(page)
    const first = await canvas(page).screenshot()

    await page.keyboard.press('a')
    const typed = await changed(canvas(page), first)
    await page.keyboard.press('Backspace')
    const again = await changed(canvas(page), typed)
    await page.getByRole('button', { name: 'Ctrl-Alt-Del' }).click()
    await changed(canvas(page), again)

    expect(again.equals(first)).toBe(true)
  })

  test('a text is typed key by key, with the shift key held for capitals', async () => {
    const page = await windowOf('alice', '/machines/webafs20')
    const pressed: string[] = []
    page.on('websocket', (socket) => {
      socket.on('framesent', ({ payload }) => {
        if (typeof payload !== 'string') pressed.push(...keysIn(payload))
      })
    })
    await page.getByRole('button', { name: 'Screen' }).click()
    await connected(page)

    await page.getByRole('button', { name: 'Paste…' }).click()
    await page.getByRole('textbox').fill('Hi\n')
    await page.getByRole('button', { name: 'Type it' }).click()
    await expect.poll(() => pressed.at(-1)).toBe('up ff0d')

    const h = ['down ffe1', 'down 48', 'up 48', 'up ffe1']
    expect(pressed).toEqual([...h, 'down 69', 'up 69', 'down ff0d', 'up ff0d'])
  })

  test('whoever looks is told that the machine was stopped, and reconnects when it runs', async () => {
    const page = await windowOf('alice', '/console/webafs20/serial')
    await connected(page)
    const alice = person('alice')

    await site.service.operations.perform(powerOffMachine, alice, { name: 'webafs20' })
    await page.getByText('webafs20 does not run any more').waitFor()
    await page.getByRole('button', { name: 'Reconnect' }).click()
    await page.getByText('webafs20 is stopped; start it first.').waitFor()
    await site.service.operations.perform(startMachine, alice, { name: 'webafs20' })
    await untilState(site, 'webafs20', 'running')
    await page.getByRole('button', { name: 'Reconnect' }).click()

    await connected(page)
  })

  test.each(['screen', 'serial'])('the page of a %s fits a narrow phone, dark or light', async (kind) => {
    const look = { viewport: { width: 320, height: 640 }, colorScheme: 'dark' } as const
    const page = await windowOf('alice', `/console/webafs20/${kind}`, look)
    await connected(page)

    const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)

    expect(over).toBeLessThanOrEqual(0)
  })

  test('no page complained, of the content policy or of anything else', () => {
    expect(complaints.filter((text) => !text.includes('409 (Conflict)'))).toEqual([])
  })
})
