import type { Instant } from '../src/base/clock.ts'
import { gatewayToken } from './gateway-token.ts'
import type { RdpSigner } from './rdp-signer.ts'

/** For whom and how long a file is. */
export interface RdpReader {
  user: string
  /** Where they ask from. */
  address: string | null
  now: Instant
  /** The end of their lease. */
  until: Instant
}

/** Completes the text of an RDP file just before it is handed out. */
export type RdpFinish = (rdp: string, reader: RdpReader) => Promise<string>

/** Hands files out as they are. */
export const unfinished: RdpFinish = (rdp) => Promise.resolve(rdp)

export interface FinishOptions {
  signer: RdpSigner
  gateway?: { key: string; bindClient: boolean }
  /** What files dial, as the gateway is told: `host:port`. */
  server: string
}

/** Adds the gateway's token, which a signature does not cover, and signs. */
export function rdpFinish({ signer, gateway, server }: FinishOptions): RdpFinish {
  return (rdp, { user, address, now, until }) => {
    // A file that names no gateway, such as one for Windows CE, needs no token for it.
    if (gateway === undefined || !/^gatewayhostname:s:/m.test(rdp)) return signer.sign(rdp)
    const clientAddress = gateway.bindClient ? address : null
    const token = gatewayToken(gateway.key, { user, server, clientAddress, now, until })
    return signer.sign(`${rdp}gatewayaccesstoken:s:${token}\r\n`)
  }
}
