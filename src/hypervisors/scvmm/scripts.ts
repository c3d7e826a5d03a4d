import { fileScripts } from '../powershell/file-scripts.ts'
import type { Script } from '../powershell/script.ts'

/**
 * Everything that we ask of VMM. What changes a machine runs as a job of VMM's own, which goes on when we are cut off;
 * then VMM says that the machine is held by a job (2606) until that is over.
 */
function script(does: string, text: string): Script {
  const connect =
    'Import-Module -Name VirtualMachineManager\nGet-SCVMMServer -ComputerName $p.server | Out-Null\n'
  return { does, text: connect + text.trim() }
}

/** Waits for the job `$job`, telling how far it is. Its code comes first, as in the errors of the cmdlets. */
const wait = `
$j=Get-SCJob -ID $job.ID
while(-not $j.IsCompleted){
Tell @{tell=@{percent=[int]$j.Progress}}
Start-Sleep -Milliseconds 1000
$j=Get-SCJob -ID $job.ID
}
if($j.Status.ToString() -notlike 'Succeed*' -and $j.Status.ToString() -notlike 'Completed*'){throw ([string]$j.ErrorInfo.DisplayableErrorCode+', '+[string]$j.ErrorInfo.Problem)}`

const one = `$vm=Get-SCVirtualMachine -ID $p.id
`

const run = "-RunAsynchronously -JobVariable 'job' | Out-Null"

/** A cmdlet that is one job about the machine `$p.id`. */
const job = (does: string, cmdlet: string): Script => script(does, `${one}${cmdlet} ${run}${wait}`)

const view = `
$rows=@()
foreach($vm in $found){
$ips=@()
foreach($n in @(Get-SCVirtualNetworkAdapter -VM $vm)){$ips+=@($n.IPv4Addresses)}
$rows+=@{id=$vm.ID.ToString();name=$vm.Name;notes=[string]$vm.Description;state=$vm.VirtualMachineState.ToString();health=$vm.Status.ToString();host=[string]$vm.HostName;cpus=[int]$vm.CPUCount;memory=[int64]$vm.Memory;addresses=@($ips)}
}`

/** What is stored in the library is an image, and no machine. */
const deployed = "$_.VirtualMachineState.ToString() -ne 'Stored'"

/** `$stored`, a machine in the library, or `$disk`, a file there: the image of the name `$p.image`. */
const image = `
$stored=@(Get-SCVirtualMachine -All | Where-Object {$_.Name -eq $p.image -and $_.VirtualMachineState.ToString() -eq 'Stored'})[0]
$disk=@(Get-SCVirtualHardDisk -All | Where-Object {$_.Name -eq ($p.image+'.vhdx')})[0]
`

export const scripts = {
  list: script(
    'list its hosts and machines',
    `
$found=@(Get-SCVirtualMachine -All | Where-Object {${deployed}})
${view}
$hosts=@()
foreach($h in @(Get-SCVMHost)){$hosts+=@{name=$h.Name;communication=[string]$h.CommunicationStateString;version=[string]$h.HyperVVersionString;cpus=[int]$h.LogicalProcessorCount;memory=[int64]$h.TotalMemory}}
$data=@{machines=@($rows);hosts=@($hosts)}`,
  ),
  find: script(
    'look for a machine',
    `
$found=@(Get-SCVirtualMachine -All | Where-Object {${deployed} -and ($_.Name -eq $p.making -or $_.ID.ToString() -eq $p.id -or ($_.Description -ne $null -and $_.Description.Contains($p.mark)))})
${view}
$data=@($rows)`,
  ),

  start: job('start a machine', 'Start-SCVirtualMachine -VM $vm'),
  resume: job('resume a machine', 'Resume-SCVirtualMachine -VM $vm'),
  // Not Save-SCVirtualMachine, which puts a machine into the library, and not Suspend-, which pauses.
  save: job('save a machine', 'Stop-SCVirtualMachine -VM $vm -SaveState'),
  shutdown: job('shut a machine down', 'Stop-SCVirtualMachine -VM $vm -Shutdown'),
  turnOff: job('turn a machine off', 'Stop-SCVirtualMachine -VM $vm -Force'),
  discard: job('give up what a machine has saved', 'Stop-SCVirtualMachine -VM $vm -DiscardSavedState'),
  reset: job('reset a machine', 'Reset-SCVirtualMachine -VM $vm'),
  resize: job('resize a machine', 'Set-SCVirtualMachine -VM $vm -CPUCount $p.cpus -MemoryMB $p.megabytes'),
  name: job('name a machine', 'Set-SCVirtualMachine -VM $vm -Name $p.name -Description $p.notes'),
  remove: job('remove a machine', 'Remove-SCVirtualMachine -VM $vm -Force'),

  fromTemplate: script(
    'make a machine',
    `
$t=@(Get-SCVMTemplate | Where-Object {$_.Name -eq $p.template})[0]
if(-not $t){throw ('VMM has no template '+$p.template+'.')}
$h=Get-SCVMHost -ComputerName $p.host
$c=New-SCVMConfiguration -VMTemplate $t -Name $p.making
Set-SCVMConfiguration -VMConfiguration $c -VMHost $h -VMLocation $p.path -ComputerName $p.name | Out-Null
Update-SCVMConfiguration -VMConfiguration $c | Out-Null
New-SCVirtualMachine -Name $p.making -VMConfiguration $c ${run}${wait}`,
  ),
  fromImage: script(
    'make a machine',
    `
${image}$h=Get-SCVMHost -ComputerName $p.host
if($stored){New-SCVirtualMachine -Name $p.making -VM $stored -VMHost $h -Path $p.path ${run}}
elseif($disk){New-SCVirtualMachine -Name $p.making -VMHost $h -Path $p.path -VirtualHardDisk $disk ${run}}
else{throw ('The library has no image '+$p.image+'.')}${wait}`,
  ),
  network: script(
    'connect a machine',
    `
${one}$nic=@(Get-SCVirtualNetworkAdapter -VM $vm)[0]
Set-SCVirtualNetworkAdapter -VirtualNetworkAdapter $nic -MACAddressType Static -MACAddress $p.mac | Out-Null
if($p.network){
$net=@(Get-SCVMNetwork | Where-Object {$_.Name -eq $p.network})[0]
if(-not $net){throw ('VMM has no network '+$p.network+'.')}
Set-SCVirtualNetworkAdapter -VirtualNetworkAdapter $nic -VMNetwork $net | Out-Null
}else{Set-SCVirtualNetworkAdapter -VirtualNetworkAdapter $nic -NoConnection | Out-Null}`,
  ),
  addDisk: script(
    'add a disk',
    `
${one}${image}if(@(Get-SCVirtualDiskDrive -VM $vm).Count -lt 2){
if($stored){$disk=@(Get-SCVirtualHardDisk -VM $stored)[0]}
if(-not $disk){throw ('The library has no image '+$p.image+'.')}
New-SCVirtualDiskDrive -VM $vm -SCSI -Bus 0 -LUN 1 -VirtualHardDisk $disk -FileName 'data.vhdx' ${run}${wait}
}`,
  ),
  growDisk: script(
    'size a disk',
    `
${one}$d=@(Get-SCVirtualDiskDrive -VM $vm)[0]
Expand-SCVirtualDiskDrive -VirtualDiskDrive $d -VirtualHardDiskSizeGB $p.gigabytes ${run}${wait}`,
  ),
  insertDisc: script(
    'put a disc into a machine',
    `
${one}if($p.share){
$share=@(Get-SCLibraryShare | Where-Object {$_.Path -eq $p.share})[0]
Read-SCLibraryShare -LibraryShare $share | Out-Null
}
$iso=@(Get-SCISO | Where-Object {$_.Name -eq $p.disc})[0]
if(-not $iso){throw ('The library has no disc '+$p.disc+'.')}
$dvd=@(Get-SCVirtualDVDDrive -VM $vm)[0]
if($dvd){Set-SCVirtualDVDDrive -VirtualDVDDrive $dvd -ISO $iso ${run}}else{New-SCVirtualDVDDrive -VM $vm -Bus 0 -LUN 2 -ISO $iso ${run}}${wait}`,
  ),
  ...fileScripts,

  checkpoint: job('take a checkpoint', 'New-SCVMCheckpoint -VM $vm -Name $p.name'),
  checkpoints: script(
    'list checkpoints',
    `
${one}$rows=@()
foreach($c in @(Get-SCVMCheckpoint -VM $vm)){$rows+=@{id=$c.ID.ToString();name=$c.Name;taken=$c.AddedTime.ToUniversalTime().ToString('yyyy-MM-ddTHH:mm:ss.fffZ')}}
$data=@($rows)`,
  ),
  restore: script(
    'go back to a checkpoint',
    `
${one}$c=@(Get-SCVMCheckpoint -VM $vm | Where-Object {$_.ID.ToString() -eq $p.checkpoint})[0]
Restore-SCVMCheckpoint -VMCheckpoint $c ${run}${wait}`,
  ),
  forget: script(
    'remove a checkpoint',
    `
${one}$c=@(Get-SCVMCheckpoint -VM $vm | Where-Object {$_.ID.ToString() -eq $p.checkpoint})[0]
Remove-SCVMCheckpoint -VMCheckpoint $c ${run}${wait}`,
  ),

  capture: script(
    'make an image of a machine',
    `
${one}${image}if(-not $stored -and -not $disk){
$l=Get-SCLibraryServer -ComputerName $p.library
New-SCVirtualMachine -Name $p.image -VM $vm -LibraryServer $l -SharePath $p.share ${run}${wait}
}`,
  ),
  images: script(
    'list its images',
    `
$rows=@()
foreach($s in @(Get-SCVirtualMachine -All | Where-Object {$_.VirtualMachineState.ToString() -eq 'Stored'})){$rows+=@{name=$s.Name;bytes=[int64]$s.TotalSize}}
foreach($d in @(Get-SCVirtualHardDisk -All)){$rows+=@{name=$d.Name;bytes=[int64]$d.Size}}
$data=@($rows)`,
  ),
  removeImage: script(
    'remove an image',
    `
${image}if($stored){Remove-SCVirtualMachine -VM $stored -Force ${run}${wait}}
if($disk){Remove-SCVirtualHardDisk -VirtualHardDisk $disk -Force ${run}${wait}}`,
  ),
  imageFile: script(
    'look for an image',
    `
${image}if($stored){$disk=@(Get-SCVirtualHardDisk -VM $stored)[0]}
if($disk){$data=[string]$disk.SharePath}`,
  ),
  exists: script('look for a file', '$data=[bool](Test-Path -LiteralPath $p.path)'),
  copyFile: script(
    'copy a disk',
    `
if(-not (Test-Path -LiteralPath $p.path)){
if(Test-Path -LiteralPath $p.partial){Remove-Item -LiteralPath $p.partial -Force}
if($p.tool){
& $p.tool convert -f $p.from -O $p.to $p.source $p.partial | Out-Null
if($LASTEXITCODE -ne 0){throw ('The disk '+$p.source+' could not be converted.')}
}else{Copy-Item -LiteralPath $p.source -Destination $p.partial}
Move-Item -LiteralPath $p.partial -Destination $p.path
}
if($p.share){
$share=@(Get-SCLibraryShare | Where-Object {$_.Path -eq $p.share})[0]
Read-SCLibraryShare -LibraryShare $share | Out-Null
}`,
  ),

  rating: script(
    'rate a host',
    `
${one}$r=@(Get-SCVMHostRating -VM $vm -VMHost (Get-SCVMHost -ComputerName $p.host) -DiskSpaceGB 1 -VMName $vm.Name -IsMigration)[0]
$why=@();foreach($z in @($r.ZeroRatingReasonList)){$why+=[string]$z}
$data=@{rating=[double]$r.Rating;transfer=$r.TransferType.ToString();reasons=@($why)}`,
  ),
  move: job(
    'move a machine',
    'Move-SCVirtualMachine -VM $vm -VMHost (Get-SCVMHost -ComputerName $p.host) -Path $p.path',
  ),

  figures: script(
    'measure a machine',
    `
${one}$problems=@();$disks=@();$seconds=$null
foreach($d in @(Get-SCVirtualDiskDrive -VM $vm)){$disks+=@{name=[string]$d.VirtualHardDisk.Name;size=[int64]$d.VirtualHardDisk.MaximumSize}}
$nics=@()
foreach($n in @(Get-SCVirtualNetworkAdapter -VM $vm)){$nics+=@{name=[string]$n.VMNetwork;mac=[string]$n.MACAddress}}
if($p.runs){
try{
$cs=@(Get-CimInstance -ComputerName $vm.HostName -Namespace 'root\\virtualization\\v2' -ClassName Msvm_ComputerSystem | Where-Object {$_.Name -eq $vm.VMId})[0]
$seconds=[double]$cs.OnTimeInMilliseconds
}catch{$problems+=[string]$_.Exception.Message}
}
$data=@{millis=$seconds;load=[int]$vm.CPUUtilization;disks=@($disks);nics=@($nics);problems=@($problems)}`,
  ),
  watch: script(
    'follow its machines',
    `
$was=$null
while($true){
$is=@{}
foreach($vm in @(Get-SCVirtualMachine -All | Where-Object {${deployed}})){
$id=$vm.ID.ToString();$state=$vm.VirtualMachineState.ToString();$is[$id]=$state
if($was -ne $null -and $was[$id] -ne $state){Tell @{tell=@{id=$id;notes=[string]$vm.Description}}}
}
if($was -ne $null){foreach($id in @($was.Keys)){if(-not $is[$id]){Tell @{tell=@{id=$id;notes=''}}}}}
$was=$is
Start-Sleep -Milliseconds 5000
}`,
  ),
} as const
