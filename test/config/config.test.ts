import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { checkConfig, type Config, ConfigError, demoFile, loadConfig } from '../../src/config.ts'
import { changed, example, exampleFile, faultsOf } from './example.ts'

function accepted(text: string): Config {
  const result = checkConfig(text, exampleFile)
  if ('faults' in result) throw new ConfigError(exampleFile, result.faults)
  return result.config
}

describe('a whole file', () => {
  test.each([
    ['./run/wod.sock', { path: resolve(exampleFile, '..', 'run', 'wod.sock') }],
    ['127.0.0.1:7070', { host: '127.0.0.1', port: 7070 }],
    ['"[::1]:7070"', { host: '::1', port: 7070 }],
  ])('may say that a simulator is served at %s', (server, expected) => {
    const config = accepted(changed(['stage: PT0.2S', `server: ${server} #`]))

    expect(config.hypervisors[0]).toMatchObject({ server: expected })
  })

  test('the example is accepted as it stands', () => {
    const config = accepted(example)

    expect(config.http).toEqual({ host: '127.0.0.1', port: 8080 })
    expect(config.rdp).toEqual({ host: '127.0.0.1', port: 3389, publicAddress: '127.0.0.1:3389' })
    expect(config.chat).toEqual({ web: true, accounts: { directory: false, email: [] } })
    expect(config.identity.local.map(({ user }) => user)).toEqual(['alice', 'bob', 'carol', 'olga'])
    expect(config.hypervisors[0]).toMatchObject({ name: 'wod', stage: { millis: 200 } })
    expect(config.site).toMatchObject({
      name: 'CERN Virtual Infrastructure (demo)',
      timezone: 'Europe/Zurich',
      currency: 'CHF',
      publicUrl: 'http://127.0.0.1:8080',
      roles: { operator: ['operators'], auditor: [] },
      tariffs: [{ baseMilli: 960, perGbMilli: 685, perCpuMilli: 685, freeDays: 31 }],
      policies: { approvals: { fallback: ['olga'] }, machines: { atEnd: 'save', never: false } },
    })
    expect(config.site.hypervisors[0]?.hosts).toHaveLength(4)
    expect(config.site.policies.names.test('webafs20')).toBe(true)
    expect(config.site.policies.names.test('Web')).toBe(false)
  })

  test('the demo site means what the example means', () => {
    const demo = readFileSync(demoFile, 'utf8')

    expect(faultsOf(demo)).toEqual([])
    expect(parse(demo)).toEqual(parse(example))
  })

  test('names of people and groups are in lower case wherever they stand', () => {
    const text = changed(
      ['user: bob,', 'user: Bob,'],
      ['groups: [operators]', 'groups: [Operators]'],
      ['operator: [operators]', 'operator: [OPERATORS]'],
      ['holders: [bob]', 'holders: [BOB]'],
      ['fallback: [olga]', 'fallback: [Olga]'],
      ['members: [everyone]', 'members: [Everyone]'],
    )

    const { identity, site } = accepted(text)

    expect(identity.local[1]?.user).toBe('bob')
    expect(identity.local[3]?.groups).toEqual(['operators'])
    expect(site.roles.operator).toEqual(['operators'])
    expect(site.budgets[0]?.holders).toEqual(['bob'])
    expect(site.policies.approvals.fallback).toEqual(['olga'])
    expect(site.pools[1]?.members).toEqual(['everyone'])
  })

  test('a public address may end in a slash', () => {
    const { site } = accepted(
      changed(['publicUrl: http://127.0.0.1:8080', 'publicUrl: https://vm.example.org/cvi/']),
    )

    expect(site.publicUrl).toBe('https://vm.example.org/cvi')
  })

  test('password hashes are accepted where other machines can connect', () => {
    const hash = '"$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21l$Zm9ydHktdGhyZWUtY2hhcmFjdGVycy1vZi1oYXNo"'
    const hashed = ['alice', 'bob', 'carol', 'olga'].map(
      (user) => [`password: ${user}`, `passwordHash: ${hash}`] as const,
    )

    const faults = faultsOf(
      changed(['{ host: 127.0.0.1, port: 8080 }', '{ host: 0.0.0.0, port: 8080 }'], ...hashed),
    )

    expect(faults).toEqual([])
  })

  test.each(['localhost', '127.8.9.10', '"::1"'])('readable passwords are accepted on %s', (host) => {
    const faults = faultsOf(changed(['{ host: 127.0.0.1, port: 8080 }', `{ host: ${host}, port: 8080 }`]))

    expect(faults).toEqual([])
  })
})

describe('several faults', () => {
  test('faults of every domain and across them are told at once, in the order of their lines', () => {
    const text = changed(
      ['currency: CHF', 'currency: CHFF\n  colour: red'],
      ['port: 8080 }', 'port: -1 }'],
      ['base: "0.960"', 'base: free'],
      ['holders: [bob]', 'holders: [bobb]'],
      ['cpus: { default: 1, max: 2 }', 'cpus: { default: 4, max: 2 }'],
      ['template: desktop', 'template: laptop'],
    )

    const faults = faultsOf(text)

    expect(faults).toEqual([
      '6: site.currency: is "CHFF", perhaps CHF is meant',
      '7: site.colour: is not a key that is known here, known are name, timezone, currency and publicUrl',
      '9: http.port: is -1, should be at least 0',
      '44: templates[3].cpus.default: is 4, more than max, should be at most 2',
      '47: tariffs[0].base: is "free", should be an amount with at most three decimals in quotes, such as "0.685"',
      '50: budgets[0].holders[0]: is "bobb", and there is no user or group of that name, perhaps bob is meant',
      '59: pools[0].template: is "laptop", and there is no template of that name, should be slc5, w2008r2, w2008 or desktop',
    ])
  })

  test('a key that stands twice does not hide other faults', () => {
    const faults = faultsOf(changed(['currency: CHF', 'currency: CHF\n  currency: EURO']))

    expect(faults).toEqual([
      '6: site.currency: is "EURO", perhaps EUR is meant',
      '7: site.currency: stands there already, should be there once',
    ])
  })

  test('a key that stands twice in an item of a list is named with its place', () => {
    const faults = faultsOf(changed(['{ name: cernwod02,', '{ cpus: 2, name: cernwod02,']))

    expect(faults).toEqual(['35: hypervisors[0].hosts[1].cpus: stands there already, should be there once'])
  })

  test('before a place that is not YAML faults are told, and after it nothing is made up', () => {
    const faults = faultsOf(
      changed(['port: 8080 }', 'port: none }'], ['- { name: public', '- { name: "public']),
    )

    expect(faults[0]).toBe('8: http.port: is "none", should be a number')
    expect(faults.slice(1).every((fault) => fault.includes('file: is not YAML'))).toBe(true)
    expect(faults.length).toBeGreaterThan(1)
  })

  test('tariffs stand in the order of their days, one a day', () => {
    const [, row = ''] = /( {2}- \{ name: standard.*\n)/.exec(example) ?? []
    const later = (day: string) => row.replace('2009-01-01', day)

    const text = changed([row, row + later('2010-01-01') + later('2010-01-01') + later('2009-06-01')])

    expect(faultsOf(text)).toEqual([
      '48: tariffs[2].from: is 2010-01-01, as in the tariff before it, should be a later day',
      '49: tariffs[3].from: is 2009-06-01, earlier than the tariff before it, tariffs should stand in order of their days',
    ])
  })

  test.each([
    {
      changes: [['user: carol', 'user: BOB'] as const, ['holders: [bob, carol]', 'holders: [bob]'] as const],
      expected: '20: identity.local[2].user: is BOB a second time, should be a name of its own',
    },
    {
      changes: [['name: public', 'name: developers'] as const, ['pool: public', 'pool: developers'] as const],
      expected: '59: pools[1].name: is developers a second time, should be a name of its own',
    },
  ])('$expected', ({ changes, expected }) => {
    const faults = faultsOf(changed(...changes))

    expect(faults).toEqual([expected])
  })

  test('hosts of different hypervisors do not share a name, nor do hypervisors', () => {
    const [, hypervisor = ''] = /( {2}- name: wod\n[^]*?\n)\n/.exec(example) ?? []

    const faults = faultsOf(changed([hypervisor, hypervisor + hypervisor]))

    expect(faults[0]).toBe('38: hypervisors[1].name: is wod a second time, should be a name of its own')
    expect(faults).toContain(
      '44: hypervisors[1].hosts[0].name: is cernwod01 a second time, should be a name of its own',
    )
    expect(faults).toHaveLength(5)
  })

  test('each readable password is refused where other machines can connect', () => {
    const faults = faultsOf(changed(['{ host: 127.0.0.1, port: 8080 }', '{ host: 0.0.0.0, port: 8080 }']))

    expect(faults).toEqual(
      [0, 1, 2, 3].map(
        (index) =>
          `${18 + index}: identity.local[${index}].password: is readable in the file, and http.host 0.0.0.0 is not ` +
          'a loopback address, should be passwordHash, as made by: npm run jackdaw -- hash',
      ),
    )
  })

  test('a person needs one of password and passwordHash', () => {
    const faults = faultsOf(
      changed(['password: bob, ', ''], ['password: olga', 'password: olga, passwordHash: $argon2id$secret']),
    )

    expect(faults).toEqual([
      '19: identity.local[1].passwordHash: is missing, should be what this makes: npm run jackdaw -- hash',
      '21: identity.local[3].passwordHash: is not right, should be an argon2id hash, as made by: npm run jackdaw -- hash',
      '21: identity.local[3].passwordHash: stands beside password, one of them is enough',
    ])
  })

  test('a fault does not repeat a secret', () => {
    const faults = faultsOf(changed(['password: olga', 'password: 271828']))

    expect(faults).toEqual(['21: identity.local[3].password: is not right, should be text in quotes'])
  })

  test.each([
    ['', '1: file: is empty, should be a mapping of keys to values'],
    ['- a\n', '1: file: is a list, should be a mapping of keys to values'],
    ['jackdaw\n', '1: file: is "jackdaw", should be a mapping of keys to values'],
  ])('a file that is no configuration at all: %j', (text, expected) => {
    const faults = faultsOf(text)

    expect(faults).toEqual([expected])
  })

  test('aliases cannot unfold without bound', () => {
    const rows = Array.from(
      { length: 12 },
      (_, i) => `b${i}: &b${i} [${i === 0 ? 'x' : `*b${i - 1}, `.repeat(9)}]`,
    )

    const faults = faultsOf(rows.join('\n'))

    expect(faults).toEqual([
      '1: file: is not YAML: excessive alias count indicates a resource exhaustion attack, should be YAML 1.2',
    ])
  })
})

describe('a configuration on disk', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'jackdaw-config-'))
    await mkdir(join(folder, 'etc'))
    await writeFile(join(folder, 'etc', 'site.yaml'), example)
    await writeFile(
      join(folder, 'broken.yaml'),
      changed(['kind: lowdb', 'kind: sqlite'], ['port: 8080', 'port: none']),
    )
  })
  afterAll(() => rm(folder, { recursive: true }))

  test('relative paths start from the folder of the file', async () => {
    const file = join(folder, 'etc', 'site.yaml')

    const config = await loadConfig(file, {})

    expect(config).toMatchObject({
      file,
      folder: join(folder, 'etc'),
      store: { path: join(folder, 'etc', 'data') },
    })
  })

  test('JACKDAW_CONFIG names the file when nothing else does', async () => {
    const file = join(folder, 'etc', 'site.yaml')

    const fromEnvironment = await loadConfig(undefined, { JACKDAW_CONFIG: file })
    const named = await loadConfig(file, { JACKDAW_CONFIG: join(folder, 'broken.yaml') })

    expect([fromEnvironment.file, named.file]).toEqual([file, file])
  })

  test('without a name it is the demo, which keeps its data where the service was started', async () => {
    const config = await loadConfig(undefined, {})

    expect(config).toMatchObject({ file: demoFile, folder: resolve(), store: { path: resolve('data') } })
  })

  test('every fault is in the error, one a line', async () => {
    const file = join(folder, 'broken.yaml')

    const loaded = loadConfig(file, {})

    await expect(loaded).rejects.toThrow(ConfigError)
    await expect(loaded).rejects.toMatchObject({
      message: [
        `${file}:8: http.port: is "none", should be a number`,
        `${file}:14: store.kind: is "sqlite", should be lowdb or postgres`,
      ].join('\n'),
    })
  })

  test('a file that cannot be read is a fault of the configuration', async () => {
    const file = join(folder, 'absent.yaml')

    const loaded = loadConfig(file, {})

    await expect(loaded).rejects.toThrow(ConfigError)
    await expect(loaded).rejects.toMatchObject({ faults: [{ line: 1, path: 'file' }] })
  })
})
