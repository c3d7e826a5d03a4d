import { fileScripts } from '../powershell/file-scripts.ts'
import type { Script } from '../powershell/script.ts'

/**
 * Everything that we ask of Hyper-V, one short script a thing. Which of them is right at a moment is decided outside of
 * them; they find the machine by its id, use each cmdlet as its reference shows it, and send states as words: their
 * numbers differ between the cmdlets and WMI.
 */
function script(does: string, text: string): Script {
  return { does, text: text.trim() }
}

/** Of each machine in `$found`, what `Machine` in `machine.ts` reads. */
const view = `
$rows=@()
foreach($vm in $found){
$ips=@()
foreach($nic in @(Get-VMNetworkAdapter -VM $vm)){$ips+=@($nic.IPAddresses)}
$rows+=@{id=$vm.Id.ToString();name=$vm.Name;notes=[string]$vm.Notes;state=$vm.State.ToString();heartbeat=[string]$vm.Heartbeat;cpus=[int]$vm.ProcessorCount;memory=[int64]$vm.MemoryStartup;clustered=[bool]$vm.IsClustered;addresses=@($ips)}
}
$data=@($rows)`

/** `$p.mark` stands in the notes of our machine; while it is being made it has the name `$p.making` instead. */
const found = `
$found=@(Get-VM | Where-Object {$_.Name -eq $p.making -or $_.Id.ToString() -eq $p.id -or ($_.Notes -ne $null -and $_.Notes.Contains($p.mark))})`

/** As `$vm`, the machine of the id `$p.id`. */
const one = `$vm=Get-VM -Id $p.id
`

export const scripts = {
  list: script(
    'list its machines',
    `
$found=@(Get-VM)
${view}`,
  ),

  find: script('look for a machine', found + view),

  host: script(
    'say what it is',
    `
$h=Get-VMHost
$cpu=@(Get-CimInstance -ClassName Win32_Processor)[0]
$os=Get-CimInstance -ClassName Win32_OperatingSystem
$data=@{version=[string]$os.Version;cpus=[int]$h.LogicalProcessorCount;memory=[int64]$h.MemoryCapacity;cpu=[string]$cpu.Name}`,
  ),

  start: script('start a machine', `${one}Start-VM -VM $vm`),
  resume: script('resume a machine', `${one}Resume-VM -VM $vm`),
  save: script('save a machine', `${one}Save-VM -VM $vm`),
  shutdown: script('shut a machine down', `${one}Stop-VM -VM $vm -Confirm:$false`),
  turnOff: script('turn a machine off', `${one}Stop-VM -VM $vm -TurnOff -Force -Confirm:$false`),
  discard: script('give up what a machine has saved', `${one}Remove-VMSavedState -VM $vm -Confirm:$false`),
  reset: script('reset a machine', `${one}Restart-VM -VM $vm -Force -Confirm:$false`),
  resize: script(
    'resize a machine',
    `
${one}Set-VMProcessor -VM $vm -Count $p.cpus
Set-VMMemory -VM $vm -StartupBytes $p.memory`,
  ),
  note: script('write the notes of a machine', `${one}Set-VM -VM $vm -Notes $p.notes`),

  linkDisk: script(
    'make a disk on top of another',
    `
New-Item -ItemType Directory -Force -Path $p.folder | Out-Null
if(-not (Test-Path -LiteralPath $p.parent)){throw ('There is no disk '+$p.parent+'.')}
if(-not (Test-Path -LiteralPath $p.path)){New-VHD -Path $p.path -ParentPath $p.parent -Differencing | Out-Null}`,
  ),
  emptyDisk: script(
    'make an empty disk',
    `
New-Item -ItemType Directory -Force -Path $p.folder | Out-Null
if(-not (Test-Path -LiteralPath $p.path)){New-VHD -Path $p.path -SizeBytes $p.bytes -Dynamic | Out-Null}`,
  ),
  // A copy that was broken off lies under another name, and is begun anew.
  copyDisk: script(
    'copy a disk',
    `
New-Item -ItemType Directory -Force -Path $p.folder | Out-Null
if(-not (Test-Path -LiteralPath $p.source)){throw ('There is no disk '+$p.source+'.')}
if(-not (Test-Path -LiteralPath $p.path)){
if(Test-Path -LiteralPath $p.partial){Remove-Item -LiteralPath $p.partial -Force}
if($p.tool){
& $p.tool convert -f $p.from -O $p.to $p.source $p.partial | Out-Null
if($LASTEXITCODE -ne 0){throw ('The disk '+$p.source+' could not be converted.')}
}else{
if($p.check -and -not (Test-VHD -Path $p.source)){throw ('The disk '+$p.source+' is damaged.')}
Convert-VHD -Path $p.source -DestinationPath $p.partial -VHDType Dynamic
}
Move-Item -LiteralPath $p.partial -Destination $p.path
}`,
  ),
  exists: script('look for a file', '$data=[bool](Test-Path -LiteralPath $p.path)'),
  ...fileScripts,
  images: script(
    'list its images',
    `
$rows=@()
if(Test-Path -LiteralPath $p.folder){
foreach($f in @(Get-ChildItem -LiteralPath $p.folder -Filter '*.vhdx')){$rows+=@{file=$f.Name;bytes=[int64]$f.Length}}
}
$data=@($rows)`,
  ),

  // The name says what it is until all of it is set: notes come last, with the name that people know.
  make: script(
    'make a machine',
    `
$vm=@(Get-VM | Where-Object {$_.Name -eq $p.making})[0]
if(-not $vm){$vm=New-VM -Name $p.making -Generation $p.generation -MemoryStartupBytes $p.memory -VHDPath $p.disk -Path $p.folder}
Set-VM -VM $vm -StaticMemory -CheckpointType Standard -AutomaticCheckpointsEnabled $false -AutomaticStartAction StartIfRunning -AutomaticStopAction Save
Set-VMProcessor -VM $vm -Count $p.cpus -CompatibilityForMigrationEnabled $true
Set-VMComPort -VM $vm -Number 1 -Path $p.pipe
Set-VMNetworkAdapter -VM $vm -StaticMacAddress $p.mac
$nic=@(Get-VMNetworkAdapter -VM $vm)[0]
if($p.switch){Connect-VMNetworkAdapter -VMNetworkAdapter $nic -SwitchName $p.switch}
if($p.data -and @(Get-VMHardDiskDrive -VM $vm).Count -lt 2){Add-VMHardDiskDrive -VM $vm -Path $p.data}
if($p.disc -and @(Get-VMDvdDrive -VM $vm).Count -eq 0){Add-VMDvdDrive -VM $vm -Path $p.disc}
if($p.generation -eq 2){
if($p.secureBoot){Set-VMFirmware -VM $vm -EnableSecureBoot On -SecureBootTemplate $p.secureBoot}else{Set-VMFirmware -VM $vm -EnableSecureBoot Off}
$order=@(Get-VMHardDiskDrive -VM $vm)+@(Get-VMDvdDrive -VM $vm)+@(Get-VMNetworkAdapter -VM $vm)
Set-VMFirmware -VM $vm -BootOrder $order
}
Set-VM -VM $vm -NewVMName $p.name -Notes $p.notes`,
  ),

  disks: script(
    'list the disks of a machine',
    `
${one}$rows=@()
foreach($d in @(Get-VMHardDiskDrive -VM $vm)){$rows+=@{path=[string]$d.Path}}
$data=@($rows)`,
  ),
  swapDisk: script(
    'put another disk into a machine',
    `
${one}$d=@(Get-VMHardDiskDrive -VM $vm)[0]
Set-VMHardDiskDrive -VMHardDiskDrive $d -Path $p.path`,
  ),
  // Off, with no checkpoints; merging their disks goes on for a while after they are removed.
  wipe: script(
    'clear a machine',
    `
${one}$s=$vm.State.ToString()
if($s -eq 'Saved'){Remove-VMSavedState -VM $vm -Confirm:$false}elseif($s -ne 'Off'){Stop-VM -VM $vm -TurnOff -Force -Confirm:$false}
foreach($c in @(Get-VMSnapshot -VM $vm)){Remove-VMSnapshot -VMSnapshot $c -Confirm:$false}
while(@(Get-VMHardDiskDrive -VM $vm | Where-Object {$_.Path -like '*.avhd*'}).Count -gt 0){Start-Sleep -Milliseconds 500}`,
  ),
  remove: script(
    'remove a machine',
    `
if($p.id){
${one}$s=$vm.State.ToString()
if($s -eq 'Saved'){Remove-VMSavedState -VM $vm -Confirm:$false}elseif($s -ne 'Off'){Stop-VM -VM $vm -TurnOff -Force -Confirm:$false}
Remove-VM -VM $vm -Force -Confirm:$false
}
if(Test-Path -LiteralPath $p.folder){Remove-Item -LiteralPath $p.folder -Recurse -Force}`,
  ),

  checkpoint: script('take a checkpoint', `${one}Checkpoint-VM -VM $vm -SnapshotName $p.name`),
  checkpoints: script(
    'list checkpoints',
    `
${one}$rows=@()
foreach($s in @(Get-VMSnapshot -VM $vm)){$rows+=@{id=$s.Id.ToString();name=$s.Name;taken=$s.CreationTime.ToUniversalTime().ToString('yyyy-MM-ddTHH:mm:ss.fffZ')}}
$data=@($rows)`,
  ),
  restore: script(
    'go back to a checkpoint',
    'Restore-VMSnapshot -VMSnapshot (Get-VMSnapshot -Id $p.checkpoint) -Confirm:$false',
  ),
  forget: script(
    'remove a checkpoint',
    'Remove-VMSnapshot -VMSnapshot (Get-VMSnapshot -Id $p.checkpoint) -Confirm:$false',
  ),

  compare: script(
    'say whether a machine can move',
    `
${one}if($p.storage){$report=Compare-VM -VM $vm -DestinationHost $p.host -IncludeStorage -DestinationStoragePath $p.storage}else{$report=Compare-VM -VM $vm -DestinationHost $p.host}
$rows=@()
foreach($i in @($report.Incompatibilities)){$rows+=@{id=[int64]$i.MessageId;message=[string]$i.Message}}
$data=@($rows)`,
  ),
  move: script(
    'move a machine',
    `
${one}if($p.storage){$job=Move-VM -VM $vm -DestinationHost $p.host -IncludeStorage -DestinationStoragePath $p.storage -AsJob}else{$job=Move-VM -VM $vm -DestinationHost $p.host -AsJob}
while(@('NotStarted','Running') -contains $job.State.ToString()){
$last=@($job.Progress)[-1]
if($last){Tell @{tell=@{percent=[int]$last.PercentComplete}}}
Start-Sleep -Milliseconds 500
}
Receive-Job -Job $job | Out-Null`,
  ),

  figures: script(
    'measure a machine',
    `
${one}$problems=@();$disks=@()
foreach($d in @(Get-VMHardDiskDrive -VM $vm)){
$size=$null
try{$size=[int64](Get-VHD -Path $d.Path).Size}catch{$problems+=[string]$_.Exception.Message}
$disks+=@{path=[string]$d.Path;size=$size}
}
$nics=@()
foreach($n in @(Get-VMNetworkAdapter -VM $vm)){$nics+=@{name=[string]$n.SwitchName;mac=[string]$n.MacAddress}}
$data=@{seconds=[double]$vm.Uptime.TotalSeconds;load=[int]$vm.CPUUsage;demand=[int64]$vm.MemoryDemand;assigned=[int64]$vm.MemoryAssigned;heartbeat=[string]$vm.Heartbeat;disks=@($disks);nics=@($nics);problems=@($problems)}`,
  ),
  // Msvm_VirtualSystemManagementService.GetVirtualSystemThumbnailImage: raw RGB 565, row by row.
  thumbnail: script(
    'draw the screen of a machine',
    `
$ns='root\\virtualization\\v2'
$svc=Get-CimInstance -Namespace $ns -ClassName Msvm_VirtualSystemManagementService
$set=@(Get-CimInstance -Namespace $ns -ClassName Msvm_VirtualSystemSettingData | Where-Object {$_.VirtualSystemIdentifier -eq $p.id -and $_.VirtualSystemType -eq 'Microsoft:Hyper-V:System:Realized'})[0]
$r=Invoke-CimMethod -InputObject $svc -MethodName GetVirtualSystemThumbnailImage -Arguments @{TargetSystem=$set;WidthPixels=[uint16]$p.width;HeightPixels=[uint16]$p.height}
if($r.ReturnValue -eq 0){$data=[Convert]::ToBase64String($r.ImageData)}`,
  ),

  // Says which machines are another than a moment ago, for as long as somebody listens.
  watch: script(
    'follow its machines',
    `
$was=$null
while($true){
$is=@{}
foreach($vm in @(Get-VM)){
$id=$vm.Id.ToString();$state=$vm.State.ToString();$is[$id]=$state
if($was -ne $null -and $was[$id] -ne $state){Tell @{tell=@{id=$id;notes=[string]$vm.Notes}}}
}
if($was -ne $null){foreach($id in @($was.Keys)){if(-not $is[$id]){Tell @{tell=@{id=$id;notes=''}}}}}
$was=$is
Start-Sleep -Milliseconds 2000
}`,
  ),
} as const

/**
 * Joins a machine's serial line, a named pipe, with standard input and output. Its first line of input is the JSON of
 * `name`; every byte after it belongs to the line. There is no answer: what it writes is the line's.
 */
export const serialPump = `$ErrorActionPreference='Stop'
$in=[Console]::OpenStandardInput();$out=[Console]::OpenStandardOutput()
$b=New-Object Collections.Generic.List[byte]
while(($c=$in.ReadByte()) -gt 10){$b.Add($c)}
$p=ConvertFrom-Json -InputObject ([Text.Encoding]::UTF8.GetString($b.ToArray()))
$pipe=New-Object IO.Pipes.NamedPipeClientStream('.',$p.name,[IO.Pipes.PipeDirection]::InOut,[IO.Pipes.PipeOptions]::Asynchronous)
$pipe.Connect(5000)
$down=$pipe.CopyToAsync($out)
$up=$in.CopyToAsync($pipe)
[Threading.Tasks.Task]::WaitAny(@($down,$up))|Out-Null
$pipe.Dispose()`
