import { readFile } from 'node:fs/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { aRule, aSimulator, aSpec, never, provision, type Simulated } from './simulated.ts'

let hypervisor: Simulated

beforeEach(async () => {
  hypervisor = await aSimulator()
  await provision(hypervisor, aSpec())
})

afterEach(() => hypervisor.close())

test('a planned outage happens as often as it was planned, and then no more', async () => {
  hypervisor.fault({ on: 'save', times: 2, outage: { code: 'hypervisor_unreachable', transient: true } })

  const answers = [
    hypervisor.save('m-1', never),
    hypervisor.save('m-1', never),
    hypervisor.save('m-1', never),
  ]
  const outcomes = await Promise.allSettled(answers)

  expect(outcomes).toMatchObject([
    { reason: { code: 'hypervisor_unreachable', transient: true } },
    { reason: { code: 'hypervisor_unreachable', transient: true } },
    { status: 'fulfilled' },
  ])
})

test.each([
  ['another call', { on: 'start' as const }],
  ['another machine', { on: 'any' as const, machine: 'desktop-2' }],
  ['another host', { on: 'any' as const, host: 'small' }],
  ['a stage', { on: 'any' as const, stage: 'booting' as const }],
])('a fault planned for %s does not befall this one', async (_what, where) => {
  hypervisor.fault({ ...where, outage: 'gone' })

  await hypervisor.save('m-1', never)

  expect(hypervisor.machine('m-1')?.power).toBe('saved')
})

test.each([
  ['its name', { machine: 'desktop-1' }],
  ['its ref', { machine: 'm-1' }],
  ['its host', { host: 'big' }],
])('a fault finds a machine by %s', async (_what, where) => {
  hypervisor.fault({ on: 'any', ...where, outage: { code: 'hypervisor_refused', transient: false } })

  const saving = hypervisor.save('m-1', never)

  await expect(saving).rejects.toMatchObject({ code: 'hypervisor_refused', transient: false })
  expect(hypervisor.machine('m-1')?.power).toBe('running')
})

test('a fault can wait for one stage', async () => {
  const outage = { code: 'host_unreachable' as const, transient: true }
  hypervisor.fault({ on: 'provision', stage: 'booting', outage })

  const making = provision(hypervisor, aSpec({ ref: 'm-2' }))

  await expect(making).rejects.toMatchObject(outage)
  expect(hypervisor.machine('m-2')?.made).toBe(3)
})

test('a call that hangs rejects with the reason once its caller gives up', async () => {
  const controller = new AbortController()
  const reason = new Error('ten seconds are enough')
  hypervisor.fault({ on: 'start', outage: 'hang' })

  const starting = hypervisor.start('m-1', controller.signal)
  controller.abort(reason)

  await expect(starting).rejects.toBe(reason)
})

test('a machine that is gone by the time of the call is missing', async () => {
  hypervisor.fault({ on: 'start', outage: 'gone' })

  const starting = hypervisor.start('m-1', never)

  await expect(starting).rejects.toMatchObject({ code: 'machine_missing', transient: false })
  expect(await hypervisor.status('m-1', never)).toMatchObject({ power: 'missing' })
})

test('a late fault does the work and loses the answer', async () => {
  const outage = { code: 'hypervisor_unreachable' as const, transient: true }
  hypervisor.fault({ on: 'powerOff', late: true, outage })

  const stopping = hypervisor.powerOff('m-1', never)

  await expect(stopping).rejects.toMatchObject(outage)
  expect(hypervisor.machine('m-1')?.power).toBe('stopped')
})

test('a guest that ignores the shutdown is left running', async () => {
  hypervisor.fault({ on: 'shutdown', outage: { code: 'guest_ignored', transient: true } })

  const stopping = hypervisor.shutdown('m-1', never)

  await expect(stopping).rejects.toMatchObject({ code: 'guest_ignored', transient: true })
  expect(hypervisor.machine('m-1')?.power).toBe('running')
})

test('a paused guest does not hear a shutdown, and can be resumed', async () => {
  await hypervisor.pauseBehindOurBack('m-1')

  const stopping = hypervisor.shutdown('m-1', never)

  await expect(stopping).rejects.toMatchObject({ code: 'guest_ignored', transient: true })
  await hypervisor.resume('m-1', never)
  expect(hypervisor.machine('m-1')?.power).toBe('running')
})

test('forgotten faults do not happen', async () => {
  hypervisor.fault({ on: 'any', times: 9, outage: 'gone' })

  hypervisor.clearFaults()

  expect(await hypervisor.status('m-1', never)).toMatchObject({ power: 'running' })
})

test('faults can stand in the site file', async () => {
  const outage = { code: 'hypervisor_refused', transient: false }
  const clumsy = await aSimulator({ rule: { faults: [{ on: 'provision', stage: 'placing', outage }] } })

  const making = provision(clumsy, aSpec())

  await expect(making).rejects.toMatchObject(outage)
  await clumsy.close()
})

test('the faults that the README shows are accepted', async () => {
  const readme = await readFile(new URL('../../src/hypervisors/README.md', import.meta.url), 'utf8')

  const [, example = ''] = /```yaml\n(.*?)```/s.exec(readme) ?? []
  const { faults } = z.object({ faults: z.array(z.unknown()) }).parse(parse(example))

  expect(aRule({ faults }).faults).toHaveLength(5)
})

test('a silent host leaves its machines unknown and refuses work for now', async () => {
  hypervisor.setHost('big', { reachable: false })

  const { hosts, machines } = await hypervisor.inventory(never)

  expect(hosts).toMatchObject([
    { name: 'big', reachable: false },
    { name: 'small', reachable: true },
  ])
  expect(machines).toMatchObject([{ power: 'unknown', host: 'big', providerState: 'HostNotResponding' }])
  const refusals = [hypervisor.start('m-1', never), provision(hypervisor, aSpec({ ref: 'm-2' }))]
  for (const refusal of refusals) {
    await expect(refusal).rejects.toMatchObject({ code: 'host_unreachable', transient: true })
  }
})

test('a host that is back has its machines as they were', async () => {
  hypervisor.setHost('big', { reachable: false })

  hypervisor.setHost('big', { reachable: true })

  expect(await hypervisor.status('m-1', never)).toMatchObject({ power: 'running', providerState: 'Running' })
})

test('a machine stopped behind our back is stopped, and one that vanished is missing', async () => {
  await provision(hypervisor, aSpec({ ref: 'm-2' }))

  await hypervisor.stopBehindOurBack('m-1')
  await hypervisor.vanish('m-2')

  expect(await hypervisor.status('m-1', never)).toMatchObject({ power: 'stopped', rdp: null })
  expect(await hypervisor.status('m-2', never)).toMatchObject({ power: 'missing' })
})

test('after it is closed, calls say that it cannot be reached', async () => {
  await hypervisor.close()

  const asking = hypervisor.inventory(never)

  await expect(asking).rejects.toMatchObject({ code: 'hypervisor_unreachable', transient: true })
})

test.each([
  ['a port that is none', { rdpAddress: '127.0.0.1:70000' }, 'rdpAddress'],
  ['an address without a port', { rdpAddress: '127.0.0.1' }, 'rdpAddress'],
  ['a host twice', { hosts: [aHost(), aHost()] }, 'hosts'],
  [
    'a fault at no known stage',
    { faults: [{ on: 'provision', stage: 'praying', outage: 'gone' }] },
    'faults',
  ],
  ['a name that is a path', { name: '../wod' }, 'name'],
])('a file with %s is not accepted', (_what, changes, where) => {
  expect(() => aRule(changes)).toThrow(where)
})

function aHost() {
  return { name: 'big', cpus: 1, memoryGb: 1, slots: 1 }
}
