import { createHash } from 'node:crypto'
import { connect as connectPlain, type Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { Agent, type buildConnector } from 'undici'
import { Outage } from '../../base/errors.ts'

/** Whom we believe to be the hypervisor: those the machine trusts, those a CA vouches for, or certain certificates. */
export interface Trust {
  ca: string | undefined
  fingerprints: readonly string[] | undefined
}

const connectMillis = 10_000

/** Certificates that nobody we believe vouches for (codes of Node's tls and OpenSSL). */
const untrusted = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_SIGNATURE_FAILURE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'FINGERPRINT_UNKNOWN',
])

class UnknownFingerprint extends Error {
  readonly code = 'FINGERPRINT_UNKNOWN'
}

/** Why a connection could not be made, if that is its certificate: an outage that waiting does not end. */
export function distrust(hypervisor: string, error: unknown): Outage | undefined {
  const code = codeOf(error)
  if (code === undefined || !untrusted.has(code)) return undefined
  const detail = `The certificate of ${hypervisor} is not trusted (${code}). Name its CA as caFile or its SHA-256 fingerprint under fingerprints in the site's file.`
  return new Outage('hypervisor_unreachable', detail, { transient: false, cause: error })
}

/** The code of an error or of what caused it. */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  if ('code' in error && typeof error.code === 'string' && untrustedOrSocket(error.code)) return error.code
  return codeOf(error.cause)
}

function untrustedOrSocket(code: string): boolean {
  return untrusted.has(code) || /^E[A-Z]+$/.test(code) || code.startsWith('UND_ERR')
}

/**
 * A socket to the API that is ready to be spoken on: nothing is sent before its certificate has been believed, since the
 * first thing sent would be the token.
 */
export function dial(url: URL, trust: Trust, signal?: AbortSignal): Promise<Socket> {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port)
  const isTls = url.protocol === 'https:'
  const socket = isTls ? connectTls({ host, port, ...tlsOptions(host, trust) }) : connectPlain({ host, port })
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      signal?.removeEventListener('abort', cancel)
      socket.destroy()
      reject(error)
    }
    const cancel = () => fail(new Error('aborted'))
    const timeout = () => fail(Object.assign(new Error('no connection in time'), { code: 'ETIMEDOUT' }))
    socket.setTimeout(connectMillis, timeout).once('error', fail)
    signal?.addEventListener('abort', cancel, { once: true })
    socket.once(isTls ? 'secureConnect' : 'connect', () => {
      signal?.removeEventListener('abort', cancel)
      socket.setTimeout(0).off('timeout', timeout).off('error', fail)
      const stranger = 'getPeerX509Certificate' in socket ? strangerOf(socket, trust) : undefined
      if (stranger === undefined) resolve(socket)
      else fail(stranger)
    })
  })
}

function tlsOptions(host: string, { ca, fingerprints }: Trust): ConnectionOptions {
  const servername = /^[\d.]+$|:/.test(host) ? {} : { servername: host }
  if (fingerprints !== undefined) return { ...servername, rejectUnauthorized: false }
  return { ...servername, ...(ca === undefined ? {} : { ca }) }
}

function strangerOf(socket: TLSSocket, { fingerprints }: Trust): Error | undefined {
  if (fingerprints === undefined) return undefined
  const { raw } = socket.getPeerCertificate()
  const hex = createHash('sha256').update(raw).digest('hex').toUpperCase()
  const print = hex.replace(/(..)(?=.)/g, '$1:')
  return fingerprints.includes(print) ? undefined : new UnknownFingerprint(`its fingerprint is ${print}`)
}

/** Connections of HTTP that are made with `dial`, and kept for a while. */
export function agentOf(trust: Trust): Agent {
  const connect: buildConnector.connector = ({ protocol, hostname, port }, callback) => {
    const host = hostname.includes(':') && !hostname.startsWith('[') ? `[${hostname}]` : hostname
    dial(new URL(`${protocol}//${host}:${port}`), trust).then(
      (socket) => callback(null, socket),
      (error: unknown) => callback(error instanceof Error ? error : new Error(String(error)), null),
    )
  }
  // The API closes connections that were idle for five seconds: what is sent on one at that moment would be lost.
  return new Agent({
    connect,
    keepAliveTimeout: 2000,
    headersTimeout: 60_000,
    bodyTimeout: 60_000,
    connections: 16,
  })
}
