import { Answer, aVm, type FakeTask, type FakeVm } from './machines.ts'

export interface FakeStorage {
  shared: boolean
  snapshots: boolean
  /** A folder of files, for storages of type `dir`. */
  path?: string
}

/** The state of the fake: nodes, machines, storages and tasks. */
export interface Farm {
  nodes: Map<string, { isUp: boolean; cpu: string }>
  storages: Map<string, FakeStorage>
  vms: Map<number, FakeVm>
  tasks: Map<string, FakeTask>
  privileges: Set<string>
  /** How many requests a task takes. */
  pace: number
  /** Exit statuses that the next tasks of a type are to have. */
  failing: { type: string; exit: string }[]
  /** Types of tasks that never end by themselves. */
  hanging: Set<string>
  /** What each node has told the others last; lists of the cluster show this. */
  told: Map<number, { name: string; status: string; isTemplate: boolean }>
  /** What the file of a disk on a storage of files holds. */
  disk: Buffer
}

/** The part of a file of the format qcow2 that tells what it is. */
export function qcow2Header(): Buffer {
  const header = Buffer.alloc(104)
  header.write('QFI\xfb', 'latin1')
  header.writeUInt32BE(3, 4)
  header.writeBigUInt64BE(1n << 30n, 24)
  return header
}

let started = 0

export function newFarm(exchange: string): Farm {
  const template = aVm(9000, 'pve1', {
    name: 'slc5',
    cores: '1',
    memory: '2048',
    agent: '1',
    ostype: 'l26',
    scsihw: 'virtio-scsi-single',
    scsi0: 'ceph:base-9000-disk-0,size=8G',
    ide2: 'ceph:vm-9000-cloudinit,media=cdrom',
    net0: 'virtio=BC:24:11:00:00:01,bridge=vmbr0,firewall=1',
    serial0: 'socket',
    boot: 'order=scsi0',
    tags: 'golden',
  })
  template.isTemplate = true
  return {
    nodes: new Map([
      ['pve1', { isUp: true, cpu: 'AMD EPYC 7543' }],
      ['pve2', { isUp: true, cpu: 'AMD EPYC 7543' }],
    ]),
    storages: new Map([
      ['ceph', { shared: true, snapshots: true }],
      ['local-lvm', { shared: false, snapshots: true }],
      ['thick', { shared: true, snapshots: false }],
      ['local', { shared: false, snapshots: false }],
      ['exchange', { shared: true, snapshots: true, path: exchange }],
    ]),
    vms: new Map([[9000, template]]),
    tasks: new Map(),
    privileges: new Set(),
    pace: 2,
    failing: [],
    hanging: new Set(),
    told: new Map(),
    disk: qcow2Header(),
  }
}

/** Tells the cluster what each machine is like, as nodes do every ten seconds. */
export function broadcast({ vms, told }: Farm): void {
  told.clear()
  for (const vm of vms.values()) {
    const name = vm.config.name ?? `VM ${vm.vmid}`
    told.set(vm.vmid, { name, status: vm.qmp ?? 'stopped', isTemplate: vm.isTemplate })
  }
}

/** @throws Answer as the real one does when the file of the machine is not on that node. */
export function vmOn(farm: Farm, node: string, vmid: number): FakeVm {
  const vm = farm.vms.get(vmid)
  if (vm?.node === node) return vm
  throw new Answer(500, `Configuration file 'nodes/${node}/qemu-server/${vmid}.conf' does not exist\n`)
}

export function checkLock(vm: FakeVm, allowed: readonly string[] = []): void {
  const { lock } = vm.config
  if (lock !== undefined && !allowed.includes(lock)) throw new Error(`VM is locked (${lock})`)
}

/** The same, where the call itself says so and no task. */
export function checkLockNow(vm: FakeVm, allowed: readonly string[] = []): void {
  const { lock } = vm.config
  if (lock !== undefined && !allowed.includes(lock)) throw new Answer(500, `VM is locked (${lock})\n`)
}

/** Starts a task: what it does is done when its time is over. */
export function fork(
  farm: Farm,
  task: {
    node: string
    type: string
    id: number
    user: string
    begin?: () => void
    effect: () => void
    undo?: () => void
    log?: string[]
  },
): string {
  const { node, type, id, user, begin, effect, undo = () => {}, log = [] } = task
  started += 1
  const hex = (value: number) => value.toString(16).toUpperCase().padStart(8, '0')
  const upid = `UPID:${node}:${hex(4000 + started)}:${hex(started * 7)}:${hex(1_700_000_000 + started)}:${type}:${id}:${user}:`
  const left = farm.hanging.has(type) ? Infinity : farm.pace
  farm.tasks.set(upid, { upid, node, type, id: String(id), left, log, exit: undefined, begin, effect, undo })
  return upid
}

/** Time passes for the tasks with each request. */
export function tick(farm: Farm): void {
  for (const task of farm.tasks.values()) {
    if (task.exit !== undefined) continue
    task.left -= 1
    const { begin = () => {} } = task
    task.begin = undefined
    const start = exitOf(begin)
    if (start !== 'OK') {
      task.exit = start
      task.log.push(`TASK ERROR: ${start}`)
      continue
    }
    if (task.left > 0) continue
    const index = farm.failing.findIndex(({ type }) => type === task.type)
    const [failure] = index === -1 ? [] : farm.failing.splice(index, 1)
    task.exit = failure?.exit ?? exitOf(task.effect)
    if (task.exit !== 'OK') {
      task.undo()
      task.log.push(`TASK ERROR: ${task.exit}`)
    } else task.log.push('TASK OK')
  }
}

function exitOf(effect: () => void): string {
  try {
    effect()
    return 'OK'
  } catch (error) {
    return error instanceof Error ? error.message.trim() : 'unexpected status'
  }
}

/** Stops a task, as DELETE of it does: it ends as one that was interrupted, and cleans up. */
export function stopTask(task: FakeTask): void {
  if (task.exit !== undefined) return
  task.exit = 'interrupted by signal'
  task.undo()
}
