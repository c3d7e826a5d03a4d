import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { openStorySite, type StorySite } from './site.ts'

let site: StorySite
let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'jackdaw-library-'))
  await mkdir(join(folder, 'alice'))
  await writeFile(join(folder, 'alice', 'old.vhdx'), 'jackdaw simulated disk\nold machine\n')
  site = await openStorySite({
    edit: (yaml) => `${yaml}\nlibrary: { folder: ${folder}, uploadGb: 0.0001 }\n`,
  })
})
afterEach(async () => {
  await site.close()
  await rm(folder, { recursive: true, force: true })
})

const fetchFile = (user: string, name: string, headers: Record<string, string> = {}) =>
  fetch(`${site.url}/api/v1/files/${name}/content`, {
    headers: { Authorization: `Basic ${btoa(`${user}:${user}`)}`, ...headers },
  })

test('somebody takes a disk in, writes it in another format, fetches that and deletes it', async () => {
  const alice = await site.signIn('alice')
  await alice.open('/library')
  await alice.submit('Take it in', { file: 'old.vhdx', image: 'old', template: 'slc5' })
  expect(alice.text).toContain('It is being taken in')
  await site.settle()

  await alice.open('/library')
  expect(alice.text).toContain('image, slc5, from a file')
  await alice.submit('Export old', { format: 'vhd' })
  await site.settle()
  await alice.open('/library')
  await alice.follow('Fetch old.vhd')

  expect(alice.headers.get('content-disposition')).toBe('attachment; filename=old.vhd')
  expect(alice.bytes.toString()).toBe('jackdaw simulated disk\nold machine\n')
  await alice.open('/library')
  await alice.follow('Delete… old.vhd')
  await alice.submit('Delete')
  await site.settle()
  await alice.open('/library')
  expect(alice.text).not.toContain('old.vhd ')
})

test('a fetch that broke off goes on where it was', async () => {
  const rest = await fetchFile('alice', 'old.vhdx', { Range: 'bytes=23-' })

  expect(rest.status).toBe(206)
  expect(rest.headers.get('content-range')).toBe('bytes 23-34/35')
  expect(await rest.text()).toBe('old machine\n')
})

test.each([
  ['carol', 'old.vhdx', 404],
  ['carol', 'old.vhdx/content?of=alice&x=', 403],
  ['alice', '..%2Falice%2Fold.vhdx', 400],
  ['alice', '%2e%2e', 404],
  ['alice', 'none.vhdx', 404],
])('%s cannot fetch %s', async (user, name, status) => {
  const answer = await fetchFile(user, name)

  expect(answer.status).toBe(status)
})

test('whoever has not signed in is asked to', async () => {
  const answer = await fetch(`${site.url}/api/v1/files/old.vhdx/content`)

  expect(answer.status).toBe(401)
})

describe('a file that is sent', () => {
  const send = (name: string, body: string | ReadableStream, headers: Record<string, string> = {}) =>
    fetch(`${site.url}/api/v1/files/${name}`, {
      method: 'PUT',
      body,
      headers: { Authorization: `Basic ${btoa('alice:alice')}`, ...headers },
      ...(typeof body === 'string' ? {} : { duplex: 'half' as const }),
    })
  const there = async () => {
    const found = await readdir(folder, { recursive: true })
    return found.filter((name) => name.includes('.')).sort()
  }

  test('is theirs once it is whole', async () => {
    const answer = await send('new.qcow2', 'bytes')

    expect([answer.status, await answer.json()]).toEqual([201, { name: 'new.qcow2', bytes: 5 }])
    expect(await (await fetchFile('alice', 'new.qcow2')).text()).toBe('bytes')
  })

  test.each([
    ['old.vhdx', 'bytes', 409],
    ['new.qcow2', 'x'.repeat(100_001), 413],
    ['new.raw', 'bytes', 400],
    ['..%2Fcarol%2Fnew.qcow2', 'bytes', 400],
  ])('is refused as %s', async (name, body, status) => {
    const before = await there()

    expect((await send(name, body)).status).toBe(status)
    expect(await there()).toEqual(before)
  })

  test('that says nothing of its size is cut off when it is too large', async () => {
    const endless = new ReadableStream({
      pull: (controller) => controller.enqueue(new TextEncoder().encode('x'.repeat(10_000))),
    })

    // Whether the answer still comes through while it is sending is up to its client.
    const answer = await send('new.qcow2', endless).catch(() => undefined)

    expect([413, undefined]).toContain(answer?.status)
    await vi.waitUntil(async () => !(await there()).some((name) => name.includes('upload-')))
    expect(await there()).toEqual(['.work', 'alice/old.vhdx'])
  })

  test('by a page of another site is refused', async () => {
    const alice = await site.signIn('alice')
    const cookie = { Authorization: '', Cookie: alice.cookies, 'Sec-Fetch-Site': 'cross-site' }

    expect((await send('new.qcow2', 'bytes', cookie)).status).toBe(403)
  })
})

test('what is refused is said on the page, with what was typed', async () => {
  const alice = await site.signIn('alice')
  await alice.open('/library')

  await alice.submit('Take it in', { file: 'old.vhdx', image: 'slc5', template: 'slc5' })

  expect(alice.text).toContain('There is an image or a template slc5 already.')
  expect(alice.html).toContain('value="slc5"')
})
