import type { Guest } from './guest.ts'

/**
 * What Windows reads on its first boot after Sysprep: an answer file for the specialize and oobeSystem passes, which
 * Setup looks for on removable discs under this name, and a script that it starts from the same disc.
 */
export function windowsFiles({ name, administrators }: Guest): Record<string, string> {
  const answers = answerFile(name)
  return {
    // Windows Setup looks for the one name, a prepared image (Sysprep) for the other.
    'Autounattend.xml': answers,
    'Unattend.xml': answers,
    'setup.ps1': setup,
    'administrators.json': `${JSON.stringify({ administrators })}\n`,
  }
}

/** Windows takes 15 letters of a name (NetBIOS); DNS has all of it. */
function answerFile(name: string): string {
  const component = (inside: string, of = 'Microsoft-Windows-Shell-Setup') =>
    `<component name="${of}" processorArchitecture="amd64" publicKeyToken="31bf3856ad364e35" language="neutral" versionScope="nonSxS" xmlns:wcm="http://schemas.microsoft.com/WMIConfig/2002/State">${inside}</component>`
  const run = `<RunSynchronous><RunSynchronousCommand wcm:action="add"><Order>1</Order><Path>${start}</Path></RunSynchronousCommand></RunSynchronous>`
  const quiet =
    '<OOBE><HideEULAPage>true</HideEULAPage><HideLocalAccountScreen>true</HideLocalAccountScreen><HideOnlineAccountScreens>true</HideOnlineAccountScreens><HideWirelessSetupInOOBE>true</HideWirelessSetupInOOBE><ProtectYourPC>3</ProtectYourPC></OOBE>'
  return `<?xml version="1.0" encoding="utf-8"?>
<unattend xmlns="urn:schemas-microsoft-com:unattend">
<settings pass="specialize">${component(`<ComputerName>${name.slice(0, 15)}</ComputerName>`)}${component(run, 'Microsoft-Windows-Deployment')}</settings>
<settings pass="oobeSystem">${component(quiet)}</settings>
</unattend>
`
}

/** Fixed words: the script is found by the label of its disc, and finds its data beside itself. */
const start =
  "powershell -NoProfile -ExecutionPolicy Bypass -Command &quot;&amp; ((Get-Volume -FileSystemLabel CIDATA).DriveLetter + ':\\setup.ps1')&quot;"

/**
 * Makes the accounts administrators (the group by its SID, since its name is translated) and lets their keys in over
 * OpenSSH. In a domain they are the domain's accounts; elsewhere they are made here, without a password: until one is
 * set at the console, they get in by key.
 */
const setup = `$ErrorActionPreference='Stop'
$here=Split-Path -Parent $MyInvocation.MyCommand.Path
$told=Get-Content -Raw -Encoding UTF8 -LiteralPath (Join-Path $here 'administrators.json') | ConvertFrom-Json
$system=Get-CimInstance -ClassName Win32_ComputerSystem
$keys=@()
foreach($one in @($told.administrators)){
  $account=$one.user
  if($system.PartOfDomain){$account=$system.Domain+'\\'+$one.user}
  elseif(-not (Get-LocalUser | Where-Object {$_.Name -eq $one.user})){New-LocalUser -Name $one.user -NoPassword | Out-Null}
  try{Add-LocalGroupMember -SID 'S-1-5-32-544' -Member $account}catch{if($_.FullyQualifiedErrorId -notlike 'MemberExists*'){throw}}
  $keys+=@($one.keys)
}
if($keys.Count -gt 0){
  $file=Join-Path $env:ProgramData 'ssh\\administrators_authorized_keys'
  New-Item -ItemType Directory -Force -Path (Split-Path -Parent $file) | Out-Null
  [IO.File]::WriteAllLines($file,[string[]]$keys)
  & icacls.exe $file /inheritance:r /grant '*S-1-5-32-544:F' /grant '*S-1-5-18:F' | Out-Null
}
`
