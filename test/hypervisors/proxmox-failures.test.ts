import { createHash, X509Certificate } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { makeSigningCertificate } from '../../broker/rdp-certificate.ts'
import { instant } from '../../src/base/clock.ts'
import { never, privileges, type ProxmoxRig, proxmoxRig, secret } from './proxmox-rig.ts'

let rig: ProxmoxRig | undefined

afterEach(() => rig?.dispose())

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => expect.unreachable('it should have failed'),
    (error: unknown) => error,
  )
}

describe('what Proxmox VE says no to', () => {
  test('a token that it does not know is told with where to look, and is not tried again', async () => {
    rig = await proxmoxRig()
    const stranger = await rig.other({}, 'a-secret-that-is-wrong')

    const failure = await failureOf(stranger.inventory(never))

    expect(failure).toMatchObject({ code: 'hypervisor_refused', transient: false })
    expect(String(failure)).toMatch(/jackdaw@pve!service: Authentication failed! Check token and secretFile/)
    expect(inspect(failure, { depth: 10 })).not.toContain('a-secret-that-is-wrong')
  })

  test.each(privileges.filter((name) => name !== 'Sys.Audit'))(
    'without the privilege %s something is refused, and it says which',
    async (privilege) => {
      const kept = privileges.filter((name) => name !== privilege)
      rig = await proxmoxRig({ storage: 'ceph' }, { privileges: kept })
      const { made, hypervisor } = rig
      const everything = async () => {
        await made('m-1')
        await made('m-2', { blank: { diskGb: 8, disc: 'debian' } })
        await hypervisor.resize('m-1', { cpus: 2, memoryGb: 2 }, never)
        await hypervisor.migrate('m-1', 'pve2', never)
        await hypervisor.console('m-1', 'screen', never).then((stream) => stream.destroy())
      }

      const failure = await failureOf(everything())

      expect(failure).toMatchObject({ code: 'hypervisor_refused', transient: false })
      expect(String(failure)).toContain(privilege)
      expect(String(failure)).toContain('Give its role that privilege')
    },
  )

  test('a machine that is locked is busy for a while', async () => {
    rig = await proxmoxRig()
    await rig.made('m-1')
    const [vm] = [...rig.fake.farm.vms.values()].filter(({ isTemplate }) => !isTemplate)
    Object.assign(vm?.config ?? {}, { lock: 'backup' })

    const failure = await failureOf(rig.hypervisor.powerOff('m-1', never))

    expect(failure).toMatchObject({ code: 'hypervisor_refused', transient: true })
    expect(String(failure)).toContain('VM is locked (backup)')
  })

  test('a task that fails is told with its exit status, and leaves nothing of a clone', async () => {
    rig = await proxmoxRig()
    rig.fake.farm.failing.push({ type: 'qmclone', exit: 'clone failed: no space left on device' })

    const failure = await failureOf(rig.made('m-1'))

    expect(failure).toMatchObject({ code: 'hypervisor_refused', transient: false })
    expect(String(failure)).toContain('Task qmclone on pve failed: clone failed: no space left on device.')
    expect((await rig.hypervisor.inventory(never)).machines).toEqual([])
  })

  test('a number that somebody else takes first is left to them', async () => {
    rig = await proxmoxRig()
    rig.fake.fail(/9000\/clone$/, 500, 'unable to create VM 100: config file already exists', 2)

    await rig.made('m-1')

    expect(await rig.hypervisor.status('m-1', never)).toMatchObject({ power: 'running' })
  })

  test('a parameter that an older version does not know is told by its name', async () => {
    rig = await proxmoxRig()
    await rig.made('m-1')
    rig.fake.fail(/status\/stop$/, 501, 'Method not implemented')

    const failure = await failureOf(rig.hypervisor.powerOff('m-1', never))

    expect(failure).toMatchObject({ code: 'hypervisor_refused', transient: false })
    expect(String(failure)).toContain('Proxmox VE 8.4 or later')
  })

  test('a guest that ignores being asked is left running', async () => {
    rig = await proxmoxRig()
    await rig.made('m-1')
    for (const vm of rig.fake.farm.vms.values()) vm.ignoresShutdown = true

    const failure = await failureOf(rig.hypervisor.shutdown('m-1', never))

    expect(failure).toMatchObject({ code: 'guest_ignored', transient: true })
    expect(await rig.hypervisor.status('m-1', never)).toMatchObject({ power: 'running' })
  })
})

describe('a node that is away', () => {
  test('has its machines unknown, and the others go on', async () => {
    rig = await proxmoxRig()
    await rig.made('m-1')
    await rig.made('m-2', { host: 'pve2' })
    rig.fake.farm.nodes.set('pve2', { isUp: false, cpu: '' })

    const { hosts, machines } = await rig.hypervisor.inventory(never)

    expect(hosts).toMatchObject([
      { name: 'pve1', reachable: true },
      { name: 'pve2', reachable: false },
    ])
    expect(machines).toMatchObject([
      { ref: 'm-1', power: 'running', host: 'pve1' },
      { ref: 'm-2', power: 'unknown', host: 'pve2' },
    ])
    expect(await rig.hypervisor.status('m-2', never)).toMatchObject({ power: 'unknown', host: 'pve2' })
  })

  test('is an outage that passes, and nothing is made, changed or removed there', async () => {
    rig = await proxmoxRig()
    await rig.made('m-2', { host: 'pve2' })
    rig.fake.farm.nodes.set('pve2', { isUp: false, cpu: '' })

    const failures = await Promise.all([
      failureOf(rig.hypervisor.start('m-2', never)),
      failureOf(rig.hypervisor.remove('m-2', never)),
      failureOf(rig.made('m-3', { host: 'pve2' })),
    ])

    for (const failure of failures)
      expect(failure).toMatchObject({ code: 'host_unreachable', transient: true })
  })

  test('that drops out between two calls says so by the code of its proxy', async () => {
    rig = await proxmoxRig()
    await rig.made('m-1')
    rig.fake.fail(/status\/current$/, 596, 'Connection timed out')

    const failure = await failureOf(rig.hypervisor.start('m-1', never))

    expect(failure).toMatchObject({ code: 'host_unreachable', transient: true })
  })

  test('is not the end when it was the one that was asked', async () => {
    rig = await proxmoxRig()
    const hypervisor = await rig.other({ urls: ['http://127.0.0.1:1', rig.fake.url] })

    const { hosts } = await hypervisor.inventory(never)

    expect(hosts).toHaveLength(2)
  })

  test('is an outage when no other can be asked', async () => {
    rig = await proxmoxRig()
    const hypervisor = await rig.other({ urls: ['http://127.0.0.1:1'] })

    const failure = await failureOf(hypervisor.inventory(never))

    expect(failure).toMatchObject({ code: 'hypervisor_unreachable', transient: true })
    expect(inspect(failure, { depth: 10 })).not.toContain(secret)
  })
})

describe('the certificate of a node', () => {
  let tls: { cert: string; key: string }

  beforeAll(async () => {
    const at = instant(Date.now())
    const made = await makeSigningCertificate({ name: 'localhost', at, serial: '0'.repeat(32) })
    tls = { cert: made.certificate, key: made.key }
  })

  function printOf(cert: string): string {
    const hex = createHash('sha256').update(new X509Certificate(cert).raw).digest('hex')
    return hex.replace(/(..)(?=.)/g, '$1:')
  }

  test.each([
    ['that nobody vouches for', {}],
    ['of another fingerprint', { fingerprints: [`00:${'11:'.repeat(30)}22`] }],
  ])('%s is not believed, and the token is not sent', async (_case, trust) => {
    rig = await proxmoxRig({}, { tls })
    const hypervisor = await rig.other(trust)

    const failure = await failureOf(hypervisor.inventory(never))

    expect(failure).toMatchObject({ code: 'hypervisor_unreachable', transient: false })
    expect(String(failure)).toContain('Name its CA as caFile or its SHA-256 fingerprint')
    expect(rig.fake.connections).toBeGreaterThan(0)
    expect(rig.fake.requests).toBe(0)
    expect(inspect(failure, { depth: 10 })).not.toContain(secret)
  })

  test('of the fingerprint in the site file is believed, for screens too', async () => {
    rig = await proxmoxRig({}, { tls })
    const hypervisor = await rig.other({ fingerprints: [printOf(tls.cert)] })
    for (const stage of hypervisor.stages) await hypervisor.provision(rig.spec('m-1'), stage, never)

    const screen = await hypervisor.console('m-1', 'screen', never)

    expect(screen.readable).toBe(true)
    screen.destroy()
  })

  test('that the CA of the site file vouches for is believed', async () => {
    rig = await proxmoxRig({}, { tls })
    const caFile = join(rig.fake.folder, 'ca.pem')
    await writeFile(caFile, tls.cert)
    const hypervisor = await rig.other({ caFile, urls: [rig.fake.url.replace('127.0.0.1', 'localhost')] })

    const { hosts } = await hypervisor.inventory(never)

    expect(hosts).toHaveLength(2)
  })
})
