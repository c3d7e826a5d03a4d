import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { z } from 'zod'
import { deleteMachine } from '../../src/operations/delete-machine.ts'
import { drainHost } from '../../src/operations/drain-host.ts'
import { showFigures } from '../../src/operations/show-figures.ts'
import { showMachine } from '../../src/operations/show-machine.ts'
import { changeKeys } from '../../src/operations/ssh-keys.ts'
import { type FakeProxmox, fakeProxmox } from '../fakes/proxmox/server.ts'
import { privileges, secret, token } from '../hypervisors/proxmox-rig.ts'
import { giveMachine, person, untilState } from './machine.ts'
import { openStorySite, type StorySite } from './site.ts'

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdXuUyZ0Yqi7Fy7xTtQw1yq5vZ7o1Wm2l8n3c4d5e6f alice@home'
const alice = person('alice', ['developers'])
const olga = person('olga', ['operators'])

/** The whole service on a fake of Proxmox VE, as a site's file describes it. */
describe('a Linux server on Proxmox VE (fake)', () => {
  let fake: FakeProxmox
  let site: StorySite

  beforeAll(async () => {
    fake = await fakeProxmox({ token: `${token}=${secret}`, privileges })
    const secretFile = join(fake.folder, 'token.secret')
    await writeFile(secretFile, secret)
    const rule = {
      ...{ name: 'pve', kind: 'proxmox', urls: [fake.url], token, secretFile },
      templates: { slc5: { vmid: 9000 } },
      hosts: ['pve1', 'pve2'].map((name) => ({ name, slots: 10 })),
    }
    const edit = (yaml: string) => {
      const rest = z.looseObject({}).parse(parse(yaml))
      return stringify({ ...rest, hypervisors: [rule], pools: [], terminals: [] })
    }
    site = await openStorySite({ live: true, edit })
  })

  afterAll(async () => {
    await site.close()
    await fake.close()
  })

  const shown = () => site.service.operations.perform(showMachine, alice, { name: 'webafs20' })
  const made = () => [...fake.farm.vms.values()].filter(({ isTemplate }) => !isTemplate)

  test('is asked for, approved and made, with its owner’s key', async () => {
    await site.service.operations.perform(changeKeys, alice, { keys: [key] })

    await giveMachine(site, { name: 'webafs20' })

    expect(await shown()).toMatchObject({ state: 'running', host: 'pve1', address: '10.1.0.100' })
    expect(made()).toHaveLength(1)
    expect(made()[0]?.config).toMatchObject({
      name: 'webafs20',
      ciuser: 'alice',
      sshkeys: encodeURIComponent(key),
    })
    const figures = await site.service.operations.perform(showFigures, alice, { name: 'webafs20' })
    expect(figures).toMatchObject({ heartbeat: 'ok', problems: [] })
  })

  test('moves live to the other node when its own is drained', async () => {
    await site.service.operations.perform(drainHost, olga, { name: 'pve1' })

    await expect.poll(() => made()[0]?.node, { timeout: 30_000 }).toBe('pve2')
    await untilState(site, 'webafs20', 'running')
    expect(await shown()).toMatchObject({ state: 'running', host: 'pve2' })
    expect(made()[0]?.qmp).toBe('running')
  })

  test('is shown as stopped when its guest has stopped by itself', async () => {
    const [vm] = made()
    if (vm !== undefined) vm.qmp = undefined
    fake.broadcast()

    await untilState(site, 'webafs20', 'stopped')

    expect(await shown()).toMatchObject({ state: 'stopped' })
  })

  test('is gone from the node when its owner deletes it', async () => {
    await site.service.operations.perform(deleteMachine, alice, { name: 'webafs20' })

    await untilState(site, 'webafs20', 'deleted')

    expect(made()).toEqual([])
  })
})
