import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { dnsRegistrar, DnsRule } from '../../src/registration/dns.ts'
import type { Entry } from '../../src/registration/registrar.ts'
import { component } from '../components.ts'
import { freePort } from '../service/process.ts'
import { closedZone, type Named, secret, startNamed } from './named.ts'

const found = await component('named', { install: true })
const remedy = found.available ? '' : ` (missing: ${found.remedy})`

const signal = () => AbortSignal.timeout(30_000)
const none = { owner: 'alice', mac: '02:00:00:00:00:01', address: null }

describe.runIf(found.available)(`a real BIND${remedy}`, () => {
  let named: Named
  beforeAll(async () => {
    named = await startNamed(found.available ? found.path : '')
  })
  afterAll(() => named.stop())

  const rule = (facts: object = {}) =>
    DnsRule.parse({
      ...{ kind: 'dns', server: '127.0.0.1', port: named.port, zone: 'example.test' },
      reverse: ['128.10.in-addr.arpa', '8.b.d.0.1.0.0.2.ip6.arpa'],
      key: { name: 'jackdaw', secret: { env: 'DNS_KEY' } },
      ...facts,
    })
  const ours = (facts: object = {}, key = secret) => dnsRegistrar(rule(facts), key)
  const entry = (label: string, ref = `vm-${label}`): Entry => ({ ...none, name: label, ref })
  const at = (label: string, address: string, formerly: string | null = null) => ({
    ...{ ...entry(label), address, formerly },
  })

  test('takes a name, and the same machine again', async () => {
    await ours().register(entry('web1'), signal())
    await ours().register(entry('web1'), signal())

    await expect(named.resolver.resolveTxt('web1.example.test')).resolves.toEqual([['jackdaw vm-web1']])
  })

  test.each([
    ['another machine of ours', 'web2'],
    ['somebody else', 'theirs'],
  ])('has a name that is of %s: that is refused, and left as it is', async (_whose, label) => {
    if (label === 'web2') await ours().register(entry(label), signal())

    const outcome = ours().register(entry(label, 'vm-other'), signal())

    await expect(outcome).rejects.toMatchObject({
      ...{ code: 'registration_refused', transient: false },
      message: `${label}.example.test is in the DNS already and is not this machine. Choose another name.`,
    })
    await expect(ours().deregister(entry(label, 'vm-other'), signal())).resolves.toBeUndefined()
    const type = label === 'theirs' ? 'A' : 'TXT'
    await expect(named.resolver.resolve(`${label}.example.test`, type)).resolves.toHaveLength(1)
  })

  test('knows an address and the way back, another one later, and nothing after the end', async () => {
    const registrar = ours()
    await registrar.register(entry('web3'), signal())
    await registrar.locate(at('web3', '10.128.0.3'), signal())
    const first = [
      await named.resolver.resolve4('web3.example.test'),
      await named.resolver.reverse('10.128.0.3'),
    ]

    await registrar.locate(at('web3', '10.128.0.4', '10.128.0.3'), signal())
    const second = await named.resolver.resolve4('web3.example.test')
    await expect(named.resolver.reverse('10.128.0.3')).rejects.toMatchObject({ code: 'ENOTFOUND' })
    await registrar.deregister({ ...entry('web3'), address: '10.128.0.4' }, signal())
    await registrar.deregister({ ...entry('web3'), address: '10.128.0.4' }, signal())

    expect(first).toEqual([['10.128.0.3'], ['web3.example.test']])
    expect(second).toEqual(['10.128.0.4'])
    for (const gone of ['web3.example.test', '4.0.128.10.in-addr.arpa']) {
      await expect(named.resolver.resolveAny(gone)).rejects.toMatchObject({ code: 'ENOTFOUND' })
    }
  })

  test('knows an IPv6 address and its way back', async () => {
    const registrar = ours()
    await registrar.register(entry('web6'), signal())

    await registrar.locate(at('web6', '2001:db8::6'), signal())

    await expect(named.resolver.resolve6('web6.example.test')).resolves.toEqual(['2001:db8::6'])
    await expect(named.resolver.reverse('2001:db8::6')).resolves.toEqual(['web6.example.test'])
  })

  test('is tried without being changed', async () => {
    await expect(ours().check(signal())).resolves.toBeUndefined()
  })

  test.each([
    ['another key', {}, Buffer.from('another').toString('base64'), /does not take our key/],
    ['a zone that it does not have', { zone: 'nowhere.test' }, secret, /does not take our key|refused/],
    ['a zone that we may not change', { zone: closedZone }, secret, /does not let us change that zone/],
  ])('does not take %s, and that is said', async (_what, facts, key, message) => {
    const outcome = ours(facts, key).register(entry('web7'), signal())

    await expect(outcome).rejects.toMatchObject({ code: 'registration_refused', transient: false, message })
  })

  test('is gone, and trying again can help', async () => {
    const outcome = ours({ port: await freePort() }).register(entry('web8'), signal())

    await expect(outcome).rejects.toMatchObject({ code: 'registration_unreachable', transient: true })
  })

  test('is waited for no longer than the signal says', async () => {
    const outcome = ours().register(entry('web9'), AbortSignal.abort(new Error('enough')))

    await expect(outcome).rejects.toThrow('enough')
  })
})

test('a secret that is not base64 is refused without being shown', () => {
  const rule = DnsRule.parse({
    ...{ kind: 'dns', server: 'ns1', zone: 'example.test' },
    key: { name: 'jackdaw', secret: { env: 'DNS_KEY' } },
  })

  const open = () => dnsRegistrar(rule, 'two words\nserver elsewhere')

  expect(open).toThrow(/^The secret of the key jackdaw is not base64\.$/)
})
