/**
 * Where one process listens and keeps what is its own, in place of what the site's file says: several processes of a
 * site share the file.
 */
export interface Here {
  http?: Endpoint | undefined
  rdp?: Endpoint | undefined
  /** The folder for what a process keeps for itself. */
  data?: string | undefined
}

export interface Endpoint {
  host: string
  port: number
}

/** The file's data with what is otherwise for this process. It is looked through for faults afterwards. */
export function withHere(root: unknown, { http, rdp, data }: Here): unknown {
  if (!isRecord(root)) return root
  return {
    ...root,
    ...part(root, 'http', http),
    ...part(root, 'rdp', rdp),
    ...part(root, 'store', data === undefined ? undefined : { path: data }),
  }
}

function part(root: Record<string, unknown>, key: string, changes: object | undefined): object {
  const known = root[key]
  return changes === undefined || !isRecord(known) ? {} : { [key]: { ...known, ...changes } }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** `host:port`, an IPv6 address in brackets, as it is given on the command line. */
export function parseEndpoint(text: string): Endpoint | undefined {
  const [, ipv6, name, port] = /^(?:\[([0-9a-f:.]+)\]|([^\s:[\]]+)):(\d{1,5})$/i.exec(text) ?? []
  const host = ipv6 ?? name
  return host === undefined ? undefined : { host, port: Number(port) }
}
