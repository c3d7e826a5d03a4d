import { z } from 'zod'
import { IsoDuration } from '../base/duration.ts'
import { HostRule } from '../machines/host.ts'
import { hypervisorCodes } from './outages.ts'
import { HypervisorName, hostsOf, Overcommit } from './common-rule.ts'

/** What making a simulated machine consists of, in order. */
export const simulatorStages = [
  'placing',
  'copying the disk',
  'registering the network',
  'booting',
  'setting up access',
] as const

/**
 * Something that is to go wrong. A call meets the first planned fault that fits it and has not yet happened `times`
 * times; without `machine`, `host` and `stage` it fits every call of its kind.
 */
export const FaultRule = z.strictObject({
  /** The call of the port; `any` is each of them. */
  on: z.enum([
    'any',
    'inventory',
    'provision',
    'status',
    'start',
    'shutdown',
    'powerOff',
    'reset',
    'save',
    'resume',
    'resize',
    'restoreClean',
    'remove',
    'snapshot',
    'revert',
    'forget',
    'capture',
    'images',
    'removeImage',
    'exportImage',
    'importImage',
    'passage',
    'migrate',
    'figures',
    'console',
  ]),
  stage: z.enum(simulatorStages).optional(),
  /** A machine's name or its ref. */
  machine: z.string().optional(),
  host: z.string().optional(),
  times: z.number().int().positive().default(1),
  /** The work is done first and then the answer is lost: what a caller that tries again must survive. */
  late: z.boolean().default(false),
  /**
   * `hang`: no answer until the caller gives up. `gone`: the machine has vanished by the time of the call.
   * Otherwise the call fails as said.
   */
  outage: z.union([
    z.enum(['hang', 'gone']),
    z.strictObject({ code: z.enum(hypervisorCodes), transient: z.boolean() }),
  ]),
})
export type FaultRule = z.infer<typeof FaultRule>
/** A fault as one writes it, with the defaults left out. */
export type FaultInput = z.input<typeof FaultRule>

const endpoint = /^(?:\[([0-9a-f:]+)\]|([^\s:[\]]+)):([1-9]\d{0,4})$/i

const Endpoint = z.string().transform((text, context) => {
  const [, ipv6, host = ipv6, port] = endpoint.exec(text) ?? []
  if (host !== undefined && Number(port) <= 65_535) return { host, port: Number(port) }
  context.addIssue({ code: 'custom', message: 'a host and a port, such as 127.0.0.1:13389' })
  return z.NEVER
})

/** On this machine: whoever can reach it can steer the farm, and its machines listen here too. */
const ServerAddress = z.string().transform((text, context) => {
  if (text.includes('/')) return { path: text }
  const [, ipv6, host = ipv6, port] = endpoint.exec(text) ?? []
  const isHere = host !== undefined && /^(127(\.\d{1,3}){3}|localhost|::1)$/i.test(host)
  if (isHere && Number(port) <= 65_535) return { host, port: Number(port) }
  const message =
    'the path of a socket, such as ./wod.sock, or a port of this machine, such as 127.0.0.1:7070'
  context.addIssue({ code: 'custom', message })
  return z.NEVER
})
export type ServerAddress = z.infer<typeof ServerAddress>

/** A simulated hypervisor as the site's file describes it. */
export const SimulatorRule = z.strictObject({
  name: HypervisorName,
  kind: z.literal('simulator'),
  /** Where `jackdaw simulate` serves it, for sites of several processes. Without one each process has a farm of its own. */
  server: ServerAddress.optional(),
  /** How long one provisioning stage takes, and each change of a machine after that. */
  stage: IsoDuration.prefault('PT0.2S'),
  /** A real RDP server that is to stand behind every simulated Windows machine, instead of the simulated one. */
  rdpAddress: Endpoint.optional(),
  overcommit: Overcommit,
  hosts: hostsOf(HostRule),
  /** Discs that machines with an empty disk may boot from, by name, as real hypervisors have them; nothing reads them. */
  discs: z.record(z.string(), z.string()).default({}),
  /** What is to go wrong, for demonstrations; counted anew at each start. */
  faults: z.array(FaultRule).default([]),
})
export type SimulatorRule = z.infer<typeof SimulatorRule>
