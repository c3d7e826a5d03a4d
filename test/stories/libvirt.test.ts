import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { z } from 'zod'
import { shutdownMachine, startMachine } from '../../src/operations/control-machine.ts'
import { showMachine } from '../../src/operations/show-machine.ts'
import { showFigures } from '../../src/operations/show-figures.ts'
import { changeKeys } from '../../src/operations/ssh-keys.ts'
import { uuidOf } from '../../src/hypervisors/libvirt/naming.ts'
import { component } from '../components.ts'
import { cloudGuest } from '../hypervisors/cloud-guest.ts'
import { type Lab, labComponents, openLab, virshOf } from '../hypervisors/libvirt-lab.ts'
import { signedInAt } from './chromium.ts'
import { giveMachine, person, untilState } from './machine.ts'
import { openStorySite, type StorySite } from './site.ts'

const [browserHere, labHere] = await Promise.all([component('chromium', { install: true }), labComponents()])
const guest = labHere.available ? await cloudGuest() : { remedy: labHere.remedy }
const remedy = browserHere.available ? ('remedy' in guest ? guest.remedy : undefined) : browserHere.remedy
const name = `a Linux server on libvirt${remedy === undefined ? '' : ` (needs: ${remedy})`}`
const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdXuUyZ0Yqi7Fy7xTtQw1yq5vZ7o1Wm2l8n3c4d5e6f alice@home'

describe.skipIf(remedy !== undefined)(name, () => {
  let lab: Lab
  let site: StorySite
  let browser: Browser
  const complaints: string[] = []

  beforeAll(async () => {
    if ('remedy' in guest) throw new Error(guest.remedy)
    lab = await openLab(1)
    const { disk } = lab.rule.templates.slc5 ?? { disk: '' }
    const boots = { ...guest, cmdline: 'console=ttyS0 panic=-1 quiet loglevel=0' }
    const templates = { slc5: { disk, machine: 'pc', agent: true, ...boots } }
    const rule = { ...lab.rule, shutdown: 'PT1M', templates }
    const edit = (yaml: string) => {
      return stringify({
        ...z.looseObject({}).parse(parse(yaml)),
        hypervisors: [rule],
        pools: [],
        terminals: [],
      })
    }
    site = await openStorySite({ live: true, edit })
    const executablePath = browserHere.available ? browserHere.path : ''
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] })
  })
  afterAll(async () => {
    await browser.close()
    await site.close()
    await lab.close()
  })

  const shown = (page: Page, text: string | RegExp) =>
    page.locator('.xterm-rows').getByText(text).first().waitFor()

  test('is asked for, approved, made, and its owner logs in on the serial line', async () => {
    const alice = person('alice', ['developers'])
    await site.service.operations.perform(changeKeys, alice, { keys: [key] })

    await giveMachine(site, { name: 'webafs20' })

    const machine = await site.service.operations.perform(showMachine, alice, { name: 'webafs20' })
    expect(machine).toMatchObject({ state: 'running', host: 'hosta', address: 'webafs20.lab.example' })
    const page = await signedInAt({ browser, site, complaints }, 'alice', '/console/webafs20/serial')
    await page.getByText('● Connected.').waitFor()
    await page.keyboard.press('Enter')
    await shown(page, /webafs20 login:/)
    await page.keyboard.type('alice\n')
    await shown(page, /built-in shell|\$/)
    await page.keyboard.type('id; cat .ssh/authorized_keys\n')
    await shown(page, /gid=1000\(alice\)/)
    await shown(page, /alice@home/)
    expect(complaints).toEqual([])
  })

  test('is shut down when it is asked to, and shown as stopped within seconds when it dies', async () => {
    const alice = person('alice', ['developers'])
    const machine = { name: 'webafs20' }
    const { operations, store } = site.service
    expect(await operations.perform(showFigures, alice, machine)).toMatchObject({
      heartbeat: 'ok',
      problems: [],
    })

    await operations.perform(shutdownMachine, alice, machine)
    await untilState(site, 'webafs20', 'stopped')
    await operations.perform(startMachine, alice, machine)
    await untilState(site, 'webafs20', 'running')
    await virshOf(lab.daemons[0]?.uri ?? '', ['destroy', uuidOf(await refOf())])
    await untilState(site, 'webafs20', 'stopped')

    const last = (await store.read((tx) => tx.machines.get('webafs20')))?.history.at(-1)
    expect(last).toMatchObject({ state: 'stopped', reason: 'seen at its host' })
  })

  async function refOf(): Promise<string> {
    return (await site.service.store.read((tx) => tx.machines.get('webafs20')))?.ref ?? ''
  }
})
