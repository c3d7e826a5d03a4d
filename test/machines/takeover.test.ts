import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { idText, type Ids } from '../../src/base/ids.ts'
import { expiryDecision } from '../../src/machines/expiry.ts'
import type { Machine } from '../../src/machines/machine.ts'
import { planTakeover, readTakeover } from '../../src/machines/takeover.ts'
import { aMachine, aPolicy, refusalOf, zone } from './a-machine.ts'

const cvi = readFileSync(new URL('../fixtures/cvi-machines.csv', import.meta.url), 'utf8')
const head = 'name,owner,administrators,cpus,memory,expires,state'
const now = '2026-06-01T10:00:00.000Z'
const policy = aPolicy()

function plan(text: string, existing: readonly Machine[] = []) {
  let count = 0
  const ids: Ids = {
    next: (prefix, at) => idText(prefix, at, Uint8Array.of(count++)),
    secret: () => 'secret',
  }
  const known = new Map(existing.map((machine) => [machine.id, machine]))
  return planTakeover(readTakeover(text, zone).rows, known, { now, zone, ids, policy })
}

function rowOf(cells: string) {
  return readTakeover(`${head}\n${cells}\n`, zone).rows[0]
}

function reasonOf(cells: string): string | undefined {
  return readTakeover(`${head}\n${cells}\n`, zone).refused[0]?.reason
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0)
}

describe('the list of CVI', () => {
  test('goes in whole', () => {
    const { create, unchanged, refused } = plan(cvi)

    expect({ create: create.length, unchanged, refused }).toEqual({ create: 14, unchanged: [], refused: [] })
    expect(sum(create.map(({ cpus }) => cpus))).toBe(20)
    expect(sum(create.map(({ memoryGb }) => memoryGb))).toBe(23)
    expect(create.filter(({ expiresAt }) => expiresAt === null)).toHaveLength(4)
    expect(create.filter(({ owner }) => owner === null)).toHaveLength(2)
    expect(create.filter(({ state }) => state === 'unreachable')).toHaveLength(2)
  })

  test('changes nothing the second time, whatever has become of the machines', () => {
    const { create } = plan(cvi)
    const since = create.map((machine) => ({ ...machine, owner: 'alice', state: 'stopped' as const }))

    const { create: more, unchanged, refused } = plan(cvi, since)

    expect({ more, refused }).toEqual({ more: [], refused: [] })
    expect(unchanged).toHaveLength(14)
  })

  test('deletes nothing that was past its end: its people are told first', () => {
    const { create } = plan(cvi)
    const past = create.filter(({ expiresAt }) => expiresAt !== null && expiresAt < now)

    const kinds = past.map((machine) => expiryDecision(machine, policy, now, zone).kind)

    expect(past).toHaveLength(10)
    expect(new Set(kinds)).toEqual(new Set(['remind']))
    expect(past.every(({ attentionAt }) => attentionAt === now)).toBe(true)
  })
})

describe('a row', () => {
  test('is read without domains and in lower case, with the state of its provider beside ours', () => {
    const row = rowOf('AdKvl03,CERN\\Baehler,CERN\\yt-ce-srvadmin;CERN\\Bob,2,2.00 GB,09/07/2012,Running')

    expect(row).toEqual({
      line: 2,
      name: 'adkvl03',
      owner: 'baehler',
      administrators: ['yt-ce-srvadmin', 'bob'],
      cpus: 2,
      memoryGb: 2,
      expiresAt: '2012-07-08T22:00:00.000Z',
      state: 'running',
      providerState: 'Running',
    })
  })

  test.each([
    ['30/10/2009', '2009-10-29T23:00:00.000Z'],
    ['2009-10-30', '2009-10-29T23:00:00.000Z'],
    ['1/7/2009', '2009-06-30T22:00:00.000Z'],
    ['2009-10-30T08:00:00+01:00', '2009-10-30T07:00:00.000Z'],
    ['31/12/9999', null],
    ['9999-12-31', null],
    ['never', null],
  ])('that expires on %s ends at the start of that local day', (expires, end) => {
    expect(rowOf(`web,bob,,1,1 GB,${expires},Running`)?.expiresAt).toBe(end)
  })

  test.each([
    ['2', 2],
    ['512 MB', 0.5],
    ['"1,5 GB"', 1.5],
    ['1 TB', 1024],
  ])('with memory %s has %d GB', (memory, gb) => {
    expect(rowOf(`web,bob,,1,${memory},31/12/9999,Running`)?.memoryGb).toBe(gb)
  })

  test.each([
    ['Running', 'running'],
    ['Power Off', 'stopped'],
    ['PowerOff', 'stopped'],
    ['Stopped', 'stopped'],
    ['Saved', 'saved'],
    ['Paused', 'paused'],
    ['HostNotResponding', 'unreachable'],
  ])('whose provider says %s is %s', (provider, state) => {
    expect(rowOf(`web,bob,,1,1 GB,31/12/9999,${provider}`)).toMatchObject({ state, providerState: provider })
  })

  test.each(['CERN\\', 'CERN\\unknown', 'Unknown', ''])('owned by "%s" is an orphan', (owner) => {
    expect(rowOf(`web,${owner},,1,1 GB,31/12/9999,Running`)?.owner).toBeNull()
  })

  test.each([
    ['_web,bob,,1,1 GB,31/12/9999,Running', '"_web" is not a host name (RFC 1123)'],
    ['web,bob,,0,1 GB,31/12/9999,Running', 'cpus is "0", and should be a whole number such as 2'],
    ['web,bob,,1,lots,31/12/9999,Running', 'memory is "lots", and should be such as 2.00 GB'],
    ['web,bob,,1,0 GB,31/12/9999,Running', 'memory is "0 GB", and should be such as 2.00 GB'],
    [
      'web,bob,,1,1 GB,31/02/2009,Running',
      'expires is "31/02/2009", and should be dd/mm/yyyy or yyyy-mm-dd; 31/12/9999 is never',
    ],
    [
      'web,bob,,1,1 GB,,Running',
      'expires is "", and should be dd/mm/yyyy or yyyy-mm-dd; 31/12/9999 is never',
    ],
    ['web,bob,,1,1 GB,31/12/9999,Dancing', 'the state "Dancing" is not known'],
    ['web,bob and eve,,1,1 GB,31/12/9999,Running', 'the owner "bob and eve" is not the name of one account'],
    ['web,bob,,1,1 GB,31/12/9999', 'has 6 cells where the first line has 7'],
    ['"web"x,bob,,1,1 GB,31/12/9999,Running', expect.stringContaining('is not CSV')],
  ])('%s is refused with its reason', (cells, reason) => {
    expect(reasonOf(cells)).toEqual(reason)
  })
})

describe('a file', () => {
  test('with faulty lines goes in but for those, and its line numbers are right', () => {
    const lines = [
      '\uFEFFName;Owner;Administrators;CPUs;Memory;Expires;State;Notes',
      'web1;bob;;1;1 GB;31/12/9999;Running;"two',
      'lines"',
      '',
      'web2;bob;;none;1 GB;31/12/9999;Running;',
      'web3;bob;;1;1 GB;31/12/9999;Running;"""quoted"""',
    ]

    const { rows, refused } = readTakeover(lines.join('\r\n'), zone)

    expect(rows.map(({ line, name }) => [line, name])).toEqual([
      [2, 'web1'],
      [6, 'web3'],
    ])
    expect(refused).toEqual([{ line: 5, reason: 'cpus is "none", and should be a whole number such as 2' }])
  })

  test('with a forgotten quote loses that line only', () => {
    const text = `${head}\nweb1,"bob,,1,1 GB,31/12/9999,Running\nweb2,bob,,1,1 GB,31/12/9999,Running\n`

    const { rows, refused } = readTakeover(text, zone)

    expect(rows.map(({ name }) => name)).toEqual(['web2'])
    expect(refused).toEqual([{ line: 2, reason: 'a quote is opened and not closed' }])
  })

  test('that names a machine twice keeps the first', () => {
    const line = 'bob,,1,1 GB,31/12/9999,Running'

    const { rows, refused } = readTakeover(`${head}\nweb,${line}\nWEB,${line}\n`, zone)

    expect(rows.map(({ line: at }) => at)).toEqual([2])
    expect(refused).toEqual([{ line: 3, reason: 'web is on line 2 already' }])
  })

  test.each(['', 'name,owner,cpus,memory,expires,state\n', 'hello\n'])(
    'without its columns is refused whole: %j',
    (text) => {
      const refusal = refusalOf(() => readTakeover(text, zone))

      expect(refusal).toMatchObject({ code: 'invalid_input' })
      expect(String(refusal)).toContain(head)
    },
  )
})

test('a name that was given to a machine here is refused, not taken over', () => {
  const text = `${head}\nwebafs20,bob,,1,1 GB,31/12/9999,Running\n`

  const { create, refused } = plan(text, [aMachine()])

  expect(create).toEqual([])
  expect(refused).toEqual([
    { line: 2, reason: 'the name webafs20 is taken: another machine of that name was requested here' },
  ])
})

test('a machine that was taken over says so in its history', () => {
  const [machine] = plan(`${head}\nweb,bob,,1,1 GB,31/12/9999,Stopped\n`).create

  expect(machine).toMatchObject({
    id: 'web',
    createdAt: now,
    history: [{ state: 'stopped', at: now, reason: 'taken over' }],
    hypervisor: null,
  })
})
