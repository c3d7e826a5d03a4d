import { isIP } from 'node:net'
import { z } from 'zod'
import { IsoDuration, roughMillis } from '../base/duration.ts'
import { SecretRule } from '../base/secret.ts'
import { type Answer, nsupdate } from './nsupdate.ts'
import { type Entry, type Registrar, registrationRefused } from './registrar.ts'
import { reverseName, zoneOf } from './reverse.ts'

const Zone = z.string().regex(/^([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?\.)*[a-z0-9-]{1,63}$/, 'a DNS zone')

/** A name server that takes dynamic updates (RFC 2136), signed with a key that it shares with us (TSIG, RFC 8945). */
export const DnsRule = z.strictObject({
  kind: z.literal('dns'),
  /** The primary server of the zones: a name or an IP address. */
  server: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9.:-]{0,252}$/, 'a host name or an IP address'),
  port: z.int().min(1).max(65_535).default(53),
  /** Machines get a name in it. */
  zone: Zone,
  /** Zones for the way back from addresses to names, such as 128.10.in-addr.arpa. */
  reverse: z.array(Zone).default([]),
  /** How long others may remember an answer. */
  ttl: IsoDuration.prefault('PT5M'),
  key: z.strictObject({
    name: Zone,
    algorithm: z.enum(['hmac-sha256', 'hmac-sha384', 'hmac-sha512']).default('hmac-sha256'),
    /** In base64, as `tsig-keygen` writes it. */
    secret: SecretRule,
  }),
})
export type DnsRule = z.infer<typeof DnsRule>

/**
 * Keeps machines in the DNS. A name is ours when a text record beside it says so with the machine's ref; what others
 * put there is never changed.
 */
export function dnsRegistrar(rule: DnsRule, secret: string): Registrar {
  const { server, zone, reverse } = rule
  const name = `the name server ${server}`
  const seconds = Math.max(1, Math.round(roughMillis(rule.ttl) / 1000))
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(secret)) {
    throw registrationRefused(`The secret of the key ${rule.key.name} is not base64.`)
  }

  function update(of: string, lines: readonly string[], signal: AbortSignal): Promise<Answer> {
    const { key, port } = rule
    const head = [`server ${server} ${port}`, `key ${key.algorithm}:${key.name} ${secret}`, `zone ${of}.`]
    return nsupdate(server, [...head, ...lines, 'send', ''].join('\n'), signal)
  }

  const fqdn = (entry: Entry): string => `${entry.name}.${zone}.`
  const mark = (entry: Entry): string => `TXT "jackdaw ${entry.ref}"`
  const isOurs = (entry: Entry): string => `prereq yxrrset ${fqdn(entry)} ${mark(entry)}`

  async function pointBack(entry: Entry, lines: (back: string) => string[], signal: AbortSignal) {
    const back = entry.address === null ? undefined : reverseName(entry.address)
    const of = back === undefined ? undefined : zoneOf(back, reverse)
    if (back !== undefined && of !== undefined) await update(of, lines(`${back}.`), signal)
  }

  return {
    name,
    async register(entry, signal) {
      const add = [`prereq nxdomain ${fqdn(entry)}`, `update add ${fqdn(entry)} ${seconds} ${mark(entry)}`]
      const answer = await update(zone, add, signal)
      const isThere = answer !== 'NOERROR' && (await update(zone, [isOurs(entry)], signal)) === 'NOERROR'
      if (answer === 'NOERROR' || isThere) return { address: null }
      throw registrationRefused(
        `${entry.name}.${zone} is in the DNS already and is not this machine. Choose another name.`,
      )
    },
    async locate(entry, signal) {
      const type = isIP(entry.address) === 6 ? 'AAAA' : 'A'
      const change = [
        isOurs(entry),
        ...['A', 'AAAA'].map((each) => `update delete ${fqdn(entry)} ${each}`),
        `update add ${fqdn(entry)} ${seconds} ${type} ${entry.address}`,
      ]
      if ((await update(zone, change, signal)) !== 'NOERROR') {
        throw registrationRefused(`${entry.name}.${zone} is not this machine's in the DNS any more.`)
      }
      const point = (back: string) => [
        `update delete ${back} PTR`,
        `update add ${back} ${seconds} PTR ${fqdn(entry)}`,
      ]
      await pointBack(entry, point, signal)
      const past = { ...entry, address: entry.formerly }
      await pointBack(past, (back) => [`update delete ${back} PTR ${fqdn(entry)}`], signal)
    },
    async deregister(entry, signal) {
      await update(zone, [isOurs(entry), `update delete ${fqdn(entry)}`], signal)
      await pointBack(entry, (back) => [`update delete ${back} PTR ${fqdn(entry)}`], signal)
    },
    async check(signal) {
      for (const each of [zone, ...reverse]) {
        const answer = await update(each, [`prereq yxdomain ${each}.`], signal)
        if (answer !== 'NOERROR') throw registrationRefused(`${server} has no zone ${each}.`)
      }
    },
  }
}
