import { randomUUID } from 'node:crypto'
import { exists, notFound } from './files.ts'
import type { Arguments, Cmdlet } from './interpret.ts'
import {
  aVm,
  type Computer,
  failed,
  type HyperVWorld,
  type State,
  type Vm,
  vmOf,
  vmThing,
  wrongState,
} from './hyperv-world.ts'
import { isThing, listOf, member, PsError, textOf, type Thing, thing, type Value } from './values.ts'

/**
 * The cmdlets of the Hyper-V module that we use, with the parameter sets of their reference (Windows Server 2022) as
 * far as we use them, and with the states and files in which the real ones refuse.
 */
export function hyperVCmdlets(world: HyperVWorld, here: Computer): ReadonlyMap<string, Cmdlet> {
  const all: Record<string, Cmdlet> = {
    ...machines(world, here),
    ...devices(here),
    ...disks(here),
    ...checkpoints(here),
    ...moving(world, here),
    ...windows(here),
  }
  return new Map(Object.entries(all).map(([name, cmdlet]) => [name.toLowerCase(), cmdlet]))
}

const text = (given: Arguments, name: string): string => textOf(given.get(name) ?? null)
const number = (given: Arguments, name: string): number => Number(given.get(name))
const passThrough = 'Passthru? AsJob?'

function machines(world: HyperVWorld, here: Computer): Record<string, Cmdlet> {
  /** A verb that is right in some states only. */
  const verb = (
    name: string,
    sets: string[],
    from: readonly State[],
    work: (vm: Vm, given: Arguments) => void | Promise<void>,
  ): Cmdlet => ({
    sets,
    async run(given) {
      const vm = vmOf(given.get('vm'))
      if (!here.vms.includes(vm)) throw gone(vm.id)
      if (!from.includes(vm.state)) throw wrongState(vm, name)
      await work(vm, given)
    },
  })
  const plain = [`*VM ${passThrough}`]
  return {
    'Get-VM': {
      sets: ['Name', 'Id'],
      run(given) {
        if (!given.has('id')) return here.vms.map(vmThing)
        const vm = here.vms.find(({ id }) => id === text(given, 'id'))
        if (vm === undefined) throw gone(text(given, 'id'))
        return vmThing(vm)
      },
    },
    'New-VM': {
      sets: [
        'Name MemoryStartupBytes *VHDPath SwitchName Path Generation BootDevice AsJob?',
        'Name MemoryStartupBytes NoVHD? SwitchName Path Generation BootDevice AsJob?',
      ],
      run(given) {
        const vm = aVm(text(given, 'name'), text(given, 'path'))
        const disk = text(given, 'vhdpath')
        if (!here.files.exists(disk))
          throw failed('NewVM', `'${disk}' was not found.`, 0x80070002, 'ObjectNotFound')
        Object.assign(vm, {
          memory: number(given, 'memorystartupbytes'),
          generation: number(given, 'generation'),
        })
        if (vm.generation === 2 && !/\.vhdx$/i.test(disk))
          throw failed('NewVM', 'Generation 2 takes .vhdx only.')
        vm.disks.push(disk)
        here.vms.push(vm)
        return vmThing(vm)
      },
    },
    'Set-VM': {
      sets: [
        '*VM Notes NewVMName StaticMemory? DynamicMemory? CheckpointType AutomaticCheckpointsEnabled AutomaticStartAction AutomaticStopAction ProcessorCount MemoryStartupBytes Passthru?',
      ],
      run(given) {
        const vm = vmOf(given.get('vm'))
        if (given.has('staticmemory') && vm.state !== 'Off') throw wrongState(vm, 'SetVM')
        if (given.has('notes')) vm.notes = text(given, 'notes')
        if (given.has('newvmname')) vm.name = text(given, 'newvmname')
        if (given.has('checkpointtype')) vm.checkpointType = text(given, 'checkpointtype')
        return undefined
      },
    },
    'Start-VM': verb('StartVM', plain, ['Off', 'Saved'], (vm) => {
      const inUse = here.vms
        .filter((other) => other !== vm && other.state !== 'Off')
        .flatMap((other) => other.disks)
      for (const disk of vm.disks) {
        here.files.chain(disk)
        if (inUse.includes(disk)) throw failed('StartVM', `'${disk}' is in use.`, 0x80070020, 'ResourceBusy')
      }
      const used = here.vms
        .filter(({ state }) => state === 'Running')
        .reduce((sum, { memory }) => sum + memory, 0)
      if (used + vm.memory > here.memory)
        throw failed('StartVM', 'Not enough memory in the system to start the virtual machine.', 0x800705aa)
      if (vm.state === 'Off') vm.boots += 1
      vm.state = 'Running'
    }),
    'Resume-VM': verb('ResumeVM', plain, ['Paused'], (vm) => void (vm.state = 'Running')),
    'Save-VM': verb('SaveVM', plain, ['Running', 'Paused'], (vm) => void (vm.state = 'Saved')),
    'Stop-VM': {
      sets: [`*VM Save? TurnOff? Force? ${passThrough}`],
      async run(given, context) {
        const vm = vmOf(given.get('vm'))
        if (given.has('turnoff')) {
          if (vm.state === 'Off' || vm.state === 'Saved') throw wrongState(vm, 'StopVM')
          vm.state = 'Off'
          return undefined
        }
        if (vm.state !== 'Running') throw wrongState(vm, 'StopVM')
        if (!vm.guest.hasAgent) throw failed('StopVM', 'The device is not ready for use.', 0x80070015)
        while (vm.guest.ignoresShutdown) await context.sleep(500)
        vm.state = 'Off'
        return undefined
      },
    },
    'Restart-VM': verb('RestartVM', [`*VM Force? ${passThrough}`], ['Running'], (vm, given) => {
      if (!given.has('force')) throw failed('RestartVM', 'It asks whether it may, and nobody can answer.')
      vm.boots += 1
    }),
    'Remove-VM': verb('RemoveVM', [`*VM Force? ${passThrough}`], ['Off'], (vm) => {
      here.vms.splice(here.vms.indexOf(vm), 1)
    }),
    'Remove-VMSavedState': verb('RemoveVMSavedState', ['*VM'], ['Saved'], (vm) => void (vm.state = 'Off')),
    'Get-VMHost': {
      sets: [''],
      run: () =>
        thing('VMHost', { LogicalProcessorCount: here.cpus, MemoryCapacity: here.memory, Name: here.name }),
    },
    'Get-CimInstance': {
      sets: ['*ClassName Namespace'],
      run: (given) => cim(world, here, text(given, 'classname')),
    },
    'Invoke-CimMethod': {
      sets: ['*InputObject *MethodName Arguments'],
      run(given) {
        const words = given.get('arguments') ?? null
        if (!isThing(words) || text(given, 'methodname') !== 'GetVirtualSystemThumbnailImage')
          throw new Error('no such method')
        const [width, height] = [Number(member(words, 'WidthPixels')), Number(member(words, 'HeightPixels'))]
        if (member(words, 'TargetSystem') === null)
          throw new PsError('HRESULT 0x80041008,Microsoft.Management', 'Invalid parameter', 'InvalidArgument')
        return thing('Result', { ReturnValue: 0, ImageData: picture(width, height) })
      },
    },
  }
}

/** Left half red, right half blue, as RGB 565. */
function picture(width: number, height: number): Uint8Array {
  const bytes = Buffer.alloc(width * height * 2)
  for (let dot = 0; dot < width * height; dot++)
    bytes.writeUInt16LE(dot % width < width / 2 ? 0xf800 : 0x001f, dot * 2)
  return bytes
}

function cim(_world: HyperVWorld, here: Computer, name: string): Value {
  if (name === 'Win32_Processor') return thing(name, { Name: `${here.processor}  ` })
  if (name === 'Win32_OperatingSystem') return thing(name, { Version: '10.0.20348' })
  if (name === 'Msvm_VirtualSystemManagementService') return thing(name, {})
  if (name === 'Msvm_VirtualSystemSettingData') {
    const type = { VirtualSystemType: 'Microsoft:Hyper-V:System:Realized' }
    return here.vms.map(({ id }) => thing(name, { VirtualSystemIdentifier: id.toUpperCase(), ...type }))
  }
  throw new PsError('HRESULT 0x80041010,Microsoft.Management', `Invalid class ${name}`, 'MetadataError')
}

function gone(id: string): PsError {
  return new PsError(
    'InvalidParameter,Microsoft.HyperV.PowerShell.Commands.GetVM',
    `Hyper-V was unable to find a virtual machine with id ${id}.`,
    'InvalidArgument',
  )
}

/** A device, with the machine it belongs to. */
function device(kind: string, vm: Vm, members: Record<string, Value>): Thing {
  const made = thing(kind, members)
  owners.set(made, vm)
  return made
}

const owners = new WeakMap<Thing, Vm>()

function ownerOf(value: Value | undefined): { vm: Vm; thing: Thing } {
  const vm = value !== undefined && isThing(value) ? owners.get(value) : undefined
  if (vm === undefined || value === undefined || !isThing(value)) {
    throw new PsError('ParameterBindingException', 'Cannot bind a null device.', 'InvalidData')
  }
  return { vm, thing: value }
}

function devices(here: Computer): Record<string, Cmdlet> {
  const offOnly = (vm: Vm, cmdlet: string): Vm => {
    if (vm.state !== 'Off') throw wrongState(vm, cmdlet)
    return vm
  }
  return {
    'Set-VMProcessor': {
      sets: ['*VM Count CompatibilityForMigrationEnabled Reserve Maximum RelativeWeight Passthru?'],
      run(given) {
        const vm = offOnly(vmOf(given.get('vm')), 'SetVMProcessor')
        if (given.has('count')) vm.cpus = number(given, 'count')
        return undefined
      },
    },
    'Set-VMMemory': {
      sets: ['*VM StartupBytes MinimumBytes MaximumBytes DynamicMemoryEnabled Passthru?'],
      run(given) {
        const bytes = number(given, 'startupbytes')
        if (bytes % (2 * 2 ** 20) !== 0) throw failed('SetVMMemory', 'Memory is in steps of 2 MB.')
        offOnly(vmOf(given.get('vm')), 'SetVMMemory').memory = bytes
        return undefined
      },
    },
    'Set-VMComPort': {
      sets: ['*VM *Number Path DebuggerMode Passthru?'],
      run(given) {
        const path = text(given, 'path')
        if (!path.startsWith('\\\\.\\pipe\\')) throw failed('SetVMComPort', `'${path}' is no named pipe.`)
        vmOf(given.get('vm')).pipe = path
        return undefined
      },
    },
    'Get-VMNetworkAdapter': {
      sets: ['*VM Name'],
      run(given) {
        const vm = vmOf(given.get('vm'))
        const isUp = vm.state === 'Running' && vm.nic.switchName !== ''
        const addresses = isUp ? ['fe80::15:5dff:fe00:1', `10.1.0.${10 + here.vms.indexOf(vm)}`] : []
        const { switchName, mac } = vm.nic
        return device('VMNetworkAdapter', vm, {
          SwitchName: switchName === '' ? null : switchName,
          MacAddress: mac,
          IPAddresses: addresses,
        })
      },
    },
    'Set-VMNetworkAdapter': {
      sets: ['*VM Name StaticMacAddress Passthru?', '*VM Name DynamicMacAddress? Passthru?'],
      run(given) {
        const mac = text(given, 'staticmacaddress')
        if (!/^[0-9A-F]{12}$/.test(mac)) throw failed('SetVMNetworkAdapter', `'${mac}' is no MAC address.`)
        offOnly(vmOf(given.get('vm')), 'SetVMNetworkAdapter').nic.mac = mac
        return undefined
      },
    },
    'Connect-VMNetworkAdapter': {
      sets: ['*VMNetworkAdapter *SwitchName Passthru?'],
      run(given) {
        const name = text(given, 'switchname')
        if (!here.switches.includes(name))
          throw failed(
            'ConnectVMNetworkAdapter',
            `Hyper-V was unable to find a virtual switch with name "${name}".`,
            0x80131500,
            'ObjectNotFound',
          )
        ownerOf(given.get('vmnetworkadapter')).vm.nic.switchName = name
        return undefined
      },
    },
    'Get-VMHardDiskDrive': {
      sets: ['*VM ControllerType ControllerNumber ControllerLocation'],
      run(given) {
        const vm = vmOf(given.get('vm'))
        return vm.disks.map((path) => device('HardDiskDrive', vm, { Path: path }))
      },
    },
    'Add-VMHardDiskDrive': {
      sets: ['*VM ControllerType ControllerNumber ControllerLocation Path Passthru?'],
      run(given) {
        here.files.disk(text(given, 'path'))
        vmOf(given.get('vm')).disks.push(text(given, 'path'))
        return undefined
      },
    },
    'Set-VMHardDiskDrive': {
      sets: ['*VMHardDiskDrive Path Passthru?'],
      run(given) {
        const { vm, thing: drive } = ownerOf(given.get('vmharddiskdrive'))
        if (vm.checkpoints.length > 0)
          throw failed('SetVMHardDiskDrive', 'Cannot edit the drive: the machine has checkpoints.')
        here.files.disk(text(given, 'path'))
        const old = textOf(member(drive, 'Path') ?? null)
        offOnly(vm, 'SetVMHardDiskDrive').disks = vm.disks.map((path) =>
          path === old ? text(given, 'path') : path,
        )
        return undefined
      },
    },
    'Get-VMDvdDrive': {
      sets: ['*VM ControllerNumber ControllerLocation'],
      run(given) {
        const vm = vmOf(given.get('vm'))
        return vm.dvds.map((path) => device('DvdDrive', vm, { Path: path }))
      },
    },
    'Add-VMDvdDrive': {
      sets: ['*VM ControllerNumber ControllerLocation Path Passthru?'],
      run(given) {
        if (!here.files.exists(text(given, 'path')))
          throw failed('AddVMDvdDrive', 'The disc was not found.', 0x80070002)
        vmOf(given.get('vm')).dvds.push(text(given, 'path'))
        return undefined
      },
    },
    'Set-VMFirmware': {
      sets: ['*VM BootOrder FirstBootDevice EnableSecureBoot SecureBootTemplate Passthru?'],
      run(given) {
        const vm = offOnly(vmOf(given.get('vm')), 'SetVMFirmware')
        if (vm.generation !== 2) throw failed('SetVMFirmware', 'Generation 1 has no firmware settings.')
        if (given.has('enablesecureboot'))
          vm.secureBoot = `${text(given, 'enablesecureboot')}:${text(given, 'securebootTemplate'.toLowerCase())}`
        for (const one of listOf(given.get('bootorder') ?? null)) ownerOf(one)
        return undefined
      },
    },
  }
}

function disks(here: Computer): Record<string, Cmdlet> {
  const { files } = here
  return {
    'New-VHD': {
      sets: ['*Path *ParentPath Differencing? SizeBytes AsJob?', '*Path *SizeBytes Dynamic? AsJob?'],
      run(given) {
        const path = text(given, 'path')
        const format = /\.vhd$/i.test(path) ? 'vhd' : 'vhdx'
        if (!given.has('parentpath')) {
          files.writeDisk(path, {
            format,
            type: 'Dynamic',
            size: number(given, 'sizebytes'),
            parent: null,
            content: 'nothing',
          })
          return undefined
        }
        const parent = text(given, 'parentpath')
        const under = files.disk(parent)
        if (under.format !== format)
          throw failed('NewVHD', 'A differencing disk is of the format of its parent.')
        files.writeDisk(path, { ...under, type: 'Differencing', parent, content: `on ${under.content}` })
        return undefined
      },
    },
    'Get-VHD': {
      sets: ['*Path'],
      run(given) {
        const { size, parent } = files.disk(text(given, 'path'))
        return thing('VirtualHardDisk', { Size: size, ParentPath: parent, FileSize: 4096 })
      },
    },
    'Test-VHD': {
      sets: ['*Path'],
      run(given) {
        files.chain(text(given, 'path'))
        return true
      },
    },
    'Convert-VHD': {
      sets: ['*Path *DestinationPath VHDType DeleteSource? ParentPath AsJob? Passthru?'],
      run(given) {
        const [from, to] = [text(given, 'path'), text(given, 'destinationpath')]
        if (here.vms.some((vm) => vm.state !== 'Off' && vm.disks.includes(from)))
          throw failed('ConvertVHD', `'${from}' is in use.`, 0x80070020, 'ResourceBusy')
        const source = files.disk(from)
        files.chain(from)
        if (!/\.vhdx?$/i.test(to)) throw failed('ConvertVHD', 'The destination is .vhd or .vhdx.')
        files.writeDisk(to, {
          ...source,
          format: /\.vhd$/i.test(to) ? 'vhd' : 'vhdx',
          type: 'Dynamic',
          parent: null,
        })
        return undefined
      },
    },
  }
}

function checkpoints(here: Computer): Record<string, Cmdlet> {
  const { files } = here
  const find = (id: string) => {
    for (const vm of here.vms) {
      const checkpoint = vm.checkpoints.find((one) => one.id === id)
      if (checkpoint !== undefined) return { vm, checkpoint }
    }
    throw new PsError(
      'ObjectNotFound,Microsoft.HyperV.PowerShell.Commands.GetVMSnapshot',
      'Hyper-V was unable to find the checkpoint.',
      'ObjectNotFound',
    )
  }
  const asThing = (vm: Vm, { id, name }: Vm['checkpoints'][number]): Thing => {
    const utc: Thing = thing('DateTime', {
      ToString: (format) =>
        format === 'yyyy-MM-ddTHH:mm:ss.fffZ' ? '2026-11-22T16:00:00.000Z' : '22.11.2026 16:00:00',
    })
    const taken = thing('DateTime', { ToUniversalTime: () => utc, ToString: () => '22.11.2026 17:00:00' })
    return device('VMSnapshot', vm, {
      Id: thing('Guid', { ToString: () => id }),
      Name: name,
      CreationTime: taken,
    })
  }
  const branch = (vm: Vm, from: readonly string[]): void => {
    vm.disks = from.map((path) => {
      const next = path.replace(/(_[0-9a-f-]{36})?\.a?(vhdx?)$/i, `_${randomUUID()}.a$2`)
      files.writeDisk(next, { ...files.disk(path), type: 'Differencing', parent: path })
      return next
    })
  }
  return {
    'Checkpoint-VM': {
      sets: [`*VM SnapshotName ${passThrough}`],
      run(given) {
        const vm = vmOf(given.get('vm'))
        if (vm.checkpointType !== 'Standard') throw new Error('a production checkpoint has no memory')
        const { state, disks: kept } = vm
        vm.checkpoints.push({ id: randomUUID(), name: text(given, 'snapshotname'), state, disks: kept })
        branch(vm, kept)
        return undefined
      },
    },
    'Get-VMSnapshot': {
      sets: ['*VM Name', '*Id'],
      run(given) {
        if (given.has('id')) {
          const { vm, checkpoint } = find(text(given, 'id'))
          return asThing(vm, checkpoint)
        }
        const vm = vmOf(given.get('vm'))
        return vm.checkpoints.map((one) => asThing(vm, one))
      },
    },
    'Restore-VMSnapshot': {
      sets: [`*VMSnapshot ${passThrough}`],
      run(given) {
        const { thing: snapshot } = ownerOf(given.get('vmsnapshot'))
        const { vm, checkpoint } = find(textOf(member(snapshot, 'Id') ?? null))
        // A standard checkpoint of a machine that ran has its memory: it is saved after it was gone back to.
        vm.state = checkpoint.state === 'Off' ? 'Off' : 'Saved'
        branch(vm, checkpoint.disks)
        return undefined
      },
    },
    'Remove-VMSnapshot': {
      sets: [`*VMSnapshot IncludeAllChildSnapshots? ${passThrough}`],
      run(given) {
        const { thing: snapshot } = ownerOf(given.get('vmsnapshot'))
        const { vm, checkpoint } = find(textOf(member(snapshot, 'Id') ?? null))
        vm.checkpoints.splice(vm.checkpoints.indexOf(checkpoint), 1)
        if (vm.checkpoints.length === 0)
          vm.disks = vm.disks.map((path) => path.replace(/_[0-9a-f-]{36}\.a(vhdx?)$/i, '.$1'))
        return undefined
      },
    },
  }
}

function moving(world: HyperVWorld, here: Computer): Record<string, Cmdlet> {
  const toward = (given: Arguments, cmdlet: string): Computer => {
    const name = text(given, 'destinationhost')
    const target = world.computers.get(name)
    if (target === undefined || target.isClosed) {
      throw failed(cmdlet, `Failed to establish a connection with host '${name}'.`, 0x8009030e)
    }
    return target
  }
  const obstacles = (vm: Vm, target: Computer): string[] => [
    ...(target.switches.includes(vm.nic.switchName) || vm.nic.switchName === ''
      ? []
      : [`Could not find Ethernet switch '${vm.nic.switchName}'.`]),
    ...(vm.state === 'Off' || target.processor === here.processor
      ? []
      : [
          `The virtual machine '${vm.name}' is using processor-specific features not supported on physical computer '${target.name}'.`,
        ]),
  ]
  const sets = '*VM *DestinationHost'
  return {
    'Compare-VM': {
      sets: [`${sets} IncludeStorage? DestinationStoragePath AsJob?`],
      run(given) {
        const vm = vmOf(given.get('vm'))
        const found = obstacles(vm, toward(given, 'CompareVM'))
        const rows = found.map((Message) =>
          thing('Incompatibility', { MessageId: Message.startsWith('Could') ? 33012 : 24004, Message }),
        )
        return thing('VMCompatibilityReport', { Incompatibilities: rows })
      },
    },
    'Move-VM': {
      sets: [`${sets} IncludeStorage? DestinationStoragePath RetainVhdCopiesOnSource? AsJob? Passthru?`],
      run(given) {
        const vm = vmOf(given.get('vm'))
        const target = toward(given, 'MoveVM')
        const [wrong] = obstacles(vm, target)
        if (wrong !== undefined) throw failed('MoveVM', wrong)
        const isShared = vm.disks.every((path) => /^C:\\ClusterStorage\\/i.test(path))
        if (!given.has('includestorage') && !isShared)
          throw failed('MoveVM', 'Its disks are not where the other host sees them.', 0x80070002)
        const job = { percent: 0 }
        const over = () => {
          if (given.has('includestorage') && here.files.exists(vm.folder))
            here.files.copyTo(target.files, vm.folder)
          here.vms.splice(here.vms.indexOf(vm), 1)
          target.vms.push(vm)
          if (given.has('includestorage')) here.files.remove(vm.folder)
        }
        if (!given.has('asjob')) throw new Error('a move without a job tells nothing of its progress')
        return jobThing(job, over)
      },
    },
    'Receive-Job': { sets: ['*Job Wait?'], run: () => undefined },
  }
}

/** A job that is a third further each time its state is looked at. */
function jobThing(job: { percent: number }, over: () => void): Thing {
  const members = new Map<string, Value>()
  const made: Thing = { kind: 'VMJob', members }
  members.set(
    'State',
    thing('JobState', {
      ToString: () => {
        job.percent += 34
        if (job.percent <= 100) {
          members.set('Progress', [thing('ProgressRecord', { PercentComplete: job.percent })])
          return 'Running'
        }
        if (job.percent < 1000) over()
        job.percent = 1000
        return 'Completed'
      },
    }),
  )
  members.set('Progress', [])
  return made
}

/** What Windows itself has. */
function windows(here: Computer): Record<string, Cmdlet> {
  const { files } = here
  const inUse = (path: string): boolean =>
    here.vms.some((vm) => vm.disks.some((disk) => disk.toLowerCase().startsWith(path.toLowerCase())))
  return {
    'New-Item': {
      sets: ['*Path ItemType Force?'],
      run(given) {
        if (text(given, 'itemtype') !== 'Directory') throw new Error('only folders are made')
        files.makeFolder(text(given, 'path'))
        return undefined
      },
    },
    'Test-Path': { sets: ['*LiteralPath'], run: (given) => files.exists(text(given, 'literalpath')) },
    'Remove-Item': {
      sets: ['*LiteralPath Recurse? Force?'],
      run(given) {
        const path = text(given, 'literalpath')
        if (inUse(path))
          throw new PsError(
            'RemoveFileSystemItemIOError,Microsoft.PowerShell.Commands.RemoveItemCommand',
            `Cannot remove item ${path}: it is being used by another process.`,
            'WriteError',
            0x80070020,
          )
        files.remove(path)
        return undefined
      },
    },
    'Move-Item': {
      sets: ['*LiteralPath *Destination Force?'],
      run(given) {
        const [from, to] = [text(given, 'literalpath'), text(given, 'destination')]
        if (!files.exists(from)) throw notFound(from)
        if (files.exists(to) && !given.has('force')) throw exists(to)
        files.move(from, to)
        return undefined
      },
    },
    'Get-ChildItem': {
      sets: ['*LiteralPath Filter'],
      run(given) {
        const ending = text(given, 'filter').replace('*', '')
        return files
          .list(text(given, 'literalpath'))
          .filter(({ name }) => name.endsWith(ending))
          .map(({ name, length }) => thing('FileInfo', { Name: name, Length: length }))
      },
    },
  }
}
