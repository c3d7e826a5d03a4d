import SwaggerParser from '@apidevtools/swagger-parser'
import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { openServed, type Served } from './served.ts'

let served: Served
beforeAll(async () => {
  served = await openServed()
})
afterAll(() => served.close())

const order = { template: 'slc5', days: 32, budget: 'T-1042', purpose: 'tests' }

describe('sessions', () => {
  test('a right password gives a token that works, a wrong one a 401 that does not say what was wrong', async () => {
    const right = await served.call(null, 'POST', '/session', { user: 'Alice', password: 'alice' })
    const wrong = await served.call(null, 'POST', '/session', { user: 'alice', password: 'bob' })
    const nobody = await served.call(null, 'POST', '/session', { user: 'nobody-here', password: 'bob' })

    const { token } = z.object({ token: z.string() }).parse(right.body)
    const me = await served.call(null, 'GET', '/session', undefined, { Authorization: `Bearer ${token}` })
    expect(right.body).toMatchObject({
      person: { user: 'alice', groups: ['developers', 'web-services'], roles: [] },
    })
    expect(me.body).toMatchObject({ person: { user: 'alice' } })
    expect(wrong).toMatchObject({ status: 401, body: { code: 'bad_credentials' } })
    expect(nobody.body).toEqual(wrong.body)
  })

  test('without credentials the answer says how to get them', async () => {
    const answer = await served.call(null, 'GET', '/machines')

    expect(answer).toMatchObject({ status: 401, body: { code: 'not_signed_in', status: 401 } })
    expect(answer.headers.get('content-type')).toContain('application/problem+json')
    expect(answer.headers.get('www-authenticate')).toContain('Bearer')
  })

  test('repeated failures are slowed down, with the seconds to wait', async () => {
    const tries = Array.from({ length: 12 }, () => ({ user: 'mallory', password: 'guess' }))
    const answers = []
    for (const body of tries) answers.push(await served.call(null, 'POST', '/session', body))

    const last = answers.at(-1)
    expect(last).toMatchObject({ status: 429, body: { code: 'too_many_attempts' } })
    expect(Number(last?.headers.get('retry-after'))).toBeGreaterThan(0)
  })

  test('a cookie changes nothing when another site’s page sends it', async () => {
    const session = await served.call(null, 'POST', '/session', { user: 'alice', password: 'alice' })
    const { token } = z.object({ token: z.string() }).parse(session.body)
    const Cookie = `jackdaw_session=${token}`

    const foreign = await served.call(null, 'POST', '/quotes', order, {
      Cookie,
      'Sec-Fetch-Site': 'cross-site',
    })
    const old = await served.call(null, 'POST', '/quotes', order, { Cookie, Origin: 'http://evil.example' })
    const own = await served.call(null, 'POST', '/quotes', order, { Cookie, Origin: served.url })

    expect(foreign).toMatchObject({ status: 403, body: { code: 'csrf_failed' } })
    expect(old).toMatchObject({ status: 403, body: { code: 'csrf_failed' } })
    expect(own.status).toBe(200)
  })
})

describe('quotes and requests', () => {
  test('a quote is itemised, with free days as lines of nothing', async () => {
    const { body, status } = await served.call('alice', 'POST', '/quotes', {
      ...order,
      days: 60,
      cpus: 2,
      memoryGb: 4,
    })

    expect(status).toBe(200)
    expect(body).toMatchObject({
      currency: 'CHF',
      total: '107.30',
      days: 60,
      freeDays: 31,
      chargeableDays: 29,
      lines: [
        { item: 'base', quantity: 1, unitPrice: '0.96', days: 29, amount: '27.84' },
        { item: 'memory', quantity: 3, unitPrice: '0.685', days: 29, amount: '59.595' },
        { item: 'cpu', quantity: 1, unitPrice: '0.685', days: 29, amount: '19.865' },
        { item: 'free', quantity: 1, unitPrice: '0.00', days: 31, amount: '0.00' },
      ],
    })
  })

  test.each([
    [{ template: 'slc6' }, 422, 'unknown_template'],
    [{ budget: 'T-9' }, 422, 'unknown_budget'],
    [{ cpus: 5 }, 422, 'bad_size'],
    [{ days: 400 }, 422, 'bad_term'],
    [{ until: 'never', days: undefined }, 422, 'bad_term'],
    [{ days: undefined }, 422, 'bad_term'],
    [{ name: 'Web Server' }, 422, 'bad_name'],
    [{ purpose: '' }, 400, 'invalid_input'],
    [{ purpose: 'two\nlines' }, 400, 'invalid_input'],
    [{ count: 51 }, 400, 'invalid_input'],
    [{ administrators: ['nobody-knows'] }, 400, 'invalid_input'],
    [{ host: 'cernwod01' }, 403, 'forbidden'],
  ])('%j is refused with %i %s', async (change, status, code) => {
    const answer = await served.call('alice', 'POST', '/requests', { ...order, ...change })

    expect(answer).toMatchObject({ status, body: { code } })
  })

  test('every fault of an input is listed', async () => {
    const { body } = await served.call('alice', 'POST', '/requests', {
      template: 'slc5',
      cpus: 'many',
      count: 99,
    })

    const { errors } = z.object({ errors: z.array(z.object({ path: z.string() })) }).parse(body)
    expect(errors.map(({ path }) => path)).toEqual(['cpus', 'count', 'purpose', 'budget'])
  })

  test('the same key and body gives the first answer again, another body is a conflict', async () => {
    const headers = { 'Idempotency-Key': 'abc' }

    const first = await served.call('alice', 'POST', '/requests', order, headers)
    const again = await served.call('alice', 'POST', '/requests', order, headers)
    const other = await served.call('alice', 'POST', '/requests', { ...order, days: 33 }, headers)

    expect(first.status).toBe(201)
    expect(again.body).toEqual(first.body)
    expect(other).toMatchObject({ status: 422, body: { code: 'idempotency_conflict' } })
  })

  test('lists page in both directions of patience', async () => {
    for (let i = 0; i < 5; i++)
      await served.call('carol', 'POST', '/requests', { ...order, budget: 'T-2000', days: 60 })

    const Page = z.object({ items: z.array(z.object({ id: z.string() })), next: z.string().nullable() })
    const seen: string[] = []
    let cursor: string | null = ''
    while (cursor !== null) {
      const query: string = `?mine=true&limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`
      const page = Page.parse((await served.call('carol', 'GET', `/requests${query}`)).body)
      seen.push(...page.items.map(({ id }) => id))
      cursor = page.next
    }

    expect(seen).toHaveLength(5)
    expect(new Set(seen).size).toBe(5)
  })
})

describe('other bodies', () => {
  test('a list of machines goes in as CSV', async () => {
    const csv = await readFile(new URL('../fixtures/cvi-machines.csv', import.meta.url), 'utf8')

    const dry = await served.call('olga', 'POST', '/machines/import?dryRun=true', csv, {
      'Content-Type': 'text/csv',
    })

    expect(dry).toMatchObject({ status: 200, body: { imported: 14, orphans: 2, perDay: '23.715' } })
  })

  test('a desktop comes as an RDP file, or as JSON where that is asked for', async () => {
    const file = await served.call('carol', 'POST', '/pools/public/open', {}, { Accept: '*/*' })
    const json = await served.call('carol', 'POST', '/pools/public/open', {}, { Accept: 'application/json' })

    const opened = z.object({ lease: z.string(), rdp: z.string() }).parse(json.body)
    expect(file.headers.get('content-type')).toBe('application/x-rdp')
    expect(file.headers.get('jackdaw-lease')).toBe(opened.lease)
    expect(file.body).toEqual(Buffer.from(`\uFEFF${opened.rdp}`, 'utf16le'))
  })

  test('a statement comes as JSON, as CSV by what is accepted, and as FOCUS by name', async () => {
    const path = '/statements/T-1042/2026-11'

    const json = await served.call('bob', 'GET', path)
    const csv = await served.call('bob', 'GET', path, undefined, { Accept: 'text/csv' })
    const focus = await served.call('bob', 'GET', `${path}?format=focus`)

    expect(json.body).toMatchObject({ code: 'T-1042' })
    expect(csv.headers.get('content-type')).toBe('text/csv; charset=utf-8')
    expect(String(focus.body)).toContain('BilledCost')
    expect(focus.headers.get('content-disposition')).toMatch(/filename="[^"]+\.csv"/)
  })

  test('what is not JSON, too large or not there is said as a problem', async () => {
    const broken = await served.call('alice', 'POST', '/quotes', '{', { 'Content-Type': 'application/json' })
    const large = await served.call('alice', 'POST', '/quotes', { template: 'x'.repeat(1_100_000) })
    const missing = await served.call('alice', 'GET', '/nothing')

    expect(broken).toMatchObject({ status: 400, body: { code: 'invalid_input' } })
    expect(large).toMatchObject({ status: 413, body: { code: 'body_too_large' } })
    expect(missing).toMatchObject({ status: 404, body: { code: 'not_found' } })
  })
})

describe('the description', () => {
  test('is valid OpenAPI 3.1 and has every call of the catalogue', async () => {
    const response = await fetch(`${served.url}/api/openapi.json`)
    const document: unknown = await response.json()

    const described = z
      .object({ openapi: z.string(), paths: z.record(z.string(), z.unknown()) })
      .parse(document)
    await expect(SwaggerParser.validate(await fileWith(document))).resolves.toBeDefined()
    expect(described.openapi).toBe('3.1.0')
    expect(Object.keys(described.paths)).toEqual(
      expect.arrayContaining([
        '/session',
        '/quotes',
        '/requests/{id}/approve',
        '/machines/{name}',
        '/pools/{pool}/open',
        '/audit',
      ]),
    )
  })
})

describe('audit', () => {
  test('shows operators who did what and what was refused, and nobody else', async () => {
    const order = { template: 'slc5', days: 32, budget: 'T-1042', purpose: 'audited' }
    const made = await served.call('alice', 'POST', '/requests', order)
    const { id } = z.object({ id: z.string() }).parse(made.body)
    await served.call('carol', 'POST', `/requests/${id}/approve`, {})

    const rows = await served.call('olga', 'GET', `/audit?subject=${id}`)
    const alice = await served.call('alice', 'GET', '/audit')

    expect(rows.body).toMatchObject({
      items: [
        { actor: 'carol', operation: 'approve-request', result: 'not_an_approver' },
        { actor: 'alice', operation: 'request-machine', result: 'done' },
      ],
    })
    expect(alice).toMatchObject({ status: 403, body: { code: 'forbidden' } })
  })
})

/** The validator reads files, and not what is on this machine's loopback. */
async function fileWith(document: unknown): Promise<string> {
  const path = join(await mkdtemp(join(tmpdir(), 'jackdaw-openapi-')), 'openapi.json')
  await writeFile(path, JSON.stringify(document))
  return path
}
