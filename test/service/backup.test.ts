import { readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { packagePath } from '../../src/base/package-root.ts'
import { aSite, type TestSite } from './process.ts'

let site: TestSite
let file: string
beforeEach(async () => {
  site = await aSite()
  file = join(site.folder, 'site.backup')
})
afterEach(() => site.dispose())

const list = packagePath('test', 'fixtures', 'cvi-machines.csv')

const run = (...words: string[]) => site.run(...words, '--config', site.config)

async function call(path: string, body?: object): Promise<string> {
  const Authorization = `Basic ${Buffer.from('alice:alice').toString('base64')}`
  const headers = { Authorization, 'Content-Type': 'application/json' }
  const answer = await fetch(`${site.url}/api/v1${path}`, {
    headers,
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
  })
  return answer.text()
}

function order(name: string): Promise<string> {
  return call('/requests', { template: 'slc5', days: 60, budget: 'T-1042', purpose: `${name} test`, name })
}

describe('backup and restore', () => {
  test('a running service is backed up, and what came after is gone once that is restored', async () => {
    const running = await site.start()
    await order('early')
    const backup = await run('backup', file)
    await order('late')
    const during = await run('restore', file, '--force')
    await running.stop('SIGTERM')

    const refused = await run('restore', file)
    const restored = await run('restore', file, '--force')

    expect(backup).toMatchObject({ code: 0, err: '' })
    expect(backup.out).toMatch(
      /"CERN[^"]+": [\d,]+ documents, \d+ audit rows?, \d+ charges?, as of 20\S+Z\.\n/,
    )
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect((await readdir(site.folder)).filter((name) => name.endsWith('.tmp'))).toEqual([])
    expect([during.code, refused.code, restored.code]).toEqual([3, 3, 0])
    expect(during.err).toContain('is in use by process')
    expect(refused.err).toContain('--force')
    expect(restored.out).toContain('What was there before is in')
    const again = await site.start()
    const requests = await call('/requests')
    expect(requests).toContain('early test')
    expect(requests).not.toContain('late test')
    await again.stop('SIGTERM')
  })

  test('a stopped site is backed up from its data, and moves to another folder', async () => {
    await run('import', list)
    const backup = await run('backup', file)
    const other = await aSite()
    const restored = await other.run('restore', file, '--config', other.config)
    const running = await other.start()

    const answer = await fetch(`${other.url}/readyz`)

    await running.stop('SIGTERM')
    await other.dispose()
    expect(backup).toMatchObject({ code: 0, err: '' })
    expect(restored).toMatchObject({ code: 0, err: '' })
    expect(restored.out.split('\n')[0]?.replace('Restored', 'Backup of')).toBe(backup.out.split('\n')[0])
    expect(answer.status).toBe(200)
  })

  test('without a site there is no backup, and a file that is none is not restored', async () => {
    await writeFile(file, 'no backup')

    const backup = await run('backup', join(site.folder, 'none.backup'))
    const restored = await run('restore', file)

    expect([backup.code, restored.code]).toEqual([1, 3])
    expect(backup.err).toContain('There is no site in')
    expect(restored.err).toContain('is no whole backup')
    expect(await readdir(site.folder)).toEqual(['jackdaw.yaml', 'site.backup'])
  })
})
