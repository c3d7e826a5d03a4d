import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkLock, checkLockNow, type Farm, fork, vmOn } from './farm.ts'
import { Answer, aVm, type FakeVm, isDisc, storageOf, volumesOf } from './machines.ts'

/** A call that got through: its path's words, its parameters, who asks. */
export interface Asked {
  farm: Farm
  node: string
  vmid: number
  name: string
  given: ReadonlyMap<string, string>
  user: string
}

const isTrue = (text: string | undefined) => /^(1|true|on|yes)$/i.test(text ?? '')

export function clone(asked: Asked): string {
  const { farm, node, vmid, given, user } = asked
  const source = vmOn(farm, node, vmid)
  checkLockNow(source)
  const newid = Number(given.get('newid'))
  const isFull = given.has('full') ? isTrue(given.get('full')) : !source.isTemplate
  const storage = given.get('storage')
  if (!isFull && storage !== undefined)
    throw new Answer(500, "parameter 'storage' not allowed for linked clones\n")
  if (!isFull && !source.isTemplate)
    throw new Answer(500, `Linked clone feature is not supported for '${vmid}'\n`)
  if (storage !== undefined && !farm.storages.has(storage))
    throw new Answer(500, `storage '${storage}' does not exist\n`)
  if (farm.vms.has(newid)) throw new Answer(500, `unable to create VM ${newid}: config file already exists\n`)
  const target = given.get('target') ?? node
  const shared = [...volumesOf(source).values()].every(
    (volume) => farm.storages.get(storageOf(volume))?.shared === true,
  )
  if (target !== node && !shared)
    throw new Answer(500, `can't clone VM to node '${target}' (VM uses local storage)\n`)
  return fork(farm, {
    ...{ node, type: 'qmclone', id: vmid, user },
    begin() {
      if (farm.vms.has(newid)) throw new Error(`unable to create VM ${newid}: config file already exists`)
      // Until it is done, the file of the new one says nothing but that.
      farm.vms.set(newid, aVm(newid, node, { lock: 'clone' }))
    },
    effect: () => farm.vms.set(newid, copyOf(farm, source, { newid, target, isFull, storage, given })),
    undo: () => farm.vms.delete(newid),
  })
}

function copyOf(
  farm: Farm,
  source: FakeVm,
  wanted: {
    newid: number
    target: string
    isFull: boolean
    storage: string | undefined
    given: Asked['given']
  },
): FakeVm {
  const { newid, target, isFull, storage, given } = wanted
  const { lock: _lock, vmstate: _vmstate, ...config } = source.config
  const made = aVm(newid, target, config)
  for (const [slot, volume] of volumesOf(source)) {
    const isCloudInit = volume.includes('cloudinit')
    if (isDisc(source, slot) && !isCloudInit) continue
    const place = isFull ? (storage ?? storageOf(volume)) : storageOf(volume)
    const number = slot.replace(/\D/g, '')
    const file = farm.storages.get(place)?.path
    const format = given.get('format') ?? 'raw'
    const own =
      file === undefined ? `vm-${newid}-disk-${number}` : `${newid}/vm-${newid}-disk-${number}.${format}`
    const base = isFull ? '' : `${volume.slice(volume.indexOf(':') + 1)}/`
    const rest = (source.config[slot] ?? '').split(',').slice(1)
    const name = isCloudInit ? `${place}:vm-${newid}-cloudinit` : `${place}:${base}${own}`
    made.config[slot] = [name, ...rest].join(',')
    if (file !== undefined && !isCloudInit) {
      mkdirSync(join(file, 'images', String(newid)), { recursive: true })
      writeFileSync(join(file, 'images', own), farm.disk)
    }
  }
  for (const slot of Object.keys(made.config).filter((key) => /^net\d+$/.test(key))) {
    made.config[slot] = (made.config[slot] ?? '').replace(
      /([0-9A-F]{2}:){5}[0-9A-F]{2}/i,
      `BC:24:11:FF:00:${String(newid % 90).padStart(2, '0')}`,
    )
  }
  made.config.smbios1 = `uuid=${randomUUID()}`
  made.config.name = given.get('name') ?? `Copy-of-VM-${source.config.name ?? ''}`
  const description = given.get('description')
  if (description !== undefined) made.config.description = description
  made.writes = source.writes
  return made
}

export function create({ farm, node, given, user }: Asked): string {
  const vmid = Number(given.get('vmid'))
  if (farm.vms.has(vmid))
    throw new Answer(500, `unable to create VM ${vmid} - VM ${vmid} already exists on node '${node}'\n`)
  const made = aVm(vmid, node, { lock: 'create' })
  farm.vms.set(vmid, made)
  const { vmid: _vmid, pool: _pool, ...options } = Object.fromEntries(given)
  return fork(farm, {
    ...{ node, type: 'qmcreate', id: vmid, user },
    effect() {
      const config = Object.fromEntries(
        Object.entries(options).map(([key, value]) => [key, placed(farm, vmid, key, value)]),
      )
      farm.vms.set(vmid, aVm(vmid, node, { ...config, smbios1: `uuid=${randomUUID()}` }))
    },
    undo: () => farm.vms.delete(vmid),
  })
}

/** `STORAGE:8` is a new disk of 8 GB, `STORAGE:0,import-from=VOLUME` a copy of one, `STORAGE:cloudinit` a drive. */
function placed(farm: Farm, vmid: number, slot: string, value: string): string {
  if (!/^(scsi|virtio|sata|ide)\d+$/.test(slot) || /media=cdrom/.test(value)) return value
  const [first = '', ...rest] = value.split(',')
  const [storage = '', what = ''] = first.split(':')
  if (!farm.storages.has(storage)) throw new Error(`storage '${storage}' does not exist`)
  if (what === 'cloudinit') return `${storage}:vm-${vmid}-cloudinit,media=cdrom`
  if (!/^\d+$/.test(what)) return value
  const from = rest.find((part) => part.startsWith('import-from='))?.slice('import-from='.length)
  const number = slot.replace(/\D/g, '')
  if (from !== undefined) checkImport(farm, from)
  const size = from === undefined ? `${what}G` : '8G'
  return `${storage}:vm-${vmid}-disk-${number},size=${size}`
}

function checkImport(farm: Farm, volume: string): void {
  const { path } = farm.storages.get(storageOf(volume)) ?? {}
  const name = volume.slice(volume.indexOf(':') + 1)
  if (name.startsWith('import/')) {
    const isThere = path !== undefined && existsSync(join(path, name))
    if (!isThere || readFileSync(join(path, name)).toString('latin1', 0, 4) !== 'QFI\xfb') {
      throw new Error(`cannot import from '${volume}' - volume does not exist or is no qcow2`)
    }
    return
  }
  const isKnown = [...farm.vms.values()].some((vm) => [...volumesOf(vm).values()].includes(volume))
  if (!isKnown) throw new Error(`cannot import from '${volume}' - volume does not exist`)
}

const hotplugged = new Set(['description', 'tags', 'name'])

export function configure({ farm, node, vmid, given }: Asked): null {
  const vm = vmOn(farm, node, vmid)
  const { delete: deleted = '', ...options } = Object.fromEntries(given)
  const gone = deleted.split(/[,; ]+/).filter((key) => key !== '')
  if (gone.length + Object.keys(options).length === 0) throw new Answer(500, 'no options specified\n')
  checkLockNow(vm, gone.includes('vmstate') ? ['suspended'] : [])
  if (options.sshkeys !== undefined) checkKeys(decodeURIComponent(options.sshkeys))
  const balloon = Number(gone.includes('balloon') ? 0 : (options.balloon ?? vm.config.balloon ?? 0))
  if (options.memory !== undefined && balloon > Number(options.memory)) {
    throw new Answer(500, 'balloon value too large (must be smaller than assigned memory)\n')
  }
  for (const [key, value] of Object.entries(options)) {
    if (vm.config[key] === value) continue
    const where = vm.qmp === undefined || hotplugged.has(key) ? vm.config : vm.pending
    where[key] = placed(farm, vmid, key, value)
  }
  const next = { ...vm.config }
  for (const key of gone) Reflect.deleteProperty(next, key)
  if (gone.includes('vmstate')) Reflect.deleteProperty(next, 'lock')
  vm.config = next
  return null
}

function checkKeys(text: string): void {
  const wrong = text.split('\n').find((line) => !/^\S+ [A-Za-z0-9+/=]+( .*)?$/.test(line))
  if (wrong !== undefined) throw new Answer(500, 'SSH public key validation error\n')
}

export function destroy({ farm, node, vmid, user }: Asked): string {
  const vm = vmOn(farm, node, vmid)
  if (vm.config.protection === '1')
    throw new Answer(500, `can't remove VM ${vmid} - protection mode enabled\n`)
  if (vm.qmp !== undefined) throw new Answer(500, `VM ${vmid} is running - destroy failed\n`)
  return fork(farm, {
    ...{ node, type: 'qmdestroy', id: vmid, user },
    effect() {
      checkLock(vm, ['suspended'])
      for (const volume of volumesOf(vm).values()) {
        const base = `${volume.slice(volume.indexOf(':') + 1)}/`
        const isUsed = [...farm.vms.values()].some((other) =>
          [...volumesOf(other).values()].some((one) => one.slice(one.indexOf(':') + 1).startsWith(base)),
        )
        if (vm.isTemplate && isUsed)
          throw new Error(`base volume '${volume}' is still in use by linked cloned`)
        const { path } = farm.storages.get(storageOf(volume)) ?? {}
        if (path !== undefined) rmSync(join(path, 'images', String(vmid)), { recursive: true, force: true })
      }
      farm.vms.delete(vmid)
    },
  })
}

export function template({ farm, node, vmid, user }: Asked): string {
  const vm = vmOn(farm, node, vmid)
  checkLockNow(vm)
  if (vm.snapshots.size > 0)
    throw new Answer(500, 'unable to create template, because VM contains snapshots\n')
  if (vm.isTemplate) throw new Answer(500, "you can't convert a template to a template\n")
  if (vm.qmp !== undefined) throw new Answer(500, "you can't convert a VM to template if VM is running\n")
  return fork(farm, {
    ...{ node, type: 'qmtemplate', id: vmid, user },
    effect() {
      vm.isTemplate = true
      for (const [slot, volume] of volumesOf(vm)) {
        vm.config[slot] = (vm.config[slot] ?? '').replace(volume, volume.replace('vm-', 'base-'))
      }
    },
  })
}

export function takeSnapshot({ farm, node, vmid, given, user }: Asked): string {
  const vm = vmOn(farm, node, vmid)
  const name = given.get('snapname') ?? ''
  if (name === 'current' || name === 'pending')
    throw new Answer(500, `unable to use snapshot name '${name}' (reserved name)\n`)
  const hasMemory = isTrue(given.get('vmstate')) && vm.qmp !== undefined
  return fork(farm, {
    ...{ node, type: 'qmsnapshot', id: vmid, user },
    effect() {
      checkLock(vm)
      if (vm.isTemplate) throw new Error("you can't take a snapshot if it's a template")
      if (vm.snapshots.has(name)) throw new Error(`snapshot name '${name}' already used`)
      const can = [...volumesOf(vm)].every(
        ([slot, volume]) => isDisc(vm, slot) || farm.storages.get(storageOf(volume))?.snapshots === true,
      )
      if (!can) throw new Error('snapshot feature is not available')
      const snaptime = 1_700_000_000 + vm.snapshots.size
      const description = given.get('description') ?? ''
      vm.snapshots.set(name, {
        config: { ...vm.config },
        description,
        snaptime,
        hasMemory,
        writes: vm.writes,
      })
    },
  })
}

export function dropSnapshot({ farm, node, vmid, name, user }: Asked): string {
  const vm = vmOn(farm, node, vmid)
  return fork(farm, {
    ...{ node, type: 'qmdelsnapshot', id: vmid, user },
    effect() {
      checkLock(vm)
      if (!vm.snapshots.delete(name)) throw new Error(`snapshot '${name}' does not exist`)
    },
  })
}

export function rollBack({ farm, node, vmid, name, given, user }: Asked): string {
  const vm = vmOn(farm, node, vmid)
  return fork(farm, {
    ...{ node, type: 'qmrollback', id: vmid, user },
    effect() {
      checkLock(vm)
      const snapshot = vm.snapshots.get(name)
      if (snapshot === undefined) throw new Error(`snapshot '${name}' does not exist`)
      // The description is kept; everything else is as it was then.
      const { description } = vm.config
      vm.config = { ...snapshot.config, ...(description === undefined ? {} : { description }) }
      vm.pending = {}
      vm.writes = snapshot.writes
      vm.qmp = snapshot.hasMemory || isTrue(given.get('start')) ? 'running' : undefined
    },
  })
}
