import { IANAZone } from 'luxon'
import { isIP } from 'node:net'
import { z } from 'zod'
import { ChatRules } from '../../bot/rules.ts'
import { DesktopPolicy } from '../../broker/pool-standing.ts'
import { PoolRule } from '../../broker/pool.ts'
import { TerminalRule } from '../../broker/terminal.ts'
import { BudgetRule } from '../../pricing/budget.ts'
import { PricePolicy, Tariff } from '../../pricing/tariff.ts'
import { IsoDuration, roughMillis } from '../base/duration.ts'
import { HypervisorRule } from '../hypervisors/open.ts'
import { IdentityRule } from '../identity/open.ts'
import { MachinePolicy } from '../machines/expiry.ts'
import { GroupRule } from '../machines/group.ts'
import { Template } from '../machines/template.ts'
import { RegistrationRule } from '../registration/open.ts'
import { ApprovalPolicy } from '../requests/approval.ts'
import { isDatabaseUrl } from '../store/postgres/address.ts'
import { nameRuleFault } from './name-rule.ts'
import { nearest } from './near.ts'

/** A host name (RFC 1123 §2.1) or an IP address to listen on. */
const Host = z.string().refine(isHost, 'a host name or an IP address')

/** 0 takes any free port, for trials. */
const Port = z.number().int().min(0).max(65_535)

/** `host:port` as RDP files name a server; an IPv6 address stands in brackets. */
const HostAndPort = z.string().refine(isHostAndPort, 'a host and a port, such as desktops.example.org:3389')

/** Whom is believed on whose behalf a request comes: an address, or a network such as 10.0.0.0/8. */
const Proxy = z.string().refine(isNetwork, 'an IP address or a network, such as 127.0.0.1 or 10.0.0.0/8')

/** Shorter would take a process for lost that is only slow for a moment. */
const Takeover = IsoDuration.refine((duration) => {
  const millis = roughMillis(duration)
  return millis >= 3_000 && millis <= 600_000
}, 'from PT3S to PT10M')

const TimeZone = z
  .string()
  .superRefine(oneOf(IANAZone.isValidZone.bind(IANAZone), 'timeZone', 'a time zone such as Europe/Zurich'))

const Currency = z
  .string()
  .superRefine(oneOf((code) => currencies.has(code), 'currency', 'a currency code of ISO 4217 such as CHF'))

const currencies = new Set(Intl.supportedValuesOf('currency'))

const PublicUrl = z
  .string()
  .refine(isWebAddress, 'where browsers reach the site, such as https://desktops.example.org')
  .transform((text) => text.replace(/\/+$/, ''))

/** The value is not repeated: a password may stand in it. */
const DatabaseUrl = z.string().superRefine((text, context) => {
  if (isDatabaseUrl(text)) return
  const message = 'should be a URL such as postgres://user@host:5432/database'
  context.addIssue({ code: 'custom', message, params: { wrong: 'is not the URL of a database' } })
})

const NameRule = z.string().transform((pattern, context) => {
  const fault = nameRuleFault(pattern)
  if (fault === undefined) return new RegExp(pattern)
  context.addIssue({ code: 'custom', message: fault.right, params: { wrong: fault.wrong } })
  return z.NEVER
})

const People = z.array(z.string().transform((name) => name.toLowerCase())).default([])

/** A site's file, as `demo.yaml` shows it. Each domain says what its own part looks like. */
export const SiteFile = z.strictObject({
  site: z.strictObject({
    name: z.string().min(1).max(100),
    timezone: TimeZone,
    currency: Currency,
    publicUrl: PublicUrl,
  }),
  http: z.strictObject({
    host: Host,
    port: Port,
    /** Proxies whose `X-Forwarded-For` says where a request comes from. */
    proxies: z.array(Proxy).optional(),
  }),
  rdp: z.strictObject({
    host: Host,
    port: Port,
    publicAddress: HostAndPort,
    /** Proxies in front of the router that say whom they speak for (PROXY protocol, version 2). */
    proxies: z.array(Proxy).optional(),
    /** How long a connection is held while its desktop wakes. Clients give up after some 10 seconds. */
    hold: IsoDuration.optional(),
    /** HAProxy in front, which carries the bytes of sessions whose ticket is known: its runtime socket and its map. */
    haproxy: z
      .strictObject({ socket: z.string().min(1), map: z.string().min(1), bind: HostAndPort })
      .optional(),
    /** PEM files: the certificate that signs RDP files with its chain, and its key. Both absent, they are made. */
    signing: z.strictObject({ certificate: z.string().min(1), key: z.string().min(1) }).optional(),
    /** An rdpgw gateway in front of the router. */
    gateway: z
      .strictObject({
        address: HostAndPort,
        /** A file with its `PAATokenSigningKey`. */
        keyFile: z.string().min(1),
        /** Whether a token is good only from the address that asked for it, as rdpgw checks unless told otherwise. */
        bindClient: z.boolean().default(true),
      })
      .optional(),
  }),
  store: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('lowdb'), path: z.string().min(1) }),
    z.strictObject({
      kind: z.literal('postgres'),
      /** For what a process keeps for itself; the site is in the database. */
      path: z.string().min(1).default('./data'),
      url: DatabaseUrl.optional(),
      urlFile: z.string().min(1).optional(),
      connections: z.int().min(2).max(100).optional(),
      /** How long nothing may be heard of a process before others take over what it had in hand. */
      takeover: Takeover.optional(),
    }),
  ]),
  identity: IdentityRule,
  roles: z.strictObject({ operator: People, auditor: People }).prefault({}),
  hypervisors: z.array(HypervisorRule).min(1),
  /** Who has to know of machines before they first boot. */
  registration: z.array(RegistrationRule).default([]),
  groups: z.array(GroupRule).default([]),
  templates: z.array(Template).min(1),
  tariffs: z.array(Tariff).min(1),
  budgets: z.array(BudgetRule).default([]),
  policies: z.strictObject({
    approvals: ApprovalPolicy,
    machines: MachinePolicy,
    names: NameRule,
    prices: PricePolicy.prefault({}),
    desktops: DesktopPolicy.prefault({}),
  }),
  pools: z.array(PoolRule).default([]),
  terminals: z.array(TerminalRule).default([]),
  /** Where people's files of disks are, for import and export: a folder that the hypervisors see under the same path. */
  library: z
    .strictObject({
      folder: z.string().min(1),
      /** How large a file may be that somebody sends through the portal or the API. */
      uploadGb: z.number().positive().max(16_384).default(40),
    })
    .optional(),
  chat: ChatRules.prefault({}),
})
export type SiteFile = z.infer<typeof SiteFile>

function oneOf(isKnown: (word: string) => boolean, kind: 'currency' | 'timeZone', right: string) {
  return (word: string, context: z.RefinementCtx) => {
    if (isKnown(word)) return
    const meant = nearest(word, Intl.supportedValuesOf(kind))
    const hint = meant === undefined ? `should be ${right}` : `perhaps ${meant} is meant`
    context.addIssue({ code: 'custom', message: hint, params: { wrong: `is ${JSON.stringify(word)}` } })
  }
}

function isHost(text: string): boolean {
  const label = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i
  return (
    isIP(text) !== 0 ||
    (text.length <= 253 && !/^[\d.]+$/.test(text) && text.split('.').every((part) => label.test(part)))
  )
}

function isNetwork(text: string): boolean {
  const [, address = '', bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? []
  const version = isIP(address)
  return version !== 0 && Number(bits ?? 0) <= (version === 4 ? 32 : 128)
}

function isHostAndPort(text: string): boolean {
  const [, ipv6, name, port] = /^(?:\[([0-9a-f:.]+)\]|([^\s:[\]]+)):(\d{1,5})$/i.exec(text) ?? []
  const isRightPort = Number(port) >= 1 && Number(port) <= 65_535
  return isRightPort && (ipv6 === undefined ? isHost(name ?? '') : isIP(ipv6) === 6)
}

/** Links are made by adding a path, so nothing may follow it and nobody's name may stand in it. */
function isWebAddress(text: string): boolean {
  if (!URL.canParse(text) || /\s/.test(text)) return false
  const { protocol, username, password, search, hash } = new URL(text)
  return /^https?:$/.test(protocol) && [username, password, search, hash].every((part) => part === '')
}
