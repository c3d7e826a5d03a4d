import { checkLock, checkLockNow, fork, vmOn } from './farm.ts'
import { Answer, type FakeVm, isDisc, storageOf, volumesOf } from './machines.ts'
import type { Asked } from './verbs.ts'

const isTrue = (text: string | undefined) => /^(1|true|on|yes)$/i.test(text ?? '')

/** Where HA looks after a machine, the task only tells it: it is done once the task has ended. */
function task(asked: Asked, vm: FakeVm, type: string, effect: () => void, log: string[] = []): string {
  const { farm, node, vmid, user } = asked
  const own = { node, id: vmid, user, type, effect, log }
  if (vm.ha === undefined) return fork(farm, own)
  const told = {
    node,
    id: vmid,
    user,
    type: `ha${type.replace('qm', '')}`,
    effect: () => void fork(farm, own),
  }
  return fork(farm, told)
}

function boot(vm: FakeVm): void {
  Object.assign(vm.config, vm.pending)
  vm.pending = {}
  vm.qmp = 'running'
  vm.writes += 1
  vm.bootingFor = 1
  vm.seconds = 0
}

export function start(asked: Asked): string {
  const vm = vmOn(asked.farm, asked.node, asked.vmid)
  if (vm.isTemplate) throw new Answer(500, "you can't start a vm if it's a template\n")
  return task(asked, vm, 'qmstart', () => {
    checkLock(vm, ['suspended'])
    if (vm.qmp !== undefined) throw new Error(`VM ${vm.vmid} already running`)
    const wasSaved = vm.config.lock === 'suspended'
    const { lock: _lock, vmstate: _vmstate, ...config } = vm.config
    vm.config = config
    if (wasSaved) vm.qmp = 'running'
    else boot(vm)
  })
}

export function stop(asked: Asked): string {
  const vm = vmOn(asked.farm, asked.node, asked.vmid)
  return task(asked, vm, 'qmstop', () => {
    if (vm.qmp === undefined) return
    checkLock(vm)
    halt(vm)
  })
}

function halt(vm: FakeVm): void {
  vm.qmp = undefined
  Object.assign(vm.config, vm.pending)
  vm.pending = {}
}

export function shutdown(asked: Asked): string {
  const vm = vmOn(asked.farm, asked.node, asked.vmid)
  if (vm.qmp === 'paused') throw new Answer(500, 'VM is paused - cannot shutdown\n')
  return task(asked, vm, 'qmshutdown', () => {
    if (vm.qmp === undefined) return
    checkLock(vm)
    const isForced = isTrue(asked.given.get('forceStop'))
    if (vm.ignoresShutdown && !isForced) throw new Error('VM quit/powerdown failed - got timeout')
    halt(vm)
  })
}

export function reset(asked: Asked): string {
  const vm = vmOn(asked.farm, asked.node, asked.vmid)
  if (vm.qmp === undefined) throw new Answer(500, `VM ${vm.vmid} not running\n`)
  return task(asked, vm, 'qmreset', () => {
    checkLock(vm)
    vm.bootingFor = 1
  })
}

export function suspend(asked: Asked): string {
  const vm = vmOn(asked.farm, asked.node, asked.vmid)
  const toDisk = isTrue(asked.given.get('todisk'))
  if (vm.qmp === undefined) throw new Answer(500, `VM ${vm.vmid} not running\n`)
  if (toDisk && vm.ha !== undefined) throw new Answer(500, 'Cannot suspend HA managed VM to disk\n')
  return task(asked, vm, toDisk ? 'qmsuspend' : 'qmpause', () => {
    checkLock(vm)
    if (!toDisk) {
      vm.qmp = 'paused'
      return
    }
    vm.config = { ...vm.config, lock: 'suspended', vmstate: `ceph:vm-${vm.vmid}-state-suspend-2026-01-01` }
    vm.qmp = undefined
  })
}

export function resume(asked: Asked): string {
  const vm = vmOn(asked.farm, asked.node, asked.vmid)
  if (vm.config.lock !== 'suspended' && vm.qmp === undefined)
    throw new Answer(500, `VM ${vm.vmid} not running\n`)
  return task(asked, vm, 'qmresume', () => {
    const { lock: _lock, vmstate: _vmstate, ...config } = vm.config
    vm.config = config
    vm.qmp = 'running'
  })
}

export function checkMigration({ farm, node, vmid }: Asked): object {
  const vm = vmOn(farm, node, vmid)
  checkLockNow(vm)
  const others = [...farm.nodes.keys()].filter((name) => name !== node)
  const local = [...volumesOf(vm)]
    .filter(([slot, volume]) => !isDisc(vm, slot) && farm.storages.get(storageOf(volume))?.shared !== true)
    .map(([, volid]) => ({ volid, size: 8 * 2 ** 30, cdrom: 0, is_unused: 0 }))
  return {
    running: vm.qmp === undefined ? 0 : 1,
    allowed_nodes: others,
    not_allowed_nodes: {},
    local_disks: local,
    local_resources: [],
    'mapped-resources': [],
    'has-dbus-vmstate': 1,
  }
}

export function migrate(asked: Asked): string {
  const { farm, node, vmid, given } = asked
  const vm = vmOn(farm, node, vmid)
  const target = given.get('target') ?? ''
  if (target === node)
    throw new Answer(400, 'Parameter verification failed.\n', { target: 'target is local node.' })
  if (!farm.nodes.has(target)) throw new Answer(500, `no such cluster node '${target}'\n`)
  checkLockNow(vm)
  if (vm.qmp !== undefined && !isTrue(given.get('online'))) {
    throw new Answer(500, "can't migrate running VM without --online\n")
  }
  const log = [
    'starting migration of VM',
    'migration active, transferred 512.0 MiB of 2.0 GiB VM-state, 256.0 MiB/s',
    'migration active, transferred 1.5 GiB of 2.0 GiB VM-state, 256.0 MiB/s',
    'migration finished successfully',
  ]
  const move = () => {
    checkLock(vm)
    vm.node = target
  }
  return task(asked, vm, 'qmigrate', move, log)
}

export function ping({ farm, node, vmid }: Asked): object {
  agentOf(vmOn(farm, node, vmid))
  return { result: {} }
}

export function interfaces({ farm, node, vmid }: Asked): object {
  const vm = vmOn(farm, node, vmid)
  agentOf(vm)
  const ipv4 = { 'ip-address': `10.1.${vmid >> 8}.${vmid & 255}`, 'ip-address-type': 'ipv4', prefix: 16 }
  const local = { 'ip-address': '127.0.0.1', 'ip-address-type': 'ipv4', prefix: 8 }
  const bridge = { 'ip-address': '172.17.0.1', 'ip-address-type': 'ipv4', prefix: 16 }
  return {
    result: [
      { name: 'lo', 'ip-addresses': [local] },
      { name: 'docker0', 'ip-addresses': [bridge] },
      {
        name: 'eth0',
        'ip-addresses': [{ 'ip-address': 'fe80::1', 'ip-address-type': 'ipv6', prefix: 64 }, ipv4],
      },
    ],
  }
}

/** @throws Answer while the guest boots. */
function agentOf(vm: FakeVm): void {
  if (vm.config.agent === undefined) throw new Answer(500, 'No QEMU guest agent configured\n')
  if (vm.qmp === undefined) throw new Answer(500, `VM ${vm.vmid} is not running\n`)
  if (vm.bootingFor === 0) return
  vm.bootingFor -= 1
  throw new Answer(500, 'QEMU guest agent is not running\n')
}
