import { counted } from '../../src/base/text.ts'
import type { FiguresView } from '../../src/operations/show-figures.ts'
import type { Card } from '../card.ts'
import type { Drawing } from './drawing.ts'
import { buttons, card, facts, lineButton, link, table, words } from './parts.ts'
import { when } from './words.ts'

const beats = {
  ok: 'the guest answers',
  lost: 'the guest does not answer',
  none: 'nothing in the guest tells',
} as const

/** What a machine is and does now, in figures. What could not be found out is said and hides nothing else. */
export function figuresCard(found: FiguresView, page: string, drawing: Drawing): Card {
  const { name, uptimeSeconds, cpuLoad, memoryUsedGb, heartbeat, problems } = found
  const runs = uptimeSeconds === null ? 'does not run' : `has run for ${duration(uptimeSeconds)}`
  return card({
    summary: `${name} ${runs}${cpuLoad === null ? '' : `, with ${percent(cpuLoad)} of its processors in use`}.`,
    title: `${name} now`,
    tone: problems.length === 0 ? 'neutral' : 'warn',
    parts: [
      ...problems.slice(0, 5).map((problem) => words(problem)),
      facts(
        ['Running for', uptimeSeconds === null ? null : duration(uptimeSeconds)],
        ['Processors', cpuLoad === null ? null : `${percent(cpuLoad)} in use`],
        ['Memory', memoryUsedGb === null ? null : `${rounded(memoryUsedGb)} GB in use`],
        ['Heartbeat', beats[heartbeat]],
        ['On', found.hypervisor],
        [
          'Snapshots',
          found.snapshots.map(({ name, takenAt }) => `${name}, ${when(takenAt, drawing)}`).join('; '),
        ],
      ),
      table(
        'Disks',
        ['Disk', 'Size', 'Read', 'Written'],
        found.disks.map((disk) => [
          disk.name,
          disk.sizeGb === null ? '' : `${rounded(disk.sizeGb)} GB`,
          amount(disk.readBytes),
          amount(disk.writtenBytes),
        ]),
      ),
      table(
        'Adapters',
        ['Network', 'Address (MAC)', 'Received', 'Sent'],
        found.networks.map(({ name, mac, receivedBytes, sentBytes }) => [
          ...[name, mac ?? '', amount(receivedBytes), amount(sentBytes)],
        ]),
      ),
      buttons(lineButton('Console', `console "${name}"`, { spoken: `Console of ${name}` })),
      link('With a picture of its screen, in the portal', page),
    ],
  })
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}

function rounded(size: number): number {
  return Math.round(size * 10) / 10
}

function amount(bytes: number | null): string {
  if (bytes === null) return ''
  return bytes < 1_000_000 ? `${Math.round(bytes / 1000)} kB` : `${rounded(bytes / 1_000_000)} MB`
}

function duration(seconds: number): string {
  const [days, hours, minutes] = [seconds / 86_400, (seconds / 3600) % 24, (seconds / 60) % 60].map(
    Math.floor,
  )
  if (days !== undefined && days > 0) return `${counted(days, 'day')} and ${counted(hours ?? 0, 'hour')}`
  return hours !== undefined && hours > 0
    ? `${counted(hours, 'hour')} and ${counted(minutes ?? 0, 'minute')}`
    : counted(minutes ?? 0, 'minute')
}
