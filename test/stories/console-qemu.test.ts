import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { component } from '../components.ts'
import { guestAccount, linuxGuest } from '../hypervisors/linux-guest.ts'
import { type Qemu, startQemu } from '../hypervisors/qemu.ts'
import { signedInAt } from './chromium.ts'
import { giveMachine } from './machine.ts'
import { openStorySite, type StorySite } from './site.ts'

const [browserHere, qemuHere] = await Promise.all([
  component('chromium', { install: true }),
  component('qemu', { install: true }),
])
const guest = qemuHere.available ? await linuxGuest() : { remedy: qemuHere.remedy }
const remedy = browserHere.available ? ('remedy' in guest ? guest.remedy : undefined) : browserHere.remedy
const name = `a console of a real machine${remedy === undefined ? '' : ` (needs: ${remedy})`}`

/** As hands type: with the shift key held where it is needed, which is what reaches a machine. */
async function fingers(page: Page, text: string): Promise<void> {
  for (const letter of text) await page.keyboard.press(/[A-Z>]/.test(letter) ? `Shift+${letter}` : letter)
  await page.keyboard.press('Enter')
}

describe.skipIf(remedy !== undefined)(name, () => {
  let site: StorySite
  let browser: Browser
  let qemu: Qemu
  const complaints: string[] = []

  beforeAll(async () => {
    const path = qemuHere.available ? qemuHere.path : ''
    if ('remedy' in guest) throw new Error(guest.remedy)
    qemu = await startQemu(path, guest)
    site = await openStorySite({ live: true, edit: (yaml) => yaml.replace('PT0.2S', 'PT0.01S') })
    const executablePath = browserHere.available ? browserHere.path : ''
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] })
    await giveMachine(site, { name: 'webafs20' })
    // All but the machine itself is as it is in service: the simulator lends its name to a guest that is real.
    const driver = site.service.hypervisors.get('wod')
    if (driver === undefined) throw new Error('the demo has a hypervisor')
    vi.spyOn(driver, 'console').mockImplementation((_ref, kind) => qemu.console(kind))
  })
  afterAll(async () => {
    await browser.close()
    await site.close()
    await qemu.kill()
  })

  const at = (path: string) => signedInAt({ browser, site, complaints }, 'alice', path)
  const shown = (page: Page, text: string | RegExp) => page.locator('.xterm-rows').getByText(text).waitFor()

  test('somebody logs in on the serial line, and what they type on the screen comes out there', async () => {
    const [serial, screen] = [await at('/console/webafs20/serial'), await at('/console/webafs20/screen')]
    await serial.getByText('● Connected.').waitFor()
    await screen.getByText('● Connected.').waitFor()

    await serial.keyboard.press('Enter')
    await shown(serial, /guest login:/)
    await serial.keyboard.type(`${guestAccount.user}\n`)
    await shown(serial, 'Password:')
    await serial.keyboard.type(`${guestAccount.password}\n`)
    await shown(serial, 'built-in shell')
    await serial.keyboard.type('uname -s -r\n')
    await shown(serial, /^Linux \d/)

    await screen.bringToFront()
    await fingers(screen, 'echo from the screen > /dev/ttyS0')
    await shown(serial, 'from the screen')
    await screen.getByRole('button', { name: 'Paste…' }).click()
    await screen.getByRole('textbox').fill('echo "PASTED: $((40+2)) & <done>" > /dev/ttyS0\n')
    await screen.getByRole('button', { name: 'Type it' }).click()
    await shown(serial, 'PASTED: 42 & <done>')

    expect(complaints).toEqual([])
  })
})
