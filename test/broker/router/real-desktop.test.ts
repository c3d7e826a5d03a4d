import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeRdp, type RdpEncoding } from '../../../broker/rdp-file.ts'
import { type Caller, system } from '../../../src/identity/person.ts'
import { endLeaseNow } from '../../../src/operations/end-lease.ts'
import { openDesktop } from '../../../src/operations/open-desktop.ts'
import { openStorySite, type StorySite } from '../../stories/site.ts'
import { type Client, type Lab, missing, noRoot, openLab, shareOf } from './rdp-lab.ts'
import type { RealDesktops } from './rdp-desktops.ts'

const patiently = { timeout: 60_000, interval: 200 }
const lacks = [...missing, ...noRoot]
/** It dials again by itself, and would do so for long. */
const retries = ['+auto-reconnect', '/auto-reconnect-max-retries:2']
/** A session as it begins, and one in which somebody has worked. */
const [blue, orange] = [
  [0x20, 0x40, 0x60],
  [0xc0, 0x60, 0x20],
] as const

describe.skipIf(lacks.length > 0)(`real desktops of xrdp behind the router ${lacks.join(' && ')}`, () => {
  let lab: Lab
  let site: StorySite
  let desktops: RealDesktops
  const clients: Client[] = []
  beforeAll(async () => {
    lab = await openLab()
    desktops = await lab.desktops()
    site = await openStorySite({
      live: true,
      edit: (yaml) =>
        yaml
          .replace(/# rdpAddress: \S+/, `rdpAddress: 127.0.0.1:${desktops.port} #`)
          .replace('stage: PT0.2S', 'stage: PT0.01S'),
    })
  }, 60_000)
  afterAll(async () => {
    for (const client of clients) client.stop()
    await site.close()
    await lab.close()
  })

  /** Opens the file that somebody is given, as their client does. */
  async function sit(user: string, encoding: RdpEncoding, terminal: string) {
    const caller: Caller = { ...system(), user, groups: [], roles: [], address: '127.0.0.1' }
    const input = { pool: 'public', terminal: { name: terminal }, encoding }
    const opening = () => site.service.operations.perform(openDesktop, caller, input)
    await expect.poll(async () => (await opening()).state, patiently).toMatch(/offered|connected/)
    const opened = await opening()
    const [display, file] = [await lab.screen(), join(lab.folder, `${terminal}.rdp`)]
    await writeFile(file, encodeRdp(opened.rdp ?? '', encoding))
    const words = [
      file,
      `/u:${desktops.user}`,
      `/p:${desktops.password}`,
      '/cert:ignore',
      '/log-level:off',
      ...retries,
    ]
    const client = lab.client('freerdp', display, words)
    clients.push(client)
    const shows = (colour: typeof blue | typeof orange) =>
      expect.poll(() => shareOf(display, colour), patiently).toBeGreaterThan(0.3)
    return { ...opened, client, display, shows }
  }

  test('a person’s session follows them, and the next person finds nothing of it', async () => {
    const first = await sit('carol', 'utf-16le', 'lobby-1')
    await first.shows(blue)
    await desktops.work()
    await first.shows(orange)

    const second = await sit('carol', 'utf-8', 'office-204')
    await second.shows(orange)
    const firstEnded = await first.client.ended
    const begunWhileRoaming = await desktops.begun()
    await site.service.operations.perform(endLeaseNow, system(), { id: second.lease })
    const secondEnded = await second.client.ended
    await desktops.reset()
    const next = await sit('alice', 'utf-16le', 'lab-9')
    await next.shows(blue)

    expect(second).toMatchObject({ lease: first.lease, desktop: first.desktop })
    expect([firstEnded, secondEnded].every((code) => code !== null && code !== 0)).toBe(true)
    const { outcomes } = await site.service.routed()
    expect(outcomes['unknown_ticket']).toBeGreaterThan(0)
    expect(outcomes['relayed']).toBe(3)
    expect([begunWhileRoaming, await desktops.begun()]).toEqual([1, 2])
    expect(await shareOf(next.display, orange)).toBe(0)
    const lease = await site.service.store.read((tx) => tx.leases.get(first.lease))
    expect(lease).toMatchObject({ state: 'ended', endReason: 'revoked' })
    expect(next.lease).not.toBe(first.lease)
  }, 180_000)
})
