import { assert } from '../src/base/errors.ts'

/** Settings that a signature covers, in the order in which rdpsign takes them, with the names that it shows. */
const secured: readonly (readonly [property: string, shown: string])[] = [
  ['full address', 'Full Address'],
  ['alternate full address', 'Alternate Full Address'],
  ['pcb', 'PCB'],
  ['use redirection server name', 'Use Redirection Server Name'],
  ['server port', 'Server Port'],
  ['negotiate security layer', 'Negotiate Security Layer'],
  ['enablecredsspsupport', 'EnableCredSspSupport'],
  ['disableconnectionsharing', 'DisableConnectionSharing'],
  ['autoreconnection enabled', 'AutoReconnection Enabled'],
  ['gatewayhostname', 'GatewayHostname'],
  ['gatewayusagemethod', 'GatewayUsageMethod'],
  ['gatewayprofileusagemethod', 'GatewayProfileUsageMethod'],
  ['gatewaycredentialssource', 'GatewayCredentialsSource'],
  ['support url', 'Support URL'],
  ['promptcredentialonce', 'PromptCredentialOnce'],
  ['require pre-authentication', 'Require pre-authentication'],
  ['pre-authentication server address', 'Pre-authentication server address'],
  ['alternate shell', 'Alternate Shell'],
  ['shell working directory', 'Shell Working Directory'],
  ['remoteapplicationprogram', 'RemoteApplicationProgram'],
  ['remoteapplicationexpandworkingdir', 'RemoteApplicationExpandWorkingdir'],
  ['remoteapplicationmode', 'RemoteApplicationMode'],
  ['remoteapplicationguid', 'RemoteApplicationGuid'],
  ['remoteapplicationname', 'RemoteApplicationName'],
  ['remoteapplicationicon', 'RemoteApplicationIcon'],
  ['remoteapplicationfile', 'RemoteApplicationFile'],
  ['remoteapplicationfileextensions', 'RemoteApplicationFileExtensions'],
  ['remoteapplicationcmdline', 'RemoteApplicationCmdLine'],
  ['remoteapplicationexpandcmdline', 'RemoteApplicationExpandCmdLine'],
  ['prompt for credentials', 'Prompt For Credentials'],
  ['authentication level', 'Authentication Level'],
  ['audiomode', 'AudioMode'],
  ['redirectdrives', 'RedirectDrives'],
  ['redirectprinters', 'RedirectPrinters'],
  ['redirectcomports', 'RedirectCOMPorts'],
  ['redirectsmartcards', 'RedirectSmartCards'],
  ['redirectposdevices', 'RedirectPOSDevices'],
  ['redirectclipboard', 'RedirectClipboard'],
  ['devicestoredirect', 'DevicesToRedirect'],
  ['drivestoredirect', 'DrivesToRedirect'],
  ['loadbalanceinfo', 'LoadBalanceInfo'],
  ['redirectdirectx', 'RedirectDirectX'],
  ['rdgiskdcproxy', 'RDGIsKDCProxy'],
  ['kdcproxyname', 'KDCProxyName'],
  ['eventloguploadaddress', 'EventLogUploadAddress'],
]

/** What is signed of an RDP file, and the line that says so in it. */
export interface SignedPart {
  /** The line `signscope:s:…` without its end. */
  scope: string
  /** UTF-16LE without a mark, and with a NUL at its end. */
  message: Buffer
}

/**
 * The message that `rdpsign` signs: the secured lines in its own order, whatever their order in the file. Checked
 * against the signed file of MS-RDWR 4.2.
 * @param rdp an unsigned file as text with CRLF.
 */
export function signedPart(rdp: string): SignedPart {
  const lines = new Map<string, string>()
  for (const line of rdp.split('\r\n').filter((text) => text !== '')) {
    const name = line.slice(0, line.indexOf(':')).toLowerCase()
    assert(!lines.has(name), 'a setting stands once in a file that is signed')
    lines.set(name, line.trim())
  }
  const covered = secured.filter(([property]) => lines.has(property))
  const scope = `signscope:s:${covered.map(([, shown]) => shown).join(',')}`
  const text = [...covered.map(([property]) => lines.get(property) ?? ''), scope].join('\r\n')
  return { scope, message: Buffer.from(`${text}\r\n\0`, 'utf16le') }
}

/** The file with its signature: a detached CMS behind the twelve bytes that rdpsign puts before it. */
export function withSignature(rdp: string, { scope }: SignedPart, cms: Buffer): string {
  const head = Buffer.alloc(12)
  head.writeUInt32LE(0x0001_0001, 0)
  head.writeUInt32LE(1, 4)
  head.writeUInt32LE(cms.length, 8)
  return `${rdp}${scope}\r\nsignature:s:${Buffer.concat([head, cms]).toString('base64')}\r\n`
}
