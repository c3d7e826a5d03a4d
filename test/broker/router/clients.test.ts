import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type Caller, system } from '../../../src/identity/person.ts'
import { endLeaseNow } from '../../../src/operations/end-lease.ts'
import { openDesktop } from '../../../src/operations/open-desktop.ts'
import { freePort } from '../../service/process.ts'
import { openStorySite, type StorySite } from '../../stories/site.ts'
import { account, type Client, type Lab, missing, openLab, shareOf } from './rdp-lab.ts'

/** Programs start slowly where there is much else to do. */
const patiently = { timeout: 60_000, interval: 200 }
const timeout = 180_000

const blue = { name: '#204060', rgb: [0x20, 0x40, 0x60] } as const
/** What xrdp shows around its login window. */
const xrdpGrey = [0xde, 0xde, 0xde] as const
const tsv = 'tsv://MS Terminal Services Plugin.1.public'

describe.skipIf(missing.length > 0)(`real clients and servers ${missing.join(' && ')}`, () => {
  let lab: Lab
  const sites: StorySite[] = []
  const clients: Client[] = []
  beforeAll(async () => {
    lab = await openLab()
  })
  afterEach(async () => {
    for (const client of clients.splice(0)) client.stop()
    for (const site of sites.splice(0)) await site.close()
  })
  afterAll(() => lab.close())

  /** The whole service, with a real server behind its simulated desktops. */
  async function siteBefore(rdpPort: number, terminalPort?: number): Promise<StorySite> {
    const site = await openStorySite({
      live: true,
      edit: (yaml) =>
        yaml
          .replace(/# rdpAddress: \S+/, `rdpAddress: 127.0.0.1:${rdpPort} #`)
          .replace('stage: PT0.2S', 'stage: PT0.01S')
          .replace(
            "mac: '00:0b:3c:00:00:12' }",
            `mac: '00:0b:3c:00:00:12'${terminalPort === undefined ? '' : `, port: ${terminalPort}, pool: public`} }`,
          ),
    })
    sites.push(site)
    return site
  }

  async function open(site: StorySite) {
    const alice: Caller = { ...system(), user: 'alice', groups: [], roles: [], address: '127.0.0.1' }
    const opening = () => site.service.operations.perform(openDesktop, alice, { pool: 'public' })
    await expect.poll(async () => (await opening()).state, patiently).toBe('offered')
    const opened = await opening()
    return { ...opened, token: /^loadbalanceinfo:s:(.*)\r$/m.exec(opened.rdp ?? '')?.[1] ?? '' }
  }

  function start(program: 'freerdp' | 'rdesktop', display: string, words: readonly string[]): Client {
    const client = lab.client(program, display, words)
    clients.push(client)
    return client
  }

  const freerdp = (site: StorySite, ...words: string[]) => [
    ...[`/v:127.0.0.1:${site.service.rdpPort}`, '/cert:ignore', '/log-level:off'],
    ...words,
  ]

  test('xfreerdp logs in at its desktop (NLA) by ticket, blob and name', { timeout }, async () => {
    const [behind, front] = [await lab.screen(), await lab.screen()]
    const site = await siteBefore(await lab.shadow(behind))
    const { token, lease } = await open(site)
    const rightly = [`/u:${account.user}`, `/p:${account.password}`, '+auth-only', '/sec:nla']
    const byName = freerdp(site, ...rightly)
    const waysToSay = [
      [...byName, `/load-balance-info:${token}`],
      [...byName, `/pcb:${token.replace('Cookie: msts=', '')}`],
      byName,
    ]

    const codes: (number | null)[] = []
    for (const words of waysToSay) codes.push(await start('freerdp', front, words).ended)
    const wrongly = await start('freerdp', front, [...byName, '/p:wrong']).ended
    const stranger = await start('freerdp', front, [...byName, '/u:mallory']).ended

    expect(codes).toEqual([0, 0, 0])
    expect([wrongly, stranger]).not.toContain(0)
    const { outcomes } = await site.service.routed()
    expect(outcomes['relayed']).toBeGreaterThanOrEqual(4)
    expect(outcomes['not_recognised']).toBeGreaterThan(0)
    expect(await site.service.store.read((tx) => tx.leases.get(lease))).toMatchObject({ user: 'alice' })
  })

  test(
    'a person sees the same desktop at two terminals, and neither once it is taken away',
    { timeout },
    async () => {
      const [behind, first, second] = [await lab.screen(blue.name), await lab.screen(), await lab.screen()]
      const site = await siteBefore(await lab.shadow(behind))
      const { token, lease } = await open(site)
      const words = freerdp(
        site,
        ...[`/u:${account.user}`, `/p:${account.password}`, '/sec:nla', `/load-balance-info:${token}`],
        ...['+auto-reconnect', '/auto-reconnect-max-retries:3'],
      )

      const here = start('freerdp', first, words)
      await expect.poll(() => shareOf(first, blue.rgb), patiently).toBeGreaterThan(0.3)
      const there = start('freerdp', second, words)
      await expect.poll(() => shareOf(second, blue.rgb), patiently).toBeGreaterThan(0.3)
      const during = await site.service.store.read((tx) => tx.leases.get(lease))
      const before = (await site.service.routed()).outcomes['relayed']
      await site.service.operations.perform(endLeaseNow, system(), { id: lease })
      await expect
        .poll(async () => (await site.service.routed()).open, { timeout: 1_000, interval: 20 })
        .toBe(0)
      await Promise.all([here.ended, there.ended])

      expect(during).toMatchObject({ state: 'connected', connections: 2 })
      const { outcomes } = await site.service.routed()
      // They dialled again by themselves, and got nowhere.
      expect(outcomes['unknown_ticket']).toBeGreaterThan(0)
      expect(outcomes['relayed']).toBe(before)
      const after = await site.service.store.read((tx) => tx.leases.get(lease))
      expect(after).toMatchObject({ state: 'ended', endReason: 'revoked' })
      expect(after?.traffic?.toClient).toBeGreaterThan(10_000)
    },
  )

  test.each([
    ['xfreerdp over TLS, by its collection,', 'negotiate', '/sec:tls', () => tsv],
    ['xfreerdp with plain RDP security, by ticket,', 'rdp', '/sec:rdp', (token: string) => token],
  ] as const)('%s sees xrdp’s login window', { timeout }, async (_, security, word, sayOf) => {
    const [display, server] = [await lab.screen(), await lab.xrdp({ security, encryption: 'none' })]
    const site = await siteBefore(server)
    const { token } = await open(site)

    start('freerdp', display, [...freerdp(site, '/u:alice', word), `/load-balance-info:${sayOf(token)}`])

    await expect.poll(() => shareOf(display, xrdpGrey), patiently).toBeGreaterThan(0.1)
  })

  test(
    'rdesktop, as a Jack PC that carries nothing, is at a clean desktop by the port it dials',
    { timeout },
    async () => {
      const display = await lab.screen()
      const port = await freePort()
      const site = await siteBefore(await lab.xrdp({ security: 'rdp', encryption: 'high' }), port)
      await expect
        .poll(() => site.service.store.read((tx) => tx.desktops.count('free', 'public')), patiently)
        .toBeGreaterThan(0)

      start('rdesktop', display, [`127.0.0.1:${port}`])

      await expect.poll(() => shareOf(display, xrdpGrey), patiently).toBeGreaterThan(0.1)
      const leases = await site.service.store.read((tx) => tx.leases.all())
      expect(leases).toMatchObject([{ user: 'terminal:office-204', state: 'connected' }])
    },
  )
})
