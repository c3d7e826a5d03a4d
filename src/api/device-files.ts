import { type Request, type Response, Router } from 'express'
import type { DeviceFacts } from '../../broker/profiles/device.ts'
import { thinstationDevice, thinstationNetwork } from '../../broker/profiles/thinstation.ts'
import { wyseDevice, wyseGlobal } from '../../broker/profiles/wyse.ts'
import { canonicalMac } from '../../broker/terminal.ts'
import { nobody } from '../identity/person.ts'
import { findTerminal } from '../operations/find-terminal.ts'
import { sightTerminal } from '../operations/manage-terminals.ts'
import type { Operations } from '../operations/perform.ts'
import type { Site } from '../operations/site.ts'
import { addressOf } from './rest.ts'

export interface DeviceFileServices {
  operations: Operations
  site: Site
  /** What signs RDP files, for computers to be told to trust. */
  signer: { certificate: string; thumbprint: string }
}

/**
 * What thin clients fetch when they start, without a password: where to connect, by their MAC. A device that is not
 * known gets what everybody gets.
 */
export function deviceFiles(services: DeviceFileServices): Router {
  const { site, signer } = services
  const router = Router()
  router.get('/wyse/wnos/wnos.ini', (_request, response) => plain(response, wyseGlobal()))
  router.get('/wyse/wnos/inc/:file', async (request, response, next) => {
    const mac = macIn(request.params.file, /^(.+)\.ini$/i)
    if (mac === null) next()
    else plain(response, wyseDevice(await deviceOf(services, request, mac)))
  })
  router.get('/thinstation/thinstation.conf.network', (_request, response) => {
    plain(response, thinstationNetwork({ address: site.rdp.publicAddress, publicUrl: site.publicUrl }))
  })
  router.get('/thinstation/:file', async (request, response, next) => {
    const mac = macIn(request.params.file, /^thinstation\.conf-(.+)$/i)
    if (mac === null) next()
    else plain(response, thinstationDevice(await deviceOf(services, request, mac)))
  })
  router.get('/rdp-signing.crt', (_request, response) => {
    response
      .setHeader('Content-Type', 'application/x-x509-ca-cert')
      .setHeader('Jackdaw-Thumbprint', signer.thumbprint)
    response.end(signer.certificate)
  })
  return router
}

function macIn(file: string, pattern: RegExp): string | null {
  return canonicalMac(pattern.exec(file)?.[1] ?? '')
}

async function deviceOf(
  { operations, site }: DeviceFileServices,
  request: Request,
  mac: string,
): Promise<DeviceFacts> {
  const device = nobody('rest', addressOf(request))
  const kind = request.path.startsWith('/wyse/') ? 'wyse' : 'thinstation'
  await operations.perform(sightTerminal, device, { mac, kind })
  const { terminal } = await operations.perform(findTerminal, device, { mac })
  return {
    address: site.rdp.publicAddress,
    publicUrl: site.publicUrl,
    terminal,
    pool: site.pools.find(({ name }) => name === terminal?.pool) ?? null,
  }
}

function plain(response: Response, text: string): void {
  response.setHeader('Cache-Control', 'no-store').setHeader('Content-Type', 'text/plain; charset=utf-8')
  response.end(text)
}
