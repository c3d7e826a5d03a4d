import { type DeviceFacts, harmless, shownName } from './device.ts'

/**
 * `wnos.ini`, what every Wyse ThinOS device of the classic kind asks for first: the site's policy, and where the file of
 * its own is. A parameter stands once, since a second one can make a device restart for ever.
 */
export function wyseGlobal(): string {
  return lines([
    '# Jackdaw: for all devices',
    'autoload=1',
    'SignOn=no',
    'privilege=none',
    'SessionConfig=ALL unmapprinters=yes mapdisks=no smartcards=no',
    'Include=$mac.ini',
  ])
}

/** `inc/MAC.ini`: the desktop of the pool that the device is for, or our feed for whoever logs in to it. */
export function wyseDevice(facts: DeviceFacts): string {
  const { address, pool, terminal, publicUrl } = facts
  const head = `# Jackdaw: ${terminal === null ? 'a device that is not known' : harmless(terminal.name)}`
  if (pool === null) {
    return lines([
      head,
      'ConnectionBroker=Microsoft SecurityMode=Low ConnectionType=RDP',
      `VDIBroker=${harmless(publicUrl)}`,
      'AutoConnectList=*',
    ])
  }
  const { rdp } = pool
  const connection = [
    `description="${harmless(shownName(pool))}"`,
    `host="${harmless(address)}"`,
    'fullscreen=yes',
    'resolution=default',
    `colors=${rdp.colours >= 32 ? 'true' : 'high'}`,
    'autoconnect=1',
    'reconnect=5',
    `mapdisks=${yes(rdp.drives)}`,
    `unmapprinters=${yes(!rdp.printers)}`,
  ]
  return lines([
    head,
    `SessionConfig=RDP EnableNLA=${yes(rdp.nla)} TSGWEnable=no`,
    `connect=RDP ${connection.join(' \\\r\n  ')}`,
  ])
}

function yes(on: boolean): string {
  return on ? 'yes' : 'no'
}

function lines(all: readonly string[]): string {
  return `${all.join('\r\n')}\r\n`
}
