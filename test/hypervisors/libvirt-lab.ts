import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { randomInt, randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import type { Hypervisor } from '../../src/hypervisors/hypervisor.ts'
import { libvirt } from '../../src/hypervisors/libvirt.ts'
import { LibvirtRule } from '../../src/hypervisors/libvirt/rule.ts'
import { type Component, component } from '../components.ts'

const run = promisify(execFile)

/** A real libvirtd with real QEMU, in namespaces of its own: nothing of it is seen outside, and all of it goes at once. */
export interface Daemon {
  uri: string
  /** Ends it as a power cut would, with every machine on it. */
  kill(): Promise<void>
}

export interface Lab {
  folder: string
  /** For files that come and go; empty for each test. */
  exchange: string
  /** As the driver is told of it, with the hosts `hosta` and, where two were asked for, `hostb`. */
  rule: LibvirtRule
  daemons: Daemon[]
  open(changes?: object): Hypervisor
  /** Takes away all machines and images, for the next test. */
  clear(): Promise<void>
  close(): Promise<void>
}

/** What the lab needs, or how it would come to it. It needs root besides, for namespaces. */
export async function labComponents(): Promise<Component> {
  const found = await Promise.all(
    (['libvirt', 'qemu', 'qemuImg', 'virsh', 'xorriso'] as const).map((name) =>
      component(name, { install: true }),
    ),
  )
  return found.find((one) => !one.available) ?? found[0] ?? { available: false, remedy: '' }
}

/**
 * Starts libvirt on one or two hosts. `/dev/kvm` is never used: where tests run it may be there and not work.
 * @param hosts how many, each under a host name of its own
 */
export async function openLab(hosts: 1 | 2 = 1): Promise<Lab> {
  const folder = await mkdtemp(join(tmpdir(), 'libvirt-lab-'))
  const shared = join(folder, 'shared')
  const exchange = join(shared, 'exchange')
  await mkdir(exchange, { recursive: true })
  await writeTinyGuest(join(folder, 'tiny.qcow2'))
  const names = ['hosta', 'hostb'].slice(0, hosts)
  const daemons = await Promise.all(names.map((name) => startDaemon(join(folder, name), name)))
  const rule = LibvirtRule.parse({
    name: 'lab',
    kind: 'libvirt',
    folder: shared,
    trustFolder: true,
    accel: 'tcg',
    network: 'user',
    address: { from: 'name', domain: 'lab.example' },
    shutdown: 'PT20S',
    templates: { slc5: { disk: join(folder, 'tiny.qcow2'), machine: 'pc', agent: false } },
    hosts: names.map((name, index) => ({
      name,
      uri: daemons[index]?.uri,
      slots: 40,
      migration: { uri: 'tcp://127.0.0.1', listen: '127.0.0.1' },
    })),
  })
  return {
    folder,
    exchange,
    rule,
    daemons,
    open: (changes = {}) => libvirt({ ...rule, ...changes }, { clock: systemClock, log: silentLog }),
    async clear() {
      await Promise.all(daemons.map(({ uri }) => removeAll(uri)))
      await rm(shared, { recursive: true, force: true })
      await mkdir(exchange, { recursive: true })
    },
    async close() {
      await Promise.all(daemons.map((daemon) => daemon.kill()))
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/**
 * libvirt's test driver, which keeps what it is told for as long as somebody is connected: whoever holds it does so by
 * listening to its events. It begins with a domain of its own, which goes.
 */
export async function openMock(lab: Lab): Promise<Daemon> {
  const uri = (lab.daemons[0]?.uri ?? '').replace('qemu+unix:///system', 'test+unix:///default')
  const holder = spawn('virsh', ['-c', uri, 'event', '--all', '--loop'], { stdio: 'ignore' })
  const gone = once(holder, 'exit')
  // As long as nobody holds it, it is back at the next call.
  while ((await uuidsOf(uri)).length > 0) await removeAll(uri)
  return {
    uri,
    async kill() {
      holder.kill('SIGKILL')
      await gone
    },
  }
}

/** All that is on a host, whoever made it. */
export async function removeAll(uri: string): Promise<void> {
  const virsh = (...words: string[]) => run('virsh', ['-q', '-c', uri, ...words])
  await Promise.all(
    (await uuidsOf(uri)).map(async (uuid) => {
      await virsh('destroy', uuid).catch(() => undefined)
      await virsh('undefine', uuid, '--managed-save', '--snapshots-metadata').catch(() => undefined)
    }),
  )
}

async function uuidsOf(uri: string): Promise<string[]> {
  const { stdout } = await run('virsh', ['-q', '-c', uri, 'list', '--all', '--uuid'])
  return stdout.split('\n').filter((line) => line !== '')
}

/** Its first process is a shell, which buries at once what libvirt leaves behind: without one each stop takes a second. */
const start = `
set -e
exec >"$1/log" 2>&1
hostname "$2"
mount --make-rprivate /
mkdir -p "$1/etc" "$1/run" "$1/lock" "$1/lib/qemu" /run/libvirt /run/lock
cp -a /etc/libvirt/. "$1/etc/"
cp "$1/qemu.conf" "$1/etc/qemu.conf"
mount --bind "$1/run" /run/libvirt
mount --bind "$1/lib" /var/lib/libvirt
# Where each notes which serial lines it holds.
mount --bind "$1/lock" /run/lock
mount --bind "$1/etc" /etc/libvirt
/usr/sbin/libvirtd --config "$1/libvirtd.conf" --pid-file "$1/pid" &
wait $!
`

async function startDaemon(folder: string, name: string): Promise<Daemon> {
  await mkdir(folder)
  await writeFile(join(folder, 'qemu.conf'), qemuConf + ports())
  await writeFile(join(folder, 'libvirtd.conf'), daemonConf(folder))
  const apart = ['--mount', '--uts', '--pid', '--fork', '--kill-child', '--mount-proc']
  const child = spawn('unshare', [...apart, 'bash', '-c', start, 'start', folder, name], { stdio: 'ignore' })
  const gone = once(child, 'exit')
  const uri = `qemu+unix:///system?socket=${folder}/libvirt-sock`
  // The first start on a machine looks at every QEMU that there is, which takes seconds.
  for (let tries = 0; !(await answers(uri)); tries++) {
    if (tries > 600 || child.exitCode !== null) throw new Error(await readFile(join(folder, 'log'), 'utf8'))
    await pause(100)
  }
  return {
    uri,
    async kill() {
      child.kill('SIGKILL')
      await gone
    },
  }
}

async function answers(uri: string): Promise<boolean> {
  return run('virsh', ['-q', '-c', uri, 'version']).then(
    () => true,
    () => false,
  )
}

const qemuConf = `
user = "root"
group = "root"
dynamic_ownership = 0
security_driver = "none"
namespaces = []
cgroup_controllers = []
stdio_handler = "file"
vnc_listen = "127.0.0.1"
`

/** Ports of its own for each daemon: all of them are on this machine, and do not ask one another. */
function ports(): string {
  const [screens, moves] = [6000 + randomInt(200) * 100, 40_000 + randomInt(200) * 100]
  return `
remote_display_port_min = ${screens}
remote_display_port_max = ${screens + 99}
migration_port_min = ${moves}
migration_port_max = ${moves + 99}
`
}

function daemonConf(folder: string): string {
  return `
unix_sock_dir = "${folder}"
unix_sock_rw_perms = "0700"
auth_unix_ro = "none"
auth_unix_rw = "none"
host_uuid = "${randomUUID()}"
max_clients = 200
max_workers = 20
`
}

/**
 * A guest of 512 bytes that boots in a tenth of a second: it says its name on the serial line and the screen, sends back
 * what it is sent, and switches itself off when the power button is pressed (ACPI, as QEMU's `pc` has it).
 */
async function writeTinyGuest(file: string): Promise<void> {
  const raw = `${file}.raw`
  const sector = Buffer.alloc(1024 * 1024)
  tinyGuest().copy(sector)
  await writeFile(raw, sector)
  await run('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', raw, file])
  await rm(raw)
}

/** x86 in real mode, as assembled from the words beside it. */
function tinyGuest(): Buffer {
  const code = [
    'fa31c08ed88ed0bc0070fb', // no data segment, a stack below, interrupts on
    'ba0206b80001ef', // PM1_EN (0x602): the power button counts
    'be487c', // each letter of what follows the code,
    'ac84c0740dbaf803eeb40ebb0700cd10ebee', // to the serial line (0x3f8) and the screen (int 10h)
    'f4', // until the next interrupt, 18 times a second:
    'bafd03eca8017405baf803ecee', // what came on the serial line goes back
    'ba0006eda9000174e9', // PM1_STS (0x600): was the button pressed?
    'ba0406b80020ef', // PM1_CNT (0x604): off (S5)
    'f4ebfd',
  ].join('')
  const sector = Buffer.alloc(512)
  Buffer.concat([Buffer.from(code, 'hex'), Buffer.from('jackdaw guest\r\n\0')]).copy(sector)
  sector.writeUInt16LE(0xaa55, 510)
  return sector
}

/** What `virsh` prints of a host, for what the driver does not tell. */
export async function virshOf(uri: string, words: readonly string[]): Promise<string> {
  return (await run('virsh', ['-q', '-c', uri, ...words])).stdout.trim()
}
