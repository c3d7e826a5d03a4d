import { Client, InvalidCredentialsError, ResultCodeError } from 'ldapts'
import { isIP } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import { messageOf, Outage } from '../../base/errors.ts'
import type { LdapRule } from './rule.ts'

/** Where the directory is, and who we are to it. */
export interface LdapPlace {
  rule: LdapRule
  bindPassword: string
  ca: string | undefined
}

/** Connections to a directory: one to search by, and some to try passwords on. */
export interface Connections {
  /** Searches as the service. @throws Outage when the directory cannot be asked. */
  reading<T>(work: (client: Client) => Promise<T>): Promise<T>
  /**
   * Whether a password is that of a DN.
   * @returns what the directory said when it is not; nothing when it is.
   * @throws Outage when the directory cannot be asked.
   */
  refusesBind(dn: string, password: string): Promise<string | undefined>
  close(): Promise<void>
}

const connectMillis = 5_000
const answerMillis = 8_000
/** Connections that are kept for the next password. */
const idleMost = 8

export function ldapConnections(place: LdapPlace): Connections {
  const { rule, bindPassword } = place
  const idle: Client[] = []
  let reader: Client | undefined
  let opening: Promise<Client> | undefined
  let isClosed = false

  async function opened(): Promise<Client> {
    const tlsOptions = tlsOf(place)
    const client = new Client({
      ...{ url: rule.url, connectTimeout: connectMillis, timeout: answerMillis },
      // Passing options for TLS to a plain connection would turn it into one.
      ...(/^ldaps:/i.test(rule.url) ? { tlsOptions } : {}),
    })
    if (rule.startTls) await client.startTLS(tlsOptions)
    return client
  }

  async function openReader(): Promise<Client> {
    const client = await opened()
    await client.bind(rule.bindDn, bindPassword)
    return client
  }

  /** The one that is open, else the one that is being opened: a thousand who ask at once open one connection. */
  async function currentReader(): Promise<Client> {
    if (reader?.isConnected === true) return reader
    opening ??= openReader()
      .then((client) => (reader = client))
      .finally(() => (opening = undefined))
    return opening
  }

  return {
    async reading(work) {
      if (isClosed) throw unreachable(rule, 'it was closed')
      try {
        return await work(await currentReader())
      } catch (error) {
        throw outageOf(rule, error)
      }
    },
    async refusesBind(dn, password) {
      if (isClosed) throw unreachable(rule, 'it was closed')
      try {
        const client = takeIdle(idle) ?? (await opened())
        const refusal = await bound(client, dn, password)
        if (idle.length < idleMost && client.isConnected) idle.push(client)
        else await client.unbind().catch(() => undefined)
        return refusal
      } catch (error) {
        throw outageOf(rule, error)
      }
    },
    async close() {
      isClosed = true
      await opening?.catch(() => undefined)
      const all = [...idle.splice(0), ...(reader === undefined ? [] : [reader])]
      await Promise.all(all.map((client) => client.unbind().catch(() => undefined)))
    },
  }
}

function takeIdle(idle: Client[]): Client | undefined {
  for (let client = idle.pop(); client !== undefined; client = idle.pop()) {
    if (client.isConnected) return client
  }
  return undefined
}

async function bound(client: Client, dn: string, password: string): Promise<string | undefined> {
  try {
    await client.bind(dn, password)
    return undefined
  } catch (error) {
    if (error instanceof InvalidCredentialsError) return error.message
    await client.unbind().catch(() => undefined)
    throw error
  }
}

/** With the name that its certificate must bear: a connection that is upgraded would be taken for one to localhost. */
function tlsOf({ rule, ca }: LdapPlace): ConnectionOptions {
  const host = new URL(rule.url).hostname.replace(/^\[(.*)\]$/, '$1')
  const name = isIP(host) === 0 ? { servername: host } : {}
  return { host, ...name, ...(ca === undefined ? {} : { ca }) }
}

/** A directory that answers "no" will say so again; one that does not answer may do so later. */
function outageOf(rule: LdapRule, error: unknown): Outage {
  if (error instanceof Outage) return error
  if (error instanceof InvalidCredentialsError) {
    const detail = `the directory ${rule.url} refuses the password of ${rule.bindDn}`
    return new Outage('directory_refused', detail, { transient: false, cause: error })
  }
  if (error instanceof ResultCodeError) {
    const detail = `the directory ${rule.url} answered: ${error.message}`
    return new Outage('directory_refused', detail, { transient: true, cause: error })
  }
  return unreachable(rule, messageOf(error), error)
}

function unreachable(rule: LdapRule, why: string, cause?: unknown): Outage {
  return new Outage('directory_unreachable', `the directory ${rule.url} cannot be asked: ${why}`, {
    transient: true,
    cause,
  })
}
