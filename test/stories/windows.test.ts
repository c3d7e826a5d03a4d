import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { z } from 'zod'
import { deleteMachine } from '../../src/operations/delete-machine.ts'
import { drainHost } from '../../src/operations/drain-host.ts'
import { showMachine } from '../../src/operations/show-machine.ts'
import { component } from '../components.ts'
import { aHyperV, hyperVComputers } from '../fakes/windows/hyperv.ts'
import { startSshServer } from '../fakes/windows/ssh-server.ts'
import type { Sshd } from '../fakes/windows/sshd.ts'
import { anScvmm, vmmComputers } from '../fakes/windows/vmm.ts'
import { giveMachine, person, untilState } from './machine.ts'
import { openStorySite, type StorySite } from './site.ts'

const xorriso = await component('xorriso', { install: true })
const missing = xorriso.available ? '' : ` (skipped: ${xorriso.remedy})`
const alice = person('alice', ['developers'])
const olga = person('olga', ['operators'])

/** What a stand-in has, whichever it is. */
interface Rig {
  rule: object
  machines(): { name: string; state: string }[]
  stop(): void
  dispose(): Promise<void>
}

async function onHyperV(ssh: Sshd): Promise<Rig> {
  const opened = await aHyperV(ssh)
  const machines = () => [...opened.world.computers.values()].flatMap(({ vms }) => vms)
  const stop = () => machines().forEach((vm) => (vm.state = 'Off'))
  return { rule: opened.rule, machines, stop, dispose: () => opened.dispose() }
}

async function onVmm(ssh: Sshd): Promise<Rig> {
  const opened = await anScvmm(ssh)
  const machines = () => opened.world.vms
  const stop = () => machines().forEach((vm) => (vm.state = 'PowerOff'))
  return { rule: opened.rule, machines, stop, dispose: () => opened.dispose() }
}

/** The whole service on a stand-in, as a site's file describes it. */
describe.skipIf(!xorriso.available).each([
  ['Hyper-V', hyperVComputers, onHyperV],
  ['VMM', vmmComputers, onVmm],
] as const)(`a Linux server on %s (stand-in)${missing}`, (_name, computers, open) => {
  let ssh: Sshd
  let rig: Rig
  let site: StorySite

  beforeAll(async () => {
    ssh = await startSshServer(computers)
    rig = await open(ssh)
    const edit = (yaml: string) => {
      const rest = z.looseObject({}).parse(parse(yaml))
      return stringify({ ...rest, hypervisors: [rig.rule], pools: [], terminals: [] })
    }
    site = await openStorySite({ live: true, edit })
  })

  afterAll(async () => {
    await site.close()
    await rig.dispose()
    await ssh.close()
  })

  const shown = () => site.service.operations.perform(showMachine, alice, { name: 'webafs20' })

  test('is asked for, approved and made', async () => {
    await giveMachine(site, { name: 'webafs20' })

    expect(await shown()).toMatchObject({ state: 'running', host: 'hv1', address: '10.1.0.10' })
    expect(rig.machines()).toMatchObject([{ name: 'webafs20', state: 'Running' }])
  })

  test('moves live to the other host when its own is drained', async () => {
    await site.service.operations.perform(drainHost, olga, { name: 'hv1' })

    await expect.poll(async () => (await shown()).host, { timeout: 30_000 }).toBe('hv2')
    await untilState(site, 'webafs20', 'running')
    expect(rig.machines()).toMatchObject([{ name: 'webafs20', state: 'Running' }])
  })

  test('is shown as stopped when somebody stops it on its host', async () => {
    rig.stop()

    await untilState(site, 'webafs20', 'stopped')
    expect(await shown()).toMatchObject({ state: 'stopped', host: 'hv2' })
  })

  test('is gone from there once its owner has let it go', async () => {
    await site.service.operations.perform(deleteMachine, alice, { name: 'webafs20' })

    await expect.poll(() => rig.machines().length, { timeout: 30_000 }).toBe(0)
    await untilState(site, 'webafs20', 'deleted')
  })
})
