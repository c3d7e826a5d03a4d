import { counted, list } from '../../src/base/text.ts'
import type { Card } from '../card.ts'
import { card, table } from './parts.ts'

/** What the operation tells: the scores only to operators. */
export interface PlacementView {
  fits: boolean
  cpus: number
  memoryGb: number
  count: number
  hosts: {
    host: string
    group: string
    reasons: string[]
    stars?: number | null | undefined
    free?: { memory: number; cpus: number; slots: number } | null | undefined
    takes?: number | undefined
  }[]
}

/** Where servers would go, host by host, and why not. */
export function placementCard(placement: PlacementView, template?: string): Card {
  const { fits, count, cpus, memoryGb, hosts } = placement
  const what = `${counted(count, 'server')} of ${counted(cpus, 'CPU')} and ${memoryGb} GB${template === undefined ? '' : ` with ${template}`}`
  const isScored = hosts.some(({ takes }) => takes !== undefined)
  return card({
    summary: `There is ${fits ? '' : 'no '}room for ${what}.`,
    title: 'Where it would go',
    tone: fits ? 'good' : 'bad',
    parts: [isScored ? scored(hosts) : reasons(hosts)],
  })
}

function reasons(hosts: PlacementView['hosts']) {
  const rows = hosts.map((one) => [one.host, one.group, whyNot(one)])
  return table('Hosts', ['Host', 'Group', 'Why not'], rows)
}

function scored(hosts: PlacementView['hosts']) {
  const rows = hosts.map((one) => {
    const { host, group, takes = 0, stars, free } = one
    const left = free === null || free === undefined ? '' : leftOf(free)
    return [host, group, String(takes), stars === null ? '' : `${stars ?? 0} of 5`, left, whyNot(one)]
  })
  return table('Hosts', ['Host', 'Group', 'Gets', 'Stars', 'Free with one on it', 'Why not'], rows)
}

function whyNot({ reasons: why }: PlacementView['hosts'][number]): string {
  return list(why)
}

function leftOf({ memory, cpus, slots }: { memory: number; cpus: number; slots: number }): string {
  return `memory ${percent(memory)}, CPUs ${percent(cpus)}, slots ${percent(slots)}`
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}
