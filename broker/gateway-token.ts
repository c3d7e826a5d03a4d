import { seal } from '../src/base/seal.ts'
import { type Instant, millis } from '../src/base/clock.ts'

/** What an rdpgw gateway is told about one connection. */
export interface GatewayGrant {
  user: string
  /** Where the gateway may connect: the router, `host:port` as the RDP file names it. */
  server: string
  /** Where the client must come from, as the gateway sees it; null lets it come from anywhere. */
  clientAddress: string | null
  now: Instant
  /** The end of the lease: clients that dial again show the same token. */
  until: Instant
}

/**
 * A token that has an rdpgw gateway (bolkedebruin/rdpgw, the self-contained form) admit one person to one server: a JWT
 * (RFC 7519) sealed with HS256 under the gateway's `PAATokenSigningKey`.
 */
export function gatewayToken(key: string, grant: GatewayGrant): string {
  const claims = {
    iss: 'rdpgw',
    aud: ['rdpgw-paa'],
    sub: grant.user,
    iat: seconds(grant.now),
    nbf: seconds(grant.now),
    exp: seconds(grant.until),
    remoteServer: grant.server,
    ...(grant.clientAddress === null ? {} : { clientIp: grant.clientAddress }),
  }
  const body = `${encoded({ alg: 'HS256', typ: 'JWT' })}.${encoded(claims)}`
  return `${body}.${seal(key, body)}`
}

function seconds(at: Instant): number {
  return Math.floor(millis(at) / 1000)
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
