import { execFile } from 'node:child_process'
import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { delimiter, isAbsolute, join } from 'node:path'
import { promisify } from 'node:util'

/** Programs that nobody here wrote and that some tests run against. */
const known = {
  freerdp: { binaries: ['xfreerdp', 'xfreerdp3'], packages: ['freerdp2-x11'] },
  chromium: { binaries: ['chromium', 'chromium-browser'], packages: ['chromium'] },
  xvfb: { binaries: ['Xvfb'], packages: ['xvfb'] },
  freerdpShadow: {
    binaries: ['freerdp-shadow-cli', 'freerdp-shadow-cli3'],
    packages: ['freerdp2-shadow-x11'],
  },
  rdesktop: { binaries: ['rdesktop'], packages: ['rdesktop'] },
  xterm: { binaries: ['xterm'], packages: ['xterm'] },
  imagemagick: { binaries: ['import'], packages: ['imagemagick'] },
  xrdp: { binaries: ['xrdp'], packages: ['xrdp'] },
  openssh: { binaries: ['ssh-keygen'], packages: ['openssh-client'] },
  // What gives each session of xrdp a screen of its own.
  xorgxrdp: { binaries: ['/usr/lib/xorg/modules/libxorgxrdp.so'], packages: ['xorgxrdp'] },
  xmllint: { binaries: ['xmllint'], packages: ['libxml2-utils'] },
  x2gobroker: { binaries: ['x2gobroker'], packages: ['x2gobroker'] },
  slapd: { binaries: ['/usr/sbin/slapd', 'slapd'], packages: ['slapd', 'ldap-utils'] },
  samba: {
    binaries: ['/usr/sbin/samba', 'samba'],
    packages: ['samba', 'samba-ad-dc', 'samba-ad-provision', 'winbind'],
  },
  // Debian keeps the programs of each version in a folder of its own, away from the path.
  postgres: {
    binaries: [17, 16, 15].map((version) => `/usr/lib/postgresql/${version}/bin/postgres`).concat('postgres'),
    packages: ['postgresql'],
  },
  qemu: { binaries: ['qemu-system-x86_64'], packages: ['qemu-system-x86'] },
  qemuImg: { binaries: ['qemu-img'], packages: ['qemu-utils'] },
  busybox: { binaries: ['busybox'], packages: ['busybox-static'] },
  cpio: { binaries: ['cpio'], packages: ['cpio'] },
  libvirt: {
    binaries: ['/usr/sbin/libvirtd'],
    packages: ['libvirt-daemon', 'libvirt-daemon-driver-qemu', 'libvirt-daemon-system'],
  },
  virsh: { binaries: ['virsh'], packages: ['libvirt-clients'] },
  xorriso: { binaries: ['xorriso'], packages: ['xorriso'] },
  cloudInit: { binaries: ['cloud-init'], packages: ['cloud-init'] },
  named: { binaries: ['/usr/sbin/named', 'named'], packages: ['bind9', 'bind9-dnsutils'] },
  sshd: { binaries: ['/usr/sbin/sshd', 'sshd'], packages: ['openssh-server'] },
  haproxy: { binaries: ['/usr/sbin/haproxy', 'haproxy'], packages: ['haproxy'] },
  // The module that passes TCP on, which comes with the program.
  nginx: {
    binaries: ['/usr/lib/nginx/modules/ngx_stream_module.so'],
    packages: ['nginx-light', 'libnginx-mod-stream'],
  },
} as const

export type ComponentName = keyof typeof known

/** `path` is the program; `remedy` is the command that would provide it. */
export type Component = { available: true; path: string } | { available: false; remedy: string }

/**
 * Whether a program is on this machine. With `install`, it is fetched by apt where we may do that: as root on Debian.
 * Never rejects: a test that cannot run says what is missing in its name.
 */
export async function component(name: ComponentName, options: { install: boolean }): Promise<Component> {
  const { binaries, packages } = known[name]
  const present = await which(binaries)
  if (present !== undefined) return { available: true, path: present }
  if (options.install && (await mayInstall())) await aptInstall(packages)
  const path = await which(binaries)
  return path === undefined
    ? { available: false, remedy: `apt-get install -y --no-install-recommends ${packages.join(' ')}` }
    : { available: true, path }
}

async function which(binaries: readonly string[]): Promise<string | undefined> {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')
  const places = (binary: string) =>
    isAbsolute(binary) ? [binary] : folders.map((folder) => join(folder, binary))
  for (const path of binaries.flatMap(places)) {
    if (await passes(access(path, path.endsWith('.so') ? constants.R_OK : constants.X_OK))) return path
  }
  return undefined
}

async function mayInstall(): Promise<boolean> {
  return process.getuid?.() === 0 && (await passes(access('/etc/debian_version')))
}

async function aptInstall(packages: readonly string[]): Promise<void> {
  const apt = (...words: string[]): Promise<boolean> =>
    passes(
      promisify(execFile)('apt-get', ['-q', '-y', '-o', 'DPkg::Lock::Timeout=120', ...words], {
        env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
        timeout: 600_000,
      }),
    )
  const install = ['install', '--no-install-recommends', ...packages]
  // The lists may be there already; fetching them takes longer than most packages.
  if (!(await apt(...install)) && (await apt('update'))) await apt(...install)
}

async function passes(attempt: Promise<unknown>): Promise<boolean> {
  return attempt.then(
    () => true,
    () => false,
  )
}
