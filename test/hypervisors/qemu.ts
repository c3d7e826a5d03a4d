import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { vi } from 'vitest'
import type { LinuxGuest } from './linux-guest.ts'

/** One real machine, run by QEMU. */
export interface Qemu {
  console(kind: 'screen' | 'serial'): Promise<Duplex>
  /** Ends it as a power cut would. */
  kill(): Promise<void>
}

/**
 * Starts a guest with a screen and a serial line on sockets. Its instructions are translated (TCG), never given to the
 * processor: where tests run, `/dev/kvm` may be there and not work.
 */
export async function startQemu(path: string, { kernel, initrd }: LinuxGuest): Promise<Qemu> {
  const folder = await mkdtemp(join(tmpdir(), 'jackdaw-qemu-'))
  const sockets = { screen: join(folder, 'vnc'), serial: join(folder, 'serial') }
  const words = [
    ...['-accel', 'tcg', '-M', 'q35', '-m', '128', '-nodefaults', '-no-reboot', '-display', 'none'],
    ...['-kernel', kernel, '-initrd', initrd],
    ...['-append', 'console=ttyS0 console=tty0 panic=-1 quiet loglevel=0'],
    ...['-vga', 'std', '-vnc', `unix:${sockets.screen}`],
    ...['-serial', `unix:${sockets.serial},server=on,wait=off`],
  ]
  const child = spawn(path, words, { stdio: 'ignore' })
  const gone = once(child, 'exit')
  await Promise.all(Object.values(sockets).map((socket) => vi.waitUntil(() => exists(socket))))
  return {
    async console(kind) {
      const line = connect(sockets[kind])
      await once(line, 'connect')
      return line
    },
    async kill() {
      child.kill('SIGKILL')
      await gone
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
