import { counted } from '../../base/text.ts'
import type { FiguresView } from '../../operations/show-figures.ts'

/** What its hypervisor says of it at this moment. */
export function Figures({ figures }: { figures: FiguresView }) {
  const { uptimeSeconds, cpuLoad, memoryUsedGb, heartbeat, disks, networks, thumbnail, problems } = figures
  const beats = { ok: 'the guest answers', lost: 'the guest does not answer', none: 'none' } as const
  return (
    <section aria-labelledby="figures">
      <h2 id="figures">Now</h2>
      {problems.map((problem) => (
        <p class="notice warn">{problem}</p>
      ))}
      {thumbnail === null ? null : <img src={thumbnail} alt={`The screen of ${figures.name}`} width="320" />}
      <dl class="facts">
        <Row name="Running for">{uptimeSeconds === null ? null : duration(uptimeSeconds)}</Row>
        <Row name="Processors">{cpuLoad === null ? null : `${Math.round(cpuLoad * 100)} % in use`}</Row>
        <Row name="Memory">{memoryUsedGb === null ? null : `${rounded(memoryUsedGb)} GB in use`}</Row>
        <Row name="Heartbeat">{beats[heartbeat]}</Row>
        {disks.map(({ name, sizeGb, readBytes, writtenBytes }) => (
          <Row name={`Disk ${name}`}>{traffic(sizeGb, ['read', readBytes], ['written', writtenBytes])}</Row>
        ))}
        {networks.map(({ name, mac, receivedBytes, sentBytes }) => (
          <Row name={`Network ${name}`}>
            {[mac, traffic(null, ['received', receivedBytes], ['sent', sentBytes])]
              .filter(Boolean)
              .join(', ')}
          </Row>
        ))}
      </dl>
    </section>
  )
}

function Row({ name, children }: { name: string; children: string | null }) {
  if (children === null || children === '') return null
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

function traffic(sizeGb: number | null, ...moved: [string, number | null][]): string {
  const parts = moved.flatMap(([verb, bytes]) => (bytes === null ? [] : [`${megabytes(bytes)} ${verb}`]))
  return [sizeGb === null ? '' : `${rounded(sizeGb)} GB`, ...parts].filter((part) => part !== '').join(', ')
}

function megabytes(bytes: number): string {
  return `${rounded(bytes / 1_000_000)} MB`
}

function rounded(amount: number): number {
  return Math.round(amount * 10) / 10
}

function duration(seconds: number): string {
  const [days, hours, minutes] = [seconds / 86_400, (seconds / 3600) % 24, (seconds / 60) % 60].map(
    Math.floor,
  )
  if (days !== undefined && days > 0) return `${counted(days, 'day')}, ${counted(hours ?? 0, 'hour')}`
  return hours !== undefined && hours > 0
    ? `${counted(hours, 'hour')}, ${counted(minutes ?? 0, 'minute')}`
    : counted(minutes ?? 0, 'minute')
}
