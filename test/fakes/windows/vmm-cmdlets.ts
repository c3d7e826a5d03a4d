import { randomUUID } from 'node:crypto'
import { basename } from 'node:path'
import { exists, type Files, notFound } from './files.ts'
import type { Arguments, Cmdlet, Context } from './interpret.ts'
import { isThing, PsError, textOf, type Thing, thing, type Value } from './values.ts'

/** A machine as VMM keeps it, on a host or stored in the library. */
export interface VmmVm {
  id: string
  name: string
  description: string
  state: string
  /** VMM's other word for it, where it is another. */
  health?: string
  host: string | null
  cpus: number
  memory: number
  disks: { name: string; content: string; size: number }[]
  nic: { mac: string; network: string }
  disc: string
  checkpoints: {
    id: string
    name: string
    state: string
    cpus: number
    memory: number
    description: string
  }[]
  guest: { ignoresShutdown: boolean }
}

export interface VmmHost {
  name: string
  isResponding: boolean
  /** What Get-SCVMHostRating says of it. */
  rating: { stars: number; transfer: string; reasons: string[] }
}

export interface VmmWorld {
  vms: VmmVm[]
  hosts: VmmHost[]
  templates: string[]
  /** Disks of the library that VMM has seen, with their paths. */
  disks: { name: string; path: string }[]
  isos: { name: string; path: string }[]
  files: Files
  /** The folder behind the library's share. */
  folder: string
  /** Makes the next job of this cmdlet fail. */
  failing: Map<string, { code: number; problem: string }>
}

export const share = '\\\\vmm.test\\MSSCVMMLibrary'

/** An error as VMM's cmdlets give it: its number, then the class. */
export function vmmError(code: number, message: string, category = 'InvalidArgument'): PsError {
  return new PsError(`${code},Microsoft.SystemCenter.VirtualMachineManager.Cmdlets`, message, category)
}

const text = (given: Arguments, name: string): string => textOf(given.get(name) ?? null)

/** What a handle that a cmdlet gave stands for. */
const behind = new WeakMap<Thing, unknown>()

function handle(kind: string, what: unknown, members: Record<string, Value>): Thing {
  const made = thing(kind, members)
  behind.set(made, what)
  return made
}

function isVm(what: unknown): what is VmmVm {
  return typeof what === 'object' && what !== null && 'checkpoints' in what
}

function vmOf(value: Value | undefined): VmmVm {
  const what = value !== undefined && isThing(value) ? behind.get(value) : undefined
  if (isVm(what)) return what
  throw new PsError(
    'ParameterArgumentValidationErrorNullNotAllowed',
    'Cannot bind argument to parameter VM because it is null.',
    'InvalidData',
  )
}

const guid = (id: string): Thing => thing('Guid', { ToString: () => id })
const word = (name: string): Thing => thing('Enum', { ToString: () => name })

function vmThing(vm: VmmVm, index: number): Thing {
  return handle('VM', vm, {
    ...{ ID: guid(vm.id), Name: vm.name, Description: vm.description, CPUCount: vm.cpus, Memory: vm.memory },
    ...{ VirtualMachineState: word(vm.state), Status: word(vm.health ?? vm.state), HostName: vm.host },
    ...{ TotalSize: 4 * 2 ** 30, CPUUtilization: vm.state === 'Running' ? 4 : 0, VMId: vm.id.toUpperCase() },
    Place: index,
  })
}

/**
 * The cmdlets of VMM that we use, with the parameter sets of their reference (System Center 2019) as far as we use them.
 * Whatever changes a machine is a job, with `-RunAsynchronously`: it is done when its state is looked at a second time.
 */
export function vmmCmdlets(world: VmmWorld): ReadonlyMap<string, Cmdlet> {
  const all: Record<string, Cmdlet> = {
    ...asking(world),
    ...machines(world),
    ...devices(world),
    ...library(world),
    ...windows(world),
  }
  return new Map(Object.entries(all).map(([name, one]) => [name.toLowerCase(), { className: 'VMM', ...one }]))
}

const background = 'RunAsynchronously? JobVariable'

/** A cmdlet whose work is a job. Without `-RunAsynchronously` it would block until that is over, which none of ours does. */
function jobOf(
  world: VmmWorld,
  name: string,
  sets: string[],
  check: (given: Arguments) => (() => void) | { until: () => boolean; work: () => void },
): Cmdlet {
  return {
    sets: sets.map((set) => `${set} ${background}`),
    run(given, context: Context) {
      const planned = check(given)
      if (!given.has('runasynchronously')) throw new Error(`${name} would block`)
      const job = { looks: 0, isOver: false, failure: world.failing.get(name) }
      world.failing.delete(name)
      const { until, work } = typeof planned === 'function' ? { until: () => true, work: planned } : planned
      const id = randomUUID()
      jobs.set(id, () => {
        job.looks += 1
        if (!job.isOver && job.looks > 1 && until()) {
          job.isOver = true
          if (job.failure === undefined) work()
        }
        const status = !job.isOver ? 'Running' : job.failure === undefined ? 'Completed' : 'Failed'
        const { code = 0, problem = '' } = job.failure ?? {}
        const error = thing('ErrorInfo', { DisplayableErrorCode: code, Problem: problem })
        return thing('Task', {
          ID: guid(id),
          IsCompleted: job.isOver,
          Status: word(status),
          Progress: Math.min(100, job.looks * 60),
          ErrorInfo: error,
        })
      })
      context.set(text(given, 'jobvariable'), thing('Task', { ID: guid(id) }))
      return undefined
    },
  }
}

const jobs = new Map<string, () => Thing>()

function asking(world: VmmWorld): Record<string, Cmdlet> {
  return {
    'Import-Module': { sets: ['*Name'], run: () => undefined },
    'Get-SCVMMServer': { sets: ['*ComputerName'], run: () => thing('ServerConnection', {}) },
    'Get-SCJob': {
      sets: ['*ID'],
      run(given) {
        const look = jobs.get(text(given, 'id'))
        if (look === undefined) throw vmmError(801, 'VMM cannot find job.')
        return look()
      },
    },
    'Get-SCVirtualMachine': {
      sets: ['*All?', '*ID'],
      run(given) {
        if (given.has('all')) return world.vms.map(vmThing)
        const at = world.vms.findIndex(({ id }) => id === text(given, 'id'))
        const vm = world.vms[at]
        if (vm === undefined) throw vmmError(801, 'VMM cannot find VirtualMachine object.')
        return vmThing(vm, at)
      },
    },
    'Get-SCVMHost': {
      sets: ['ComputerName'],
      run(given) {
        const wanted = given.has('computername') ? text(given, 'computername').toLowerCase() : undefined
        const found = world.hosts.filter(({ name }) => wanted === undefined || name.toLowerCase() === wanted)
        if (found.length === 0)
          throw vmmError(404, `The host ${wanted ?? ''} was not found.`, 'ObjectNotFound')
        return found.map((host) =>
          handle('Host', host, {
            ...{
              Name: host.name,
              LogicalProcessorCount: host.isResponding ? 16 : 0,
              HyperVVersionString: '10.0.20348.1',
            },
            CommunicationStateString: host.isResponding ? 'Responding' : 'Not Responding',
            TotalMemory: host.isResponding ? 77_297_573_888 : 0,
          }),
        )
      },
    },
    'Get-SCVMTemplate': {
      sets: [''],
      run: () => world.templates.map((Name) => handle('Template', Name, { Name })),
    },
    'Get-SCVMHostRating': {
      sets: ['*VM *VMHost *DiskSpaceGB *VMName IsMigration?', '*VM *VMHost IsMigration?'],
      run(given) {
        const { rating } = hostOf(given.get('vmhost'))
        return thing('HostRating', {
          Rating: rating.stars,
          TransferType: word(rating.transfer),
          ZeroRatingReasonList: rating.reasons,
        })
      },
    },
    'Get-CimInstance': {
      sets: ['*ComputerName *Namespace *ClassName'],
      run: () =>
        world.vms.map(({ id }) =>
          thing('Msvm_ComputerSystem', { Name: id.toUpperCase(), OnTimeInMilliseconds: 61_500 }),
        ),
    },
  }
}

function hostOf(value: Value | undefined): VmmHost {
  const what = value !== undefined && isThing(value) ? behind.get(value) : undefined
  if (typeof what === 'object' && what !== null && 'rating' in what) {
    const found = what
    if (isHost(found)) return found
  }
  throw new PsError(
    'ParameterBinding',
    'Cannot bind argument to parameter VMHost because it is null.',
    'InvalidData',
  )
}

function isHost(what: object): what is VmmHost {
  return 'isResponding' in what && 'rating' in what
}

function aVm(name: string, host: string | null): VmmVm {
  return {
    ...{ id: randomUUID(), name, description: '', state: 'PowerOff', host, cpus: 1, memory: 512, disc: '' },
    ...{ disks: [], nic: { mac: '', network: '' }, checkpoints: [], guest: { ignoresShutdown: false } },
  }
}

function machines(world: VmmWorld): Record<string, Cmdlet> {
  const from = (given: Arguments, states: readonly string[]): VmmVm => {
    const vm = vmOf(given.get('vm'))
    if (!states.includes(vm.state))
      throw vmmError(10616, `The virtual machine ${vm.name} is ${vm.state}.`, 'InvalidOperation')
    return vm
  }
  const becomes = (name: string, states: readonly string[], state: string) =>
    jobOf(world, name, ['*VM'], (given) => {
      const vm = from(given, states)
      return () => void (vm.state = state)
    })
  return {
    'New-SCVMConfiguration': {
      sets: ['*VMTemplate *Name'],
      run: (given) =>
        handle(
          'Configuration',
          { template: behind.get(asThing(given.get('vmtemplate'))), host: '' },
          { Name: text(given, 'name') },
        ),
    },
    'Set-SCVMConfiguration': {
      sets: ['*VMConfiguration VMHost VMLocation ComputerName'],
      run(given) {
        const what = behind.get(asThing(given.get('vmconfiguration')))
        if (isConfiguration(what)) what.host = hostOf(given.get('vmhost')).name
        return undefined
      },
    },
    'Update-SCVMConfiguration': { sets: ['*VMConfiguration'], run: () => undefined },
    'New-SCVirtualMachine': jobOf(
      world,
      'New-SCVirtualMachine',
      [
        '*Name *VMConfiguration',
        '*Name *VM *VMHost *Path',
        '*Name *VM *LibraryServer *SharePath',
        '*Name *VMHost *Path *VirtualHardDisk',
      ],
      (given) => {
        const name = text(given, 'name')
        if (given.has('vmconfiguration')) {
          const what = behind.get(asThing(given.get('vmconfiguration')))
          if (!isConfiguration(what)) throw new Error('no configuration')
          return () =>
            add({
              ...aVm(name, what.host),
              disks: [{ name: `${name}_disk_1`, content: String(what.template), size: 40 * 2 ** 30 }],
            })
        }
        if (given.has('virtualharddisk')) {
          const disk = String(behind.get(asThing(given.get('virtualharddisk'))))
          return () =>
            add({
              ...aVm(name, hostOf(given.get('vmhost')).name),
              disks: [{ name: disk, content: disk, size: 40 * 2 ** 30 }],
            })
        }
        const source = vmOf(given.get('vm'))
        if (!['PowerOff', 'Stored'].includes(source.state))
          throw vmmError(10616, `${source.name} is ${source.state}.`, 'InvalidOperation')
        const copy = { disks: source.disks.map((disk) => ({ ...disk })) }
        if (given.has('libraryserver')) return () => add({ ...aVm(name, null), ...copy, state: 'Stored' })
        return () => add({ ...aVm(name, hostOf(given.get('vmhost')).name), ...copy })
      },
    ),
    'Set-SCVirtualMachine': jobOf(
      world,
      'Set-SCVirtualMachine',
      ['*VM Name Description CPUCount MemoryMB'],
      (given) => {
        const vm = vmOf(given.get('vm'))
        if (given.has('cpucount') && vm.state !== 'PowerOff')
          throw vmmError(10616, 'Stop it first.', 'InvalidOperation')
        return () => {
          if (given.has('name')) vm.name = text(given, 'name')
          if (given.has('description')) vm.description = text(given, 'description')
          if (given.has('cpucount'))
            Object.assign(vm, { cpus: Number(given.get('cpucount')), memory: Number(given.get('memorymb')) })
        }
      },
    ),
    'Start-SCVirtualMachine': becomes('Start-SCVirtualMachine', ['PowerOff', 'Saved'], 'Running'),
    'Resume-SCVirtualMachine': becomes('Resume-SCVirtualMachine', ['Paused'], 'Running'),
    'Reset-SCVirtualMachine': becomes('Reset-SCVirtualMachine', ['Running'], 'Running'),
    'Stop-SCVirtualMachine': jobOf(
      world,
      'Stop-SCVirtualMachine',
      ['*VM Shutdown?', '*VM *SaveState?', '*VM *DiscardSavedState?', '*VM *Force?'],
      (given) => {
        if (given.has('savestate')) {
          const vm = from(given, ['Running', 'Paused'])
          return () => void (vm.state = 'Saved')
        }
        if (given.has('discardsavedstate')) {
          const vm = from(given, ['Saved'])
          return () => void (vm.state = 'PowerOff')
        }
        const vm = from(given, given.has('force') ? ['Running', 'Paused'] : ['Running'])
        return {
          until: () => given.has('force') || !vm.guest.ignoresShutdown,
          work: () => void (vm.state = 'PowerOff'),
        }
      },
    ),
    'Remove-SCVirtualMachine': jobOf(world, 'Remove-SCVirtualMachine', ['*VM Force?'], (given) => {
      const vm = from(given, ['PowerOff', 'Stored', 'CreationFailed'])
      return () => void world.vms.splice(world.vms.indexOf(vm), 1)
    }),
    'Move-SCVirtualMachine': jobOf(world, 'Move-SCVirtualMachine', ['*VM *VMHost *Path'], (given) => {
      const [vm, host] = [vmOf(given.get('vm')), hostOf(given.get('vmhost'))]
      if (vm.state === 'Running' && !/live/i.test(host.rating.transfer))
        throw vmmError(12711, 'It runs and cannot move live.')
      return () => void (vm.host = host.name)
    }),
    ...checkpoints(world),
  }

  function add(vm: VmmVm): void {
    world.vms.push(vm)
  }
}

function asThing(value: Value | undefined): Thing {
  if (value !== undefined && isThing(value)) return value
  throw new PsError('ParameterBinding', 'Cannot bind a null argument.', 'InvalidData')
}

function isConfiguration(what: unknown): what is { template: unknown; host: string } {
  return typeof what === 'object' && what !== null && 'template' in what && 'host' in what
}

function checkpoints(world: VmmWorld): Record<string, Cmdlet> {
  const find = (value: Value | undefined) => {
    const what = behind.get(asThing(value))
    for (const vm of world.vms) {
      const checkpoint = vm.checkpoints.find((one) => one === what)
      if (checkpoint !== undefined) return { vm, checkpoint }
    }
    throw vmmError(801, 'VMM cannot find VMCheckpoint object.')
  }
  return {
    'New-SCVMCheckpoint': jobOf(world, 'New-SCVMCheckpoint', ['*VM Name Description'], (given) => {
      const vm = vmOf(given.get('vm'))
      const { state, cpus, memory, description } = vm
      return () =>
        void vm.checkpoints.push({
          id: randomUUID(),
          name: text(given, 'name'),
          state,
          cpus,
          memory,
          description,
        })
    }),
    'Get-SCVMCheckpoint': {
      sets: ['*VM'],
      run(given) {
        const utc = thing('DateTime', {
          ToString: (format) => (format === 'yyyy-MM-ddTHH:mm:ss.fffZ' ? '2026-11-22T16:00:00.000Z' : ''),
        })
        const taken = thing('DateTime', { ToUniversalTime: () => utc })
        return vmOf(given.get('vm')).checkpoints.map((one) =>
          handle('VMCheckpoint', one, { ID: guid(one.id), Name: one.name, AddedTime: taken }),
        )
      },
    },
    'Restore-SCVMCheckpoint': jobOf(world, 'Restore-SCVMCheckpoint', ['*VMCheckpoint'], (given) => {
      const { vm, checkpoint } = find(given.get('vmcheckpoint'))
      const { cpus, memory, description } = checkpoint
      return () =>
        void Object.assign(vm, {
          cpus,
          memory,
          description,
          state: checkpoint.state === 'PowerOff' ? 'PowerOff' : 'Saved',
        })
    }),
    'Remove-SCVMCheckpoint': jobOf(world, 'Remove-SCVMCheckpoint', ['*VMCheckpoint'], (given) => {
      const { vm, checkpoint } = find(given.get('vmcheckpoint'))
      return () => void vm.checkpoints.splice(vm.checkpoints.indexOf(checkpoint), 1)
    }),
  }
}

function devices(world: VmmWorld): Record<string, Cmdlet> {
  return {
    'Get-SCVirtualNetworkAdapter': {
      sets: ['*VM'],
      run(given) {
        const vm = vmOf(given.get('vm'))
        const isUp = vm.state === 'Running' && vm.nic.network !== ''
        return handle('VirtualNetworkAdapter', vm, {
          IPv4Addresses: isUp ? [`10.1.0.${10 + world.vms.indexOf(vm)}`] : [],
          VMNetwork: vm.nic.network,
          MACAddress: vm.nic.mac,
        })
      },
    },
    'Set-SCVirtualNetworkAdapter': {
      sets: [
        '*VirtualNetworkAdapter MACAddressType MACAddress VMNetwork',
        '*VirtualNetworkAdapter *NoConnection?',
      ],
      run(given) {
        const { nic } = vmOf(given.get('virtualnetworkadapter'))
        if (given.has('macaddress')) nic.mac = text(given, 'macaddress')
        if (given.has('vmnetwork')) nic.network = String(behind.get(asThing(given.get('vmnetwork'))))
        if (given.has('noconnection')) nic.network = ''
        return undefined
      },
    },
    'Get-SCVMNetwork': { sets: [''], run: () => handle('VMNetwork', 'Production', { Name: 'Production' }) },
    'Get-SCVirtualDiskDrive': {
      sets: ['*VM'],
      run: (given) => {
        const vm = vmOf(given.get('vm'))
        return vm.disks.map(({ name, size }) =>
          handle('VirtualDiskDrive', vm, {
            VirtualHardDisk: thing('VirtualHardDisk', { Name: name, MaximumSize: size }),
          }),
        )
      },
    },
    'New-SCVirtualDiskDrive': jobOf(
      world,
      'New-SCVirtualDiskDrive',
      ['*VM *SCSI? *Bus *LUN *VirtualHardDisk *FileName'],
      (given) => {
        const vm = vmOf(given.get('vm'))
        const content = String(behind.get(asThing(given.get('virtualharddisk'))))
        return () => void vm.disks.push({ name: text(given, 'filename'), content, size: 40 * 2 ** 30 })
      },
    ),
    'Expand-SCVirtualDiskDrive': jobOf(
      world,
      'Expand-SCVirtualDiskDrive',
      ['*VirtualDiskDrive *VirtualHardDiskSizeGB'],
      (given) => {
        const [disk] = vmOf(given.get('virtualdiskdrive')).disks
        return () => {
          if (disk !== undefined) disk.size = Number(given.get('virtualharddisksizegb')) * 2 ** 30
        }
      },
    ),
    'Get-SCVirtualDVDDrive': {
      sets: ['*VM'],
      run: (given) => handle('VirtualDVDDrive', vmOf(given.get('vm')), {}),
    },
    'Set-SCVirtualDVDDrive': jobOf(world, 'Set-SCVirtualDVDDrive', ['*VirtualDVDDrive *ISO'], (given) => {
      const vm = vmOf(given.get('virtualdvddrive'))
      const path = String(behind.get(asThing(given.get('iso'))))
      if (!world.files.exists(path)) throw vmmError(801, 'The ISO is gone.')
      return () => void (vm.disc = basename(path.replaceAll('\\', '/')))
    }),
    'New-SCVirtualDVDDrive': jobOf(
      world,
      'New-SCVirtualDVDDrive',
      ['*VM *Bus *LUN *ISO'],
      () => () => undefined,
    ),
  }
}

function library(world: VmmWorld): Record<string, Cmdlet> {
  const real = (path: string): string => path.replace(share, world.folder)
  return {
    'Get-SCLibraryServer': {
      sets: ['*ComputerName'],
      run: (given) => handle('LibraryServer', text(given, 'computername'), {}),
    },
    'Get-SCLibraryShare': { sets: [''], run: () => handle('LibraryShare', share, { Path: share }) },
    'Read-SCLibraryShare': {
      sets: ['*LibraryShare'],
      run(given) {
        if (behind.get(asThing(given.get('libraryshare'))) !== share) throw new Error('no share')
        const seen = world.files
          .list(world.folder)
          .map(({ name }) => ({ name, path: `${world.folder}\\${name}` }))
        world.disks = seen.filter(({ name }) => name.endsWith('.vhdx'))
        world.isos.push(...seen.filter(({ name }) => name.endsWith('.iso')))
        return undefined
      },
    },
    'Get-SCISO': {
      sets: [''],
      run: () => world.isos.map(({ name, path }) => handle('ISO', path, { Name: name })),
    },
    'Get-SCVirtualHardDisk': {
      sets: ['*All?', '*VM'],
      run(given) {
        if (given.has('all'))
          return world.disks.map(({ name, path }) =>
            handle('VirtualHardDisk', path, { Name: name, Size: 4096, SharePath: real(path) }),
          )
        const vm = vmOf(given.get('vm'))
        return vm.disks.map(({ name, content }) => {
          const path = `${world.folder}\\stored-${vm.id}.vhdx`
          if (!world.files.exists(path))
            world.files.writeDisk(path, { format: 'vhdx', type: 'Dynamic', size: 1, parent: null, content })
          return handle('VirtualHardDisk', content, { Name: name, Size: 4096, SharePath: path })
        })
      },
    },
    'Remove-SCVirtualHardDisk': jobOf(
      world,
      'Remove-SCVirtualHardDisk',
      ['*VirtualHardDisk Force?'],
      (given) => {
        const path = String(behind.get(asThing(given.get('virtualharddisk'))))
        return () => {
          world.files.remove(path)
          world.disks = world.disks.filter((disk) => disk.path !== path)
        }
      },
    ),
  }
}

function windows({ files }: VmmWorld): Record<string, Cmdlet> {
  const place = (given: Arguments, name: string): string => text(given, name)
  return {
    'Test-Path': { sets: ['*LiteralPath'], run: (given) => files.exists(place(given, 'literalpath')) },
    'Remove-Item': {
      sets: ['*LiteralPath Recurse? Force?'],
      run(given) {
        files.remove(place(given, 'literalpath'))
        return undefined
      },
    },
    'Copy-Item': {
      sets: ['*LiteralPath *Destination'],
      run(given) {
        const from = place(given, 'literalpath')
        if (!files.exists(from)) throw notFound(from)
        files.writeDisk(place(given, 'destination'), files.disk(from))
        return undefined
      },
    },
    'Move-Item': {
      sets: ['*LiteralPath *Destination Force?'],
      run(given) {
        const [from, to] = [place(given, 'literalpath'), place(given, 'destination')]
        if (!files.exists(from)) throw notFound(from)
        if (files.exists(to) && !given.has('force')) throw exists(to)
        files.move(from, to)
        return undefined
      },
    },
  }
}
