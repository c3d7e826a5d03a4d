import { z } from 'zod'

/** What a router's thread and its owner say to each other, read where it comes in. */

const Endpoint = z.object({ host: z.string(), port: z.number() })

export const SourceWords = z.object({ address: z.string(), port: z.number(), localPort: z.number() })

export const TrafficWords = z.object({
  toDesktop: z.number(),
  toClient: z.number(),
  firstByteAt: z.number().nullable(),
  lastByteAt: z.number().nullable(),
  lastInputAt: z.number().nullable(),
})

export const FoundWords = z.object({
  lease: z.string(),
  target: Endpoint,
  endsAt: z.number().nullable().default(null),
  idleMillis: z.number().nullable().default(null),
})

export const FindWords = z.object({
  said: z.object({
    routingToken: z.string().nullable(),
    mstshash: z.string().nullable(),
    pcb: z.string().nullable(),
    requestedProtocols: z.number().nullable(),
  }),
  source: SourceWords,
})

export const ConnectedWords = z.object({
  lease: z.string(),
  info: z.object({ id: z.number(), source: SourceWords, target: Endpoint }),
})

export const DisconnectedWords = z.object({
  lease: z.string(),
  end: z.object({ id: z.number(), reason: z.string(), traffic: TrafficWords }),
})

export const LogWords = z.object({
  level: z.enum(['debug', 'info', 'warn', 'error']),
  facts: z.record(z.string(), z.unknown()),
  text: z.string(),
})

export const CloseWords = z.object({ lease: z.string(), reason: z.string() })
export const LimitWords = z.object({ lease: z.string(), endsAt: z.number().nullable() })
export const SessionsWords = z.array(
  FoundWords.extend({ id: z.number(), source: SourceWords, traffic: TrafficWords }),
)
export const CountsWords = z.object({ open: z.number(), outcomes: z.record(z.string(), z.number()) })
export const BoundWords = z.object({ address: z.string(), port: z.number() })

export const SettingsWords = z.object({
  host: z.string(),
  port: z.number(),
  morePorts: z.array(z.number()).default([]),
  proxies: z.array(z.string()).default([]),
  greetingMillis: z.number().default(10_000),
  connectMillis: z.number().default(5_000),
  holdMillis: z.number().default(0),
  lingerMillis: z.number().default(10_000),
  mostSilent: z.number().default(4096),
})
