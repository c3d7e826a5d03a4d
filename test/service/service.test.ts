import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { usedTariff } from '../../pricing/used-tariff.ts'
import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { packagePath } from '../../src/base/package-root.ts'
import { openStore } from '../../src/store/open.ts'
import { aTariff } from '../pricing/builders.ts'
import { aSite, type TestSite } from './process.ts'

let site: TestSite
beforeEach(async () => {
  site = await aSite()
})
afterEach(() => site.dispose())

const list = packagePath('test', 'fixtures', 'cvi-machines.csv')

async function call(path: string, user: string, body?: object): Promise<Response> {
  const Authorization = `Basic ${Buffer.from(`${user}:${user}`).toString('base64')}`
  if (body === undefined) return fetch(`${site.url}${path}`, { headers: { Authorization } })
  const headers = { Authorization, 'Content-Type': 'application/json' }
  return fetch(`${site.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
}

describe('the service as a process', () => {
  test('starts on nothing but its file, says that it is ready, logs JSON, and stops cleanly', async () => {
    const running = await site.start()

    const health = await fetch(`${site.url}/healthz`)
    const readiness: unknown = await (await fetch(`${site.url}/readyz`)).json()
    const ended = await running.stop('SIGTERM')

    expect(health.status).toBe(200)
    expect(readiness).toEqual({
      status: 'ready',
      degraded: [],
      parts: { store: 'takes writes', 'hypervisor wod': 'answers' },
    })
    expect(ended.code).toBe(0)
    const messages = ended.out
      .trim()
      .split('\n')
      .map((line) => z.object({ msg: z.string() }).parse(JSON.parse(line)).msg)
    expect(messages).toEqual(expect.arrayContaining(['ready', 'stopping', 'stopped']))
  })

  test('a second one on the same data is refused with exit code 3, and says who has it', async () => {
    const first = await site.start()

    const second = await site.run('start', '--config', site.config)

    expect(second.code).toBe(3)
    expect(second.err).toContain(String(first.process.pid))
  })

  test('a tariff that was charged by and is another now keeps it from starting, with exit code 2', async () => {
    const store = await openStore(
      { kind: 'lowdb', path: join(site.folder, 'data') },
      { log: silentLog, clock: systemClock },
    )
    await store.transact((tx) => tx.tariffs.put(usedTariff(aTariff({ baseMilli: 961 }))))
    await store.close()

    const ended = await site.run('start', '--config', site.config)

    expect(ended.code).toBe(2)
    expect(ended.err).toMatch(
      /jackdaw\.yaml:\d+: tariffs\[0\]: has another standard from 2009-01-01 than machines were charged by, .* add a later tariff/,
    )
  })

  test('what was answered is there after a kill', async () => {
    const first = await site.start()
    const order = { template: 'slc5', days: 60, budget: 'T-1042', purpose: 'survives', name: 'webafs20' }
    const made = await call('/api/v1/requests', 'alice', order)
    const { id } = z.object({ id: z.string() }).parse(await made.json())
    await call(`/api/v1/requests/${id}/approve`, 'bob', {})
    await first.stop('SIGKILL')

    const second = await site.start()

    const request = await call(`/api/v1/requests/${id}`, 'alice')
    const budget = await call('/api/v1/budgets/T-1042', 'bob')
    expect(await request.json()).toMatchObject({
      decisions: [{ by: 'bob', verdict: 'approved' }],
      machines: ['webafs20'],
    })
    expect(await budget.json()).toMatchObject({ held: '27.84' })
    expect((await second.stop('SIGTERM')).code).toBe(0)
  })

  test('a password in the log, an error or the audit would be a leak: none is there', async () => {
    const running = await site.start()
    const secret = 'correct-horse-battery'
    await fetch(`${site.url}/api/v1/session`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ user: 'alice', password: secret }),
    })

    const audit = await (await call('/api/v1/audit', 'olga')).text()
    const { out, err } = await running.stop('SIGTERM')

    expect(audit).toContain('bad_credentials')
    expect(audit + out + err).not.toContain(secret)
  })
})

describe('the command line', () => {
  test('check finds nothing wrong with a good file', async () => {
    const { code, out } = await site.run('check', '--config', site.config)

    expect([code, out]).toEqual([0, expect.stringContaining('in order')])
  })

  test('check lists every fault at once, each with its line, and exits with 2', async () => {
    const broken = join(site.folder, 'broken.yaml')
    await writeFile(
      broken,
      'site:\n  name: Lab\n  timezone: Europe/Zurish\nhttp: { host: 0.0.0.0, port: 80800 }\n',
    )

    const { code, err } = await site.run('check', '--config', broken)
    const started = await site.run('start', '--config', broken)

    expect(code).toBe(2)
    expect(err).toContain(`${broken}:3: site.timezone: `)
    expect(err).toContain(`${broken}:4: http.port: `)
    expect(started).toMatchObject({ code: 2, err })
  })

  test('a list is taken over by the running service or, when none runs, on its data: once', async () => {
    const dry = await site.run('import', list, '--dry-run', '--config', site.config)
    const running = await site.start()
    const first = await site.run('import', list, '--config', site.config)
    await running.stop('SIGTERM')
    const second = await site.run('import', list, '--config', site.config)

    expect(dry.out).toContain('14 machines would be taken over')
    expect(first.out).toContain('14 machines taken over, 0 unchanged, 0 lines refused.')
    expect(first.out).toContain(
      '20 CPUs, 23 GB, 4 that never end, 2 orphans to be claimed, 2 unreachable, 23.715 CHF',
    )
    expect(second.out).toContain('0 machines taken over, 14 unchanged')
  })

  test('a doctor asks the service that runs, and fails when something is wrong', async () => {
    const running = await site.start()
    const well = await site.run('doctor', '--config', site.config)
    await running.stop('SIGTERM')
    await writeFile(join(site.folder, 'data', 'checkpoint.jsonl'), '{\n')
    const ill = await site.run('doctor', '--config', site.config)

    expect(well).toMatchObject({ code: 0, err: '' })
    expect(well.out).toMatch(/^ok +Service: runs, and was asked$/m)
    expect(well.out).toMatch(/^ok +Hypervisor wod: answers, with 4 hosts$/m)
    expect(ill.code).toBe(1)
    expect(ill.out).toMatch(/^FAULT +Store: /m)
  })

  test('an unknown command says what there is', async () => {
    const { code, err } = await site.run('chekc')

    expect(code).not.toBe(0)
    expect(err).toContain('check')
  })
})
