import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { signedInScreen } from '../../src/hypervisors/proxmox/rfb.ts'
import { component } from '../components.ts'
import { never, type ProxmoxRig, proxmoxRig } from './proxmox-rig.ts'

const version = 'RFB 003.008\n'

/** Reads until so many bytes have come. */
async function take(stream: Duplex, count: number): Promise<Buffer> {
  let heard: Buffer = Buffer.alloc(0)
  while (heard.length < count) {
    const part: unknown = stream.read(count - heard.length) ?? stream.read()
    if (part instanceof Buffer) heard = Buffer.concat([heard, part])
    else await once(stream, 'readable')
  }
  return heard
}

/** What a viewer of RFB 3.8 does before it sees a screen. */
async function view(screen: Duplex): Promise<void> {
  expect((await take(screen, 12)).toString()).toBe(version)
  screen.write(version)
  expect([...(await take(screen, 2))]).toEqual([1, 1])
  screen.write(Buffer.of(1))
  expect((await take(screen, 4)).readUInt32BE()).toBe(0)
}

describe('a console', () => {
  let rig: ProxmoxRig

  afterEach(() => rig.dispose())

  test.each([
    ['wants the password', 2],
    ['wants none', 1],
  ])('shows a screen that %s to a viewer who knows none', async (_case, security) => {
    const right = rightOnes(security)
    rig = await proxmoxRig({}, { screen: right.screen })
    await rig.made('m-1')

    const screen = await rig.hypervisor.console('m-1', 'screen', never)
    await view(screen)
    screen.write('draw something')

    expect((await take(screen, 14)).toString()).toBe('draw something')
    expect(right.asked).toBe(security === 2 ? 1 : 0)
    screen.destroy()
  })

  // RFC 6143 §7.1.2: before 3.7 the server chooses, before 3.8 nothing follows when there is nothing to prove.
  test.each([
    ['003.003', [0, 0, 0, 1], []],
    ['003.007', [1, 1], [1]],
  ])('shows a screen to a viewer of RFB %s', async (old, offer, choice) => {
    rig = await proxmoxRig()
    await rig.made('m-1')
    const screen = await rig.hypervisor.console('m-1', 'screen', never)

    expect((await take(screen, 12)).toString()).toBe(version)
    screen.write(`RFB ${old}\n`)
    expect([...(await take(screen, offer.length))]).toEqual(offer)
    screen.write(Buffer.from([...choice, 42]))

    expect([...(await take(screen, 1))]).toEqual([42])
    screen.destroy()
  })

  test('ends for a viewer who wants what is not on offer', async () => {
    rig = await proxmoxRig()
    await rig.made('m-1')
    const screen = await rig.hypervisor.console('m-1', 'screen', never)
    const closed = once(screen, 'close')

    screen.write(version)
    screen.write(Buffer.of(2))
    screen.resume()

    await closed
    expect(screen.readableEnded).toBe(false)
  })

  function rightOnes(security: number) {
    const right = { asked: 0, screen: { security, isRight: () => (right.asked += 1) > 0 } }
    return right
  }

  test('says why when the screen does not let it in', async () => {
    rig = await proxmoxRig({}, { screen: { security: 2, isRight: () => false } })
    await rig.made('m-1')

    const opening = rig.hypervisor.console('m-1', 'screen', never)

    await expect(opening).rejects.toMatchObject({
      code: 'hypervisor_refused',
      message: 'The screen refuses: Authentication failed',
    })
  })

  test('is a serial line without the frames of its proxy', async () => {
    rig = await proxmoxRig()
    await rig.made('m-1')

    const line = await rig.hypervisor.console('m-1', 'serial', never)
    line.write('ls\r')

    const said = await take(line, 'starting serial terminal\r\nls\r'.length)
    expect(said.toString()).toBe('starting serial terminal\r\nls\r')
    line.destroy()
  })

  test('ends when whoever looks has gone, and the other way round', async () => {
    rig = await proxmoxRig()
    await rig.made('m-1')
    const line = await rig.hypervisor.console('m-1', 'serial', never)

    line.end()
    line.resume()

    await expect(once(line, 'close')).resolves.toBeDefined()
  })

  test('is refused where there is no serial line, with how to have one', async () => {
    rig = await proxmoxRig()
    await rig.made('m-1')
    for (const vm of rig.fake.farm.vms.values()) Reflect.deleteProperty(vm.config, 'serial0')

    const opening = rig.hypervisor.console('m-1', 'serial', never)

    await expect(opening).rejects.toMatchObject({ code: 'hypervisor_refused', transient: false })
    await expect(opening).rejects.toThrow('qm set VMID --serial0 socket')
  })

  test.each(['screen', 'serial'] as const)('%s is refused of a machine that is stopped', async (kind) => {
    rig = await proxmoxRig()
    await rig.made('m-1')
    await rig.hypervisor.powerOff('m-1', never)

    const opening = rig.hypervisor.console('m-1', kind, never)

    await expect(opening).rejects.toMatchObject({ code: 'hypervisor_refused', transient: false })
  })
})

const qemu = await component('qemu', { install: true })
const reason = qemu.available ? '' : ` (skipped: ${qemu.remedy})`

describe.skipIf(!qemu.available)(`the screen of a real QEMU with a password${reason}`, () => {
  async function withScreen(work: (socket: Duplex) => Promise<void>): Promise<void> {
    const folder = await mkdtemp(join(tmpdir(), 'jackdaw-vnc-'))
    const path = join(folder, 'vnc')
    const child = spawn(
      qemu.available ? qemu.path : '',
      [
        ...['-accel', 'tcg', '-M', 'none', '-nodefaults', '-display', 'none'],
        ...['-object', 'secret,id=word,data=correct-horse', '-vnc', `unix:${path},password-secret=word`],
      ],
      { stdio: 'ignore' },
    )
    const gone = once(child, 'exit')
    const isThere = () => stat(path).then(() => true)
    await vi.waitUntil(() => isThere().catch(() => false), { timeout: 20_000 })
    const socket = connect(path)
    await once(socket, 'connect')
    await work(socket).finally(async () => {
      socket.destroy()
      child.kill('SIGKILL')
      await gone
      await rm(folder, { recursive: true, force: true })
    })
  }

  test('lets us in with the right one, and then says how large the screen is', async () => {
    await withScreen(async (socket) => {
      const screen = await signedInScreen(socket, 'correct-horse')

      await view(screen)
      screen.write(Buffer.of(1))

      expect((await take(screen, 4)).readUInt16BE()).toBeGreaterThan(0)
    })
  })

  test('lets nobody in with another', async () => {
    await withScreen(async (socket) => {
      const signingIn = signedInScreen(socket, 'battery-staple')

      await expect(signingIn).rejects.toThrow('The screen refuses: Authentication failed')
    })
  })
})
