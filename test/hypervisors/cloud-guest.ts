import { execFile } from 'node:child_process'
import { chmod, cp, mkdir, mkdtemp, readdir, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { component } from '../components.ts'
import { fetchKernel, type LinuxGuest } from './linux-guest.ts'

const run = promisify(execFile)

/** Kept between runs: it is the same each time. */
const kept = join(tmpdir(), 'jackdaw-cloud-guest-2')

/**
 * A small Linux that reads the disc of its first boot as cloud-init would, has the real guest agent of QEMU, and heeds the
 * power button. Debian's kernel and busybox: made when there is none. Whoever the disc names may log in on the serial
 * line, which asks for no password.
 */
export async function cloudGuest(): Promise<LinuxGuest | { remedy: string }> {
  const guest = { kernel: join(kept, 'vmlinuz'), initrd: join(kept, 'initrd.gz') }
  if (await exists(guest.initrd)) return guest
  const needed = await Promise.all(
    (['busybox', 'cpio', 'qemu'] as const).map((name) => component(name, { install: true })),
  )
  const missing = needed.find((one) => !one.available)
  if (missing?.available === false) return { remedy: missing.remedy }
  const folder = await mkdtemp(join(tmpdir(), 'jackdaw-guest-'))
  try {
    const kernel = await fetchKernel(folder)
    const agent = await fetchAgent(join(folder, 'agent'))
    if (kernel === undefined || agent === undefined) {
      return { remedy: 'apt-get update && apt-get download linux-image-cloud-amd64 qemu-guest-agent' }
    }
    const initrd = join(folder, 'initrd.gz')
    await writeInitrd({ root: join(folder, 'root'), modules: join(folder, 'unpacked', 'lib'), agent }, initrd)
    await mkdir(kept, { recursive: true })
    await rename(kernel, guest.kernel)
    // The last to be there, so that what is there is whole.
    await rename(initrd, guest.initrd)
    return guest
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function fetchAgent(folder: string): Promise<string | undefined> {
  try {
    await mkdir(folder)
    await chmod(folder, 0o777)
    await run('apt-get', ['-q', 'download', 'qemu-guest-agent'], { cwd: folder, timeout: 300_000 })
    const deb = (await readdir(folder)).find((file) => file.endsWith('.deb')) ?? ''
    await run('dpkg-deb', ['-x', deb, 'unpacked'], { cwd: folder })
    return join(folder, 'unpacked', 'usr', 'sbin', 'qemu-ga')
  } catch {
    return undefined
  }
}

const applets =
  'sh mount getty login stty setsid poweroff uname cat echo sleep hostname insmod acpid awk sed mkdir chown chmod id ls tr'.split(
    ' ',
  )

const modules = [
  ...['acpi/button', 'input/evdev', 'scsi/scsi_common', 'scsi/scsi_mod', 'cdrom/cdrom', 'scsi/sr_mod'],
  ...['ata/libata', 'ata/ata_piix', 'virtio/virtio', 'virtio/virtio_ring', 'virtio/virtio_pci'],
  ...['virtio/virtio_pci_legacy_dev', 'virtio/virtio_pci_modern_dev', 'char/virtio_console'],
]

async function writeInitrd(
  parts: { root: string; modules: string; agent: string },
  file: string,
): Promise<void> {
  const { root } = parts
  for (const part of ['bin', 'proc', 'sys', 'dev', 'etc', 'home', 'mod', 'seed', 'run', 'var']) {
    await mkdir(join(root, part), { recursive: true })
  }
  await symlink('../run', join(root, 'var', 'run'))
  await cp('/bin/busybox', join(root, 'bin', 'busybox'))
  for (const name of applets) await symlink('busybox', join(root, 'bin', name))
  await copyModules(parts.modules, join(root, 'mod'))
  await copyWithLibraries(parts.agent, root)
  await writeFile(join(root, 'init'), init, { mode: 0o755 })
  await writeFile(join(root, 'etc', 'passwd'), 'root:x:0:0:root:/:/bin/sh\n')
  await writeFile(join(root, 'etc', 'group'), 'root:x:0:\n')
  await run('sh', ['-c', 'find . | cpio --quiet -o -H newc | gzip -1 > "$1"', 'sh', file], { cwd: root })
}

async function copyModules(lib: string, target: string): Promise<void> {
  const [version = ''] = await readdir(join(lib, 'modules'))
  const kernel = join(lib, 'modules', version, 'kernel')
  const found = [...modules.map((name) => join('drivers', name)), 'fs/isofs/isofs']
  await Promise.all(
    found.map(async (name) => {
      const from = join(kernel, `${name}.ko`)
      // What is built into the kernel is no file.
      if (await exists(from)) await cp(from, join(target, basename(from)))
    }),
  )
}

/** A program with what it is linked to, where its loader looks for it. */
async function copyWithLibraries(program: string, root: string): Promise<void> {
  await cp(program, join(root, 'bin', basename(program)))
  const { stdout } = await run('ldd', [program])
  const paths = [...stdout.matchAll(/(\/\S+) \(0x/g)].map(([, path = '']) => path)
  for (const path of paths) {
    await mkdir(join(root, dirname(path)), { recursive: true })
    await cp(path, join(root, path), { dereference: true })
  }
}

/** What cloud-init makes of the same files: a name, accounts with their keys. */
const init = `#!/bin/sh
export PATH=/bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
for turn in 1 2 3 4; do for file in /mod/*.ko; do insmod $file 2>/dev/null; done; done
for turn in 1 2 3 4 5 6 7 8 9 10; do mount -t iso9660 -o ro /dev/sr0 /seed 2>/dev/null && break; sleep 0.3; done
hostname "$(sed -n 's/.*"local-hostname": "\\(.*\\)".*/\\1/p' /seed/meta-data)"
awk -F'"' '
  $2 == "name" { user = $4; id = 1000 + count++; home = "/home/" user
    print user "::" id ":" id ":" user ":" home ":/bin/sh" >> "/etc/passwd"
    print user ":x:" id ":" >> "/etc/group"
    system("mkdir -p " home "/.ssh; chown -R " id ":" id " " home) }
  $2 ~ /^(ssh|ecdsa|sk)-/ { print $2 >> (home "/.ssh/authorized_keys") }
' /seed/user-data
mkdir -p /etc/acpi/PWRF
printf '#!/bin/sh\\npoweroff -f\\n' > /etc/acpi/PWRF/00000080
chmod +x /etc/acpi/PWRF/00000080
acpid -d > /dev/null 2>&1 &
for port in /sys/class/virtio-ports/*; do
  [ "$(cat $port/name)" = org.qemu.guest_agent.0 ] && qemu-ga -m virtio-serial -p /dev/\${port##*/} -t /run &
done
while :; do setsid getty -L 115200 ttyS0 vt100; done
`

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
