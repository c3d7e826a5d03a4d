import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import { expect, test } from 'vitest'
import { component } from '../components.ts'
import { signedInAt } from './chromium.ts'
import { openStorySite } from './site.ts'

const browserHere = await component('chromium', { install: true })
const needs = browserHere.available ? '' : ` (needs: ${browserHere.remedy})`

test.skipIf(!browserHere.available)(
  `a file is sent from a real browser, and a second one of its name is not${needs}`,
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'jackdaw-library-'))
    await writeFile(join(folder, 'old.vhdx'), 'a disk')
    const site = await openStorySite({
      live: true,
      edit: (yaml) => `${yaml}\nlibrary: { folder: ${folder} }\n`,
    })
    const executablePath = browserHere.available ? browserHere.path : ''
    const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] })
    const complaints: string[] = []
    const page = await signedInAt({ browser, site, complaints }, 'alice', '/library')

    const send = async () => {
      await page.getByLabel('A disk, as qcow2, VHD or VHDX').setInputFiles(join(folder, 'old.vhdx'))
      await page.getByRole('button', { name: 'Send' }).click()
    }
    await send()
    await page.getByText('The file is here.').waitFor()
    await send()
    await page.getByText('You have a file old.vhdx already.').waitFor()

    expect(await readFile(join(folder, 'alice', 'old.vhdx'), 'utf8')).toBe('a disk')
    expect(complaints.filter((text) => !text.includes('409'))).toEqual([])
    await browser.close()
    await site.close()
    await rm(folder, { recursive: true })
  },
)
