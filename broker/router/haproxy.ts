import { isIPv6 } from 'node:net'
import type { Target } from './sessions.ts'

/** What HAProxy (2.6 or later) is to be told, so that it carries the bytes of sessions whose ticket is known. */
export interface HaproxySettings {
  /** Where clients dial, `host:port`. */
  bind: string
  /** Its map from tickets to desktops, which is changed while it runs. The file only names it, and may be empty. */
  mapPath: string
  /** Its runtime socket. */
  socketPath: string
  /** Our own router: whatever HAProxy does not know goes there, with the PROXY protocol. */
  router: Target
  /** Memory for each direction of a session that is moving. The default of 16 KB is slow in bulk. */
  bufferBytes?: number
  threads?: number
}

/**
 * A configuration for HAProxy as a data plane. A ticket that stands in the map leads straight to its desktop; everything
 * else (collections, terminals, names, tickets that are not offered yet) is decided by our own router behind it.
 */
export function haproxyConfig(settings: HaproxySettings): string {
  const { bind, mapPath, socketPath, router, bufferBytes = 65_536, threads } = settings
  const ticket = `req.rdp_cookie(msts),map_str(${mapPath})`
  return `global
  stats socket ${socketPath} mode 600 level admin
  stats timeout 1h
  tune.bufsize ${bufferBytes}
${threads === undefined ? '' : `  nbthread ${threads}\n`}
defaults
  mode tcp
  timeout connect 5s
  timeout client 24h
  timeout server 24h
  timeout client-fin 10s
  timeout server-fin 10s
  option clitcpka
  option srvtcpka
  option redispatch

frontend rdp
  bind ${bind}
  tcp-request inspect-delay 5s
  tcp-request content reject if !{ req_len gt 10 } WAIT_END
  tcp-request content set-var(sess.desktop) ${ticket}
  tcp-request content set-dst var(sess.desktop),field(1,'|') if { var(sess.desktop) -m found }
  tcp-request content set-dst-port var(sess.desktop),field(2,'|') if { var(sess.desktop) -m found }
  use_backend desktops if { var(sess.desktop) -m found }
  default_backend router

backend desktops
  server dynamic 0.0.0.0:0

backend router
  server router ${hostText(router.host)}:${router.port} send-proxy-v2
`
}

/** What stands in the map for a desktop. */
export function mapValue({ host, port }: Target): string {
  return `${host}|${port}`
}

function hostText(host: string): string {
  return isIPv6(host) ? `[${host}]` : host
}
