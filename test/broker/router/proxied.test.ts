import { describe, expect, test } from 'vitest'
import type { Source } from '../../../broker/router/sessions.ts'
import { hello, host, router, start } from './rig.ts'
import { dial } from './wire.ts'

const signature = '0d0a0d0a000d0a515549540a'
const ipv4 = `${signature}2111000cc0000207c6336401d3e80d3d`
const check = `${signature}20000000`

describe('a router behind a proxy', () => {
  const sources: Source[] = []
  const find = async (_said: unknown, source: Source) => {
    sources.push(source)
    return { lease: 'L-1', target: host.target }
  }

  test('takes the address and the port that a trusted one says', async () => {
    sources.length = 0
    await start({ proxies: ['10.0.0.0/8', '127.0.0.0/8'], find })

    await dial(router.port, ipv4 + hello)
    const desktop = await host.next()
    await desktop.has(hello.length / 2)

    expect(sources).toEqual([{ address: '192.0.2.7', port: 54_248, localPort: 3389 }])
    expect(desktop.received().toString('hex')).toBe(hello)
  })

  test.each([
    ['a header from somebody who is not trusted', ['10.0.0.1'], ipv4 + hello, 'bad_preconnection'],
    ['no header from a trusted one', ['127.0.0.1'], hello, 'bad_proxy_header'],
    ['a look at whether we are there', ['127.0.0.1'], check, 'health_check'],
  ])('does not take %s', async (_, proxies, hex, outcome) => {
    await start({ proxies, find })

    const client = await dial(router.port, hex)
    await client.over

    expect((await router.counts()).outcomes).toEqual({ [outcome]: 1 })
  })
})
