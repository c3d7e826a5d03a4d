import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Log, silentLog } from '../../src/base/log.ts'
import { openHypervisors } from '../../src/hypervisors/open.ts'
import { aRule, aSimulator, aSpec, never, provision } from './simulated.ts'

let folder: string
let statePath: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'simulator-'))
  statePath = join(folder, 'deeper', 'wod.jsonl')
})

afterEach(() => rm(folder, { recursive: true }))

test('machines outlive the process, each as it was left', async () => {
  const before = await aSimulator({ statePath })
  for (const ref of ['runs', 'saved', 'removed', 'half'])
    await before.provision(aSpec({ ref }), 'placing', never)
  for (const ref of ['runs', 'saved', 'removed']) await provision(before, aSpec({ ref }))
  await before.save('saved', never)
  await before.remove('removed', never)
  await before.close()

  const after = await aSimulator({ statePath })

  for (const ref of ['runs', 'saved', 'half']) expect(after.machine(ref)).toEqual(before.machine(ref))
  expect((await after.inventory(never)).machines).toHaveLength(3)
  expect((await after.status('runs', never)).rdp).toEqual({
    host: '127.0.0.1',
    port: before.machine('runs')?.rdpPort,
  })
  await after.close()
})

test('what was answered is remembered even when the process is killed', async () => {
  const killed = await aSimulator({ statePath })
  await provision(killed, aSpec({ os: 'linux' }))

  const after = await aSimulator({ statePath })

  expect(after.machine('m-1')).toEqual(killed.machine('m-1'))
  await Promise.all([killed.close(), after.close()])
})

test('remembered machines take their room and their addresses', async () => {
  const before = await aSimulator({ statePath })
  for (const ref of ['a', 'b', 'c']) await provision(before, aSpec({ ref, host: 'small' }))
  await before.close()
  const after = await aSimulator({ statePath })

  const making = provision(after, aSpec({ host: 'small' }))

  await expect(making).rejects.toMatchObject({ code: 'hypervisor_refused', transient: false })
  await provision(after, aSpec({ ref: 'd' }))
  const addresses = ['a', 'b', 'c', 'd'].map((ref) => after.machine(ref)?.address)
  expect(new Set(addresses).size).toBe(4)
  await after.close()
})

test('machines on a host that the file has made smaller go on as they are', async () => {
  const before = await aSimulator({ statePath })
  for (const ref of ['a', 'b']) await provision(before, aSpec({ ref, host: 'small', cpus: 2 }))
  await before.close()
  const hosts = [{ name: 'small', cpus: 1, memoryGb: 1, slots: 1 }]
  const after = await aSimulator({ statePath, rule: { hosts, overcommit: { cpus: 1 } } })

  await after.reset('a', never)

  expect(after.machine('a')).toMatchObject({ power: 'running', boots: 2 })
  await after.close()
})

test('a machine whose RDP port was taken meanwhile listens on another', async () => {
  const before = await aSimulator({ statePath })
  await provision(before, aSpec())
  await before.close()
  const port = before.machine('m-1')?.rdpPort
  const squatter = createServer().listen(port ?? undefined, '127.0.0.1')
  await once(squatter, 'listening')

  const after = await aSimulator({ statePath })

  const { rdp } = await after.status('m-1', never)
  expect(rdp?.port).toBe(after.machine('m-1')?.rdpPort)
  expect(rdp?.port).not.toBe(port)
  squatter.close()
  await after.close()
})

test('a machine on a host that is no longer in the file is unknown', async () => {
  const before = await aSimulator({ statePath })
  await provision(before, aSpec({ host: 'small' }))
  await before.close()
  const hosts = [{ name: 'big', cpus: 16, memoryGb: 64, slots: 40 }]

  const after = await aSimulator({ statePath, rule: { hosts } })

  expect(await after.status('m-1', never)).toMatchObject({ power: 'unknown', host: 'small' })
  await after.close()
})

test('a last line without its end is cut, and the rest is kept', async () => {
  const before = await aSimulator({ statePath })
  await provision(before, aSpec({ os: 'linux' }))
  await before.close()
  await appendFile(statePath, '{"ref":"m-2","mach')
  const after = await aSimulator({ statePath })
  await after.save('m-1', never)
  await after.close()

  const last = await aSimulator({ statePath })

  expect(last.machine('m-1')?.power).toBe('saved')
  expect(last.machine('m-2')).toBeUndefined()
  await last.close()
})

test('a damaged file is set aside, logged, and started empty', async () => {
  const before = await aSimulator({ statePath })
  await provision(before, aSpec())
  await before.close()
  await writeFile(statePath, 'not a farm\n')
  const { log, warnings } = aListeningLog()

  const after = await aSimulator({ statePath, services: { log } })

  expect((await after.inventory(never)).machines).toEqual([])
  expect(warnings).toEqual([expect.stringContaining('simulated farm damaged, starting with an empty one')])
  expect(await readFile(`${statePath}.damaged`, 'utf8')).toBe('not a farm\n')
  await after.close()
})

test('a file that cannot be read stops the start', async () => {
  const opening = aSimulator({ statePath: folder })

  await expect(opening).rejects.toMatchObject({ code: 'hypervisor_unreachable', transient: false })
})

test('the file stays in proportion to the machines, however often they change', async () => {
  const hypervisor = await aSimulator({ statePath })
  await provision(hypervisor, aSpec({ os: 'linux' }))

  for (let n = 0; n < 3000; n++) await hypervisor.reset('m-1', never)

  const lines = (await readFile(statePath, 'utf8')).split('\n').length
  expect(lines).toBeLessThan(1010)
  expect(hypervisor.machine('m-1')?.boots).toBe(3001)
  await hypervisor.close()
})

test('a file that cannot be written is logged, and the machines go on', async () => {
  const { log, warnings } = aListeningLog()
  const hypervisor = await aSimulator({ statePath, services: { log } })
  await writeFile(join(folder, 'deeper'), 'a file where the folder should be')

  await provision(hypervisor, aSpec({ os: 'linux' }))

  expect(hypervisor.machine('m-1')?.power).toBe('running')
  expect(warnings[0]).toContain('simulated farm not saved')
  await hypervisor.close()
})

test('the hypervisors of a site are opened by name, each with a memory in the data folder', async () => {
  const services = { clock: { now: () => '2026-01-01T00:00:00.000Z' }, log: silentLog, dataPath: folder }
  const sleep = () => Promise.resolve()
  const opened = await openHypervisors([aRule(), aRule({ name: 'cvi' })], { ...services, sleep })
  for (const hypervisor of opened.values()) await provision(hypervisor, aSpec({ ref: hypervisor.name }))
  for (const hypervisor of opened.values()) await hypervisor.close()

  const again = await openHypervisors([aRule(), aRule({ name: 'cvi' })], { ...services, sleep })

  expect([...again.keys()]).toEqual(['wod', 'cvi'])
  expect(await again.get('cvi')?.status('cvi', never)).toMatchObject({ power: 'running' })
  expect(await again.get('cvi')?.status('wod', never)).toMatchObject({ power: 'missing' })
  for (const hypervisor of again.values()) await hypervisor.close()
})

function aListeningLog(): { log: Log; warnings: string[] } {
  const warnings: string[] = []
  const log = pino({ level: 'warn' }, { write: (line) => void warnings.push(line) })
  return { log, warnings }
}
