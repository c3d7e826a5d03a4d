import { counted } from '../../src/base/text.ts'
import type { Card } from '../card.ts'
import type { Drawing } from './drawing.ts'
import type { Button } from '../card.ts'
import { button, buttons, card, lineButton, table, words } from './parts.ts'
import { relative } from './words.ts'

/** A host as its operation shows it. */
export interface HostView {
  name: string
  hypervisor: string
  state: 'up' | 'draining' | 'down'
  group: string
  cpus: number
  memoryGb: number
  slots: number
  machines: number
  usedCpus: number
  usedMemoryGb: number
  seenAt: string
  drain: { by: string; doneAt: string | null; why: { machine: string; why: string }[] } | null
}

/** The hosts and how full they are. */
export function hostsCard(hosts: readonly HostView[], drawing: Drawing): Card {
  const down = hosts.filter(({ state }) => state === 'down')
  const trouble =
    down.length === 0
      ? 'all answer'
      : `${down.map(({ name }) => name).join(', ')} ${down.length === 1 ? 'does' : 'do'} not answer`
  const up = hosts.filter(({ state }) => state === 'up')
  const free = up.reduce((sum, { slots, machines }) => sum + Math.max(0, slots - machines), 0)
  return card({
    summary:
      hosts.length === 0
        ? 'No host has been seen yet.'
        : `${counted(hosts.length, 'host')}, ${trouble}; ${counted(free, 'slot')} free.`,
    title: 'Hosts',
    tone: down.length === 0 ? 'neutral' : 'bad',
    parts: [
      table(
        'Hosts',
        ['Host', 'State', 'Group', 'Machines', 'CPUs', 'Memory in GB', 'Last seen'],
        hosts.map((host) => [
          host.name,
          stateOf(host),
          host.group,
          `${host.machines} of ${host.slots}`,
          `${host.usedCpus} given, ${host.cpus} real`,
          `${host.usedMemoryGb} of ${host.memoryGb}`,
          relative(host.seenAt, drawing.now),
        ]),
      ),
      words(hosts.flatMap(drainWords).join('\n')),
      drawing.reader.roles.includes('operator') ? buttons(...hosts.flatMap(returnButtons)) : undefined,
    ],
  })
}

function stateOf({ state, drain }: HostView): string {
  if (drain === null || state === 'down') return state
  return drain.doneAt === null ? 'being emptied' : 'empty for maintenance'
}

function drainWords({ name, drain }: HostView): string[] {
  return (drain?.why ?? []).map(({ machine, why }) => `${machine} could not leave ${name}: ${why}`)
}

function returnButtons({ name, drain }: HostView): (Button | undefined)[] {
  if (drain === null) return []
  return [
    lineButton(`Return ${name}`, `return "${name}"`),
    button({
      label: `Return and bring back`,
      action: 'return-host',
      value: name,
      spoken: `Return ${name} and bring back what was moved`,
    }),
  ]
}
