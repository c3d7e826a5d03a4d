import { element, escapeLines, xmlDeclaration } from '../../src/base/xml.ts'

/** What a client posts to have its sessions back (MS-RDWR 3.1.4.1). */
export const reconnectAction = 'http://schemas.microsoft.com/ts/2010/09/rdweb/GetRDPFiles'

/** The answer to `GetRDPFiles`: the RDP file of each session that somebody has open (MS-RDWR 2.2.2.2). */
export function reconnectAnswer(files: readonly string[]): string {
  const contents = files.map((rdp) =>
    element(
      'ReconnectContent',
      {},
      element('rdpStream', {}, escapeLines(rdp)),
      element('rct', {}, 'VMREMOTEDESKTOP'),
    ),
  )
  const result = element(
    'GetRDPFilesResult',
    {},
    element('version', {}, '8.0'),
    element('wkspRC', {}, contents),
  )
  const body = element(
    'GetRDPFilesResponse',
    { xmlns: 'http://schemas.microsoft.com/ts/2010/09/rdweb' },
    result,
  )
  const envelope = element(
    'soap:Envelope',
    {
      'xmlns:soap': 'http://schemas.xmlsoap.org/soap/envelope/',
      'xmlns:xsi': 'http://www.w3.org/2001/XMLSchema-instance',
      'xmlns:xsd': 'http://www.w3.org/2001/XMLSchema',
    },
    element('soap:Body', {}, body),
  )
  return `${xmlDeclaration}${envelope}`
}
