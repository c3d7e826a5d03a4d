import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { chmod, cp, mkdir, mkdtemp, readdir, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { component } from '../components.ts'

const run = promisify(execFile)

/** A small Linux for QEMU: Debian's kernel and busybox, a login on the serial line and a shell on the screen. */
export interface LinuxGuest {
  kernel: string
  initrd: string
}

/** The only account that its serial line lets in. */
export const guestAccount = { user: 'jackdaw', password: 'seven-of-nine' }

/** Kept between runs: it is the same each time, and the kernel is 30 MB to fetch. */
const kept = join(tmpdir(), 'jackdaw-linux-guest-2')

/** The guest, made when there is none; or what would have to be installed for it. */
export async function linuxGuest(): Promise<LinuxGuest | { remedy: string }> {
  const guest = { kernel: join(kept, 'vmlinuz'), initrd: join(kept, 'initrd.gz') }
  if (await exists(guest.initrd)) return guest
  const needed = await Promise.all(
    (['busybox', 'cpio'] as const).map((name) => component(name, { install: true })),
  )
  const missing = needed.find((one) => !one.available)
  if (missing?.available === false) return { remedy: missing.remedy }
  const folder = await mkdtemp(join(tmpdir(), 'jackdaw-guest-'))
  try {
    const kernel = await fetchKernel(folder)
    if (kernel === undefined) return { remedy: 'apt-get update && apt-get download linux-image-cloud-amd64' }
    await writeInitrd(join(folder, 'root'), join(folder, 'initrd.gz'))
    await mkdir(kept, { recursive: true })
    await rename(kernel, guest.kernel)
    // The last to be there, so that what is there is whole.
    await rename(join(folder, 'initrd.gz'), guest.initrd)
    return guest
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Unpacks Debian's kernel into `unpacked` there, with its modules. Resolves to the kernel itself. */
export async function fetchKernel(folder: string): Promise<string | undefined> {
  try {
    const { stdout } = await run('apt-cache', ['depends', 'linux-image-cloud-amd64'])
    const name = /Depends: (linux-image-\S+)/.exec(stdout)?.[1] ?? ''
    await chmod(folder, 0o777)
    await run('apt-get', ['-q', 'download', name], { cwd: folder, timeout: 300_000 })
    const deb = (await readdir(folder)).find((file) => file.endsWith('.deb')) ?? ''
    await run('dpkg-deb', ['-x', deb, 'unpacked'], { cwd: folder })
    const boot = join(folder, 'unpacked', 'boot')
    const image = (await readdir(boot)).find((file) => file.startsWith('vmlinuz')) ?? ''
    return join(boot, image)
  } catch {
    return undefined
  }
}

const applets = 'sh mount getty login stty setsid cttyhack poweroff uname cat echo sleep hostname'.split(' ')

async function writeInitrd(root: string, file: string): Promise<void> {
  for (const part of ['bin', 'proc', 'sys', 'dev', 'etc', 'root']) {
    await mkdir(join(root, part), { recursive: true })
  }
  await cp('/bin/busybox', join(root, 'bin', 'busybox'))
  for (const name of applets) await symlink('busybox', join(root, 'bin', name))
  await writeFile(join(root, 'init'), init, { mode: 0o755 })
  const { stdout } = await run('busybox', ['mkpasswd', '-m', 'sha512', guestAccount.password])
  const { user } = guestAccount
  await writeFile(join(root, 'etc', 'passwd'), `${user}:${stdout.trim()}:0:0:${user}:/root:/bin/sh\n`)
  await writeFile(join(root, 'etc', 'group'), 'root:x:0:\n')
  await once(
    execFile('sh', ['-c', 'find . | cpio --quiet -o -H newc | gzip -1 > "$1"', 'sh', file], { cwd: root }),
    'exit',
  )
}

const init = `#!/bin/sh
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
hostname guest
(while :; do setsid sh -c 'exec sh </dev/tty1 >/dev/tty1 2>&1'; done) &
while :; do setsid getty -L 115200 ttyS0 vt100; done
`

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
