import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { negotiationFailure } from '../../broker/router/greeting.ts'
import { request as greeting } from '../broker/router/packets.ts'
import { dial } from '../broker/router/wire.ts'
import { type Cluster, missingServer, openCluster } from '../store/cluster.ts'
import { callAs } from '../torture/traffic.ts'
import { aSite, freePort, type Running, type TestSite } from './process.ts'

const unless = missingServer === undefined ? '' : ` (needs PostgreSQL: ${missingServer})`
const Opened = z.object({ lease: z.string(), rdp: z.string() })
const eventually = { timeout: 100_000, interval: 50 }

describe.skipIf(missingServer !== undefined)(`a router that runs alone on a site's database${unless}`, () => {
  let cluster: Cluster
  let site: TestSite
  let service: Running
  let edge: Running
  let port: number
  beforeAll(async () => {
    cluster = await openCluster()
    await cluster.sql('CREATE DATABASE edge')
    const url = cluster.url.replace(/[^/]*$/, 'edge')
    site = await aSite((yaml) =>
      yaml
        .replace(/store: \{.*\}/, `store: { kind: postgres, url: '${url}', takeover: PT3S }`)
        .replace('    # server: ./wod.sock', '    server: ./wod.sock #'),
    )
    await site.command('simulate', '--config', site.config)
    service = await site.start()
    port = await freePort()
    edge = await site.command(
      'router',
      '--config',
      site.config,
      '--rdp',
      `127.0.0.1:${port}`,
      '--drain',
      'PT1H',
    )
  })
  afterAll(async () => {
    await site.dispose()
    await cluster.dispose()
  })

  async function open(user: string): Promise<{ lease: string; hello: string }> {
    const opened = await vi.waitFor(async () => {
      const { body } = await callAs(site.url, user, 'POST', '/pools/public/open', {})
      return Opened.parse(body)
    }, eventually)
    const [, token = ''] = /^loadbalanceinfo:s:(.+?)\r?$/m.exec(opened.rdp) ?? []
    return { lease: opened.lease, hello: greeting(`${token}\r\n`, '0100080003000000') }
  }

  test('brings people to their desktops, and keeps them there while the rest is started anew', async () => {
    const { lease, hello } = await open('carol')
    const client = await dial(port, hello)
    await client.has(19)

    await service.stop('SIGTERM')
    client.socket.write('while nobody else is there')
    await client.has(45)
    const meanwhile = await dial(port, hello)
    await meanwhile.has(19)
    service = await site.start()
    await callAs(site.url, 'olga', 'POST', `/leases/${lease}/end`, {})
    await Promise.all([client.over, meanwhile.over])
    const again = await dial(port, hello)
    await again.over

    expect(client.received().subarray(19).toString()).toBe('while nobody else is there')
    expect(again.received()).toEqual(negotiationFailure())
  })

  test('told to stop takes nobody any more, and waits for those who are there', async () => {
    const { hello } = await open('alice')
    const client = await dial(port, hello)
    await client.has(19)

    const ended = edge.stop('SIGTERM')
    await expect
      .poll(
        () =>
          dial(port).then(
            () => 'open',
            () => 'closed',
          ),
        eventually,
      )
      .toBe('closed')
    client.socket.write('still here')
    await client.has(29)
    client.socket.end()

    expect((await ended).code).toBe(0)
  })

  test('is refused where the site is kept in a folder of one process', async () => {
    const other = await aSite()

    const { code, err } = await other.run('router', '--config', other.config)
    await other.dispose()

    expect([code, err]).toEqual([
      2,
      expect.stringContaining('store.kind: is a folder that one process has to itself'),
    ])
  })
})
