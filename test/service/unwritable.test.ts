import { afterEach, beforeEach, expect, test } from 'vitest'
import { type MemoryDisk, memoryFiles } from '../fakes/memory-files.ts'
import { openStorySite, type StorySite } from '../stories/site.ts'

let disk: MemoryDisk
let site: StorySite
beforeEach(async () => {
  disk = memoryFiles()
  site = await openStorySite({ disk })
})
afterEach(async () => {
  disk.before = () => undefined
  await site.close()
})

function fill(): void {
  disk.before = ({ kind }) => {
    if (kind === 'write') throw new Error('ENOSPC: no space left on device')
  }
}

async function readyz(): Promise<{ status: number; body: unknown }> {
  const answer = await fetch(`${site.url}/readyz`)
  return { status: answer.status, body: await answer.json() }
}

async function order(name: string): Promise<{ status: number; body: unknown; retryAfter: string | null }> {
  const answer = await fetch(`${site.url}/api/v1/requests`, {
    method: 'POST',
    headers: {
      Authorization: `Basic ${Buffer.from('alice:alice').toString('base64')}`,
      'Content-Type': 'application/json',
    },
    body: JSON.stringify({ template: 'slc5', days: 60, budget: 'T-1042', purpose: 'a test', name }),
  })
  return {
    status: answer.status,
    body: await answer.json(),
    retryAfter: answer.headers.get('retry-after'),
  }
}

const unready = {
  status: 503,
  body: {
    status: 'not ready',
    degraded: [],
    parts: { store: 'cannot write: ENOSPC: no space left on device', 'hypervisor wod': 'answers' },
  },
}

test('a disk that is full is told to whoever asks for something, and to whoever asks how we are', async () => {
  fill()

  const refused = await order('webafs20')
  const ready = await readyz()

  expect(refused).toMatchObject({
    status: 503,
    body: { code: 'store_unwritable', status: 503 },
    retryAfter: '5',
  })
  expect(JSON.stringify(refused.body)).toContain('no space left on device')
  expect(ready).toEqual(unready)
})

test('once there is room again both recover, though nobody but the health check asks', async () => {
  fill()
  await order('webafs20')
  await readyz()
  disk.before = () => undefined

  const ready = await readyz()
  const made = await order('webafs20')

  expect(ready).toMatchObject({ status: 200, body: { status: 'ready', parts: { store: 'takes writes' } } })
  expect(made).toMatchObject({ status: 201, body: { state: 'pending', machines: [] } })
})

test('what was refused while the disk was full did not happen', async () => {
  fill()
  await order('webafs20')
  disk.before = () => undefined

  const requests = await site.service.store.read((tx) => tx.requests.all())

  expect(requests).toEqual([])
})
