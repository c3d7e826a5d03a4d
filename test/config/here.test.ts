import { describe, expect, test } from 'vitest'
import { checkConfig, parseEndpoint } from '../../src/config.ts'
import { changed, example, faultsOf } from './example.ts'

function configWith(here: Parameters<typeof checkConfig>[3]) {
  const result = checkConfig(example, 'F', '/site', here)
  if ('faults' in result) throw new Error(JSON.stringify(result.faults))
  return result.config
}

describe('what one process of several has for itself', () => {
  test('takes the place of what the file says, and leaves the rest', () => {
    const { http, rdp, store } = configWith({
      http: { host: '127.0.0.1', port: 8081 },
      rdp: { host: '127.0.0.2', port: 3390 },
      data: '/var/lib/second',
    })

    expect(http).toMatchObject({ host: '127.0.0.1', port: 8081 })
    expect(rdp).toEqual({ host: '127.0.0.2', port: 3390, publicAddress: '127.0.0.1:3389' })
    expect(store).toMatchObject({ kind: 'lowdb', path: '/var/lib/second' })
  })

  test('is looked through for faults as if it stood in the file', () => {
    const here = { http: { host: '0.0.0.0', port: 80_800 } }

    const result = checkConfig(example, 'F', '/site', here)

    const faults = 'faults' in result ? result.faults.map(({ path, wrong }) => `${path} ${wrong}`) : []
    expect(faults).toContain('http.port is 80800')
    expect(faults).toContain(
      'identity.local[0].password is readable in the file, and http.host 0.0.0.0 is not a loopback address',
    )
  })

  test.each([
    ['127.0.0.1:8081', { host: '127.0.0.1', port: 8081 }],
    ['[::1]:8081', { host: '::1', port: 8081 }],
    ['desk.example.org:1', { host: 'desk.example.org', port: 1 }],
    ['8081', undefined],
    ['127.0.0.1', undefined],
    ['::1:8081', undefined],
  ])('%s on the command line', (text, endpoint) => {
    expect(parseEndpoint(text)).toEqual(endpoint)
  })
})

describe('what several processes share', () => {
  const port = 'http: { host: 127.0.0.1, port: 8080 }'
  const store = 'store: { kind: lowdb, path: ./data }'

  test.each([['127.0.0.1'], ['10.0.0.0/8'], ['::1'], ['2001:db8::/32']])(
    'a proxy at %s may be believed',
    (address) => {
      const text = changed([port, `http: { host: 127.0.0.1, port: 8080, proxies: ['${address}'] }`])

      expect(faultsOf(text)).toEqual([])
    },
  )

  test.each(['proxy.example.org', '10.0.0.0/33', '10.0.0.0/', 'loopback'])('%s is no proxy', (address) => {
    const text = changed([port, `http: { host: 127.0.0.1, port: 8080, proxies: ['${address}'] }`])

    expect(faultsOf(text)).toEqual([expect.stringMatching(/http\.proxies\[0\]: .*10\.0\.0\.0\/8/)])
  })

  test.each(['PT2S', 'PT11M', 'soon'])('%s is no time after which to take over', (takeover) => {
    const text = changed([
      store,
      `store: { kind: postgres, url: 'postgres://db/site', takeover: ${takeover} }`,
    ])

    expect(faultsOf(text)).toEqual([expect.stringContaining('store.takeover')])
  })
})
