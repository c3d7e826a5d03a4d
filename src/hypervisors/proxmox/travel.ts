import type { Hypervisor, Passage } from '../hypervisor.ts'
import { hostUnreachable, refused } from '../outages.ts'
import { MigrationCheck, NodeStatus } from './answers.ts'
import type { Cluster, Place } from './cluster.ts'
import { drivesIn, partsOf } from './device.ts'
import type { Switches } from './power.ts'
import { powerOf } from './state.ts'

const arrivalMillis = 1000
const mostLooks = 600

/** Moving machines between the nodes of a cluster. */
export function travel(world: Cluster, switches: Switches): Pick<Hypervisor, 'passage' | 'migrate'> {
  return {
    async passage(ref, host, signal) {
      signal.throwIfAborted()
      return passageOf(world, await world.machine(ref, signal), host, signal)
    },
    async migrate(ref, host, signal, progress) {
      signal.throwIfAborted()
      const place = await world.machine(ref, signal)
      if (place.node === host) return
      const passage = await passageOf(world, place, host, signal)
      if (passage.how === 'none') throw refused(passage.why)
      const power = powerOf(await world.status(place, signal))
      if (power === 'saved') await moveSaved(world, switches, place, host, signal, progress)
      else await move(world, place, { host, isRunning: power !== 'stopped' }, signal, progress)
    },
  }
}

async function passageOf(world: Cluster, place: Place, host: string, signal: AbortSignal): Promise<Passage> {
  const none = (why: string): Passage => ({ how: 'none', why })
  if (!world.rule.hosts.some(({ name }) => name === host)) return none(`There is no host ${host}.`)
  if ((await world.nodes(signal)).get(host)?.isUp !== true) return none(`Host ${host} does not respond.`)
  const power = powerOf(await world.status(place, signal))
  if (place.node === host) return power === 'running' ? { how: 'live' } : asDisk(power)
  // Nobody may ask about a saved machine: it is locked. What would hinder it shows once it goes on.
  if (power === 'saved') return (await cpuHindrance(world, place, host, signal)) ?? asDisk(power)
  const path = `/nodes/${place.node}/qemu/${place.vmid}/migrate`
  const check = await world.client.get(path, MigrationCheck, signal, { target: host })
  const isAllowed = check.allowed_nodes?.includes(host) ?? check.not_allowed_nodes?.[host] === undefined
  if (!isAllowed) return none(`Proxmox VE does not let it go to ${host}: ${hindrances(check, host)}.`)
  if (check.local_resources.length > 0) {
    return none(`It uses what only ${place.node} has: ${check.local_resources.join(', ')}.`)
  }
  if (power === 'stopped') return asDisk(power)
  const { cloudInit } = await drivesOf(world, place, signal)
  const local = check.local_disks.filter(
    ({ volid, cdrom, is_unused }) => !cdrom && !is_unused && !cloudInit.includes(volid),
  )
  if (local.length > 0) {
    const disks = local.map(({ volid }) => volid).join(', ')
    return none(
      `Its disks are on a storage of ${place.node} alone (${disks}). Shut it down, then it can move.`,
    )
  }
  return (await cpuHindrance(world, place, host, signal)) ?? { how: 'live' }
}

function asDisk(power: string): Passage {
  const why =
    power === 'saved'
      ? 'Proxmox VE moves no machine that is saved: it is resumed, moved live and saved again.'
      : `It is ${power}, so only its disk has to move.`
  return { how: 'quick', why }
}

function hindrances(check: MigrationCheck, host: string): string {
  const known = check.not_allowed_nodes?.[host] ?? {}
  const words = Object.entries(known).map(([what, which]) => {
    const names = Array.isArray(which)
      ? which.map((one) => (typeof one === 'string' ? one : JSON.stringify(one)))
      : []
    return [what.replaceAll('_', ' ').replaceAll('-', ' '), names.join(', ')]
      .filter((text) => text !== '')
      .join(': ')
  })
  return words.length === 0 ? 'it does not say why' : words.join('; ')
}

async function drivesOf(world: Cluster, place: Place, signal: AbortSignal): Promise<{ cloudInit: string[] }> {
  const drives = drivesIn(await world.config(place, signal))
  return { cloudInit: drives.filter(({ kind }) => kind === 'cloud-init').map(({ volume }) => volume) }
}

/** A guest that was shown the processors of its host cannot go on with others. */
async function cpuHindrance(
  world: Cluster,
  place: Place,
  host: string,
  signal: AbortSignal,
): Promise<Passage | undefined> {
  const { cpu = '' } = await world.config(place, signal)
  const isHost = partsOf(cpu).some(([name, value]) => (name === '' || name === 'cputype') && value === 'host')
  if (!isHost) return undefined
  const [here, there] = await Promise.all([place.node, host].map((node) => cpuOf(world, node, signal)))
  if (here === there) return undefined
  const why = `It was shown the processors of ${place.node} (${here ?? 'unknown'}), and ${host} has others (${there ?? 'unknown'}). Shut it down, then it can move.`
  return { how: 'none', why }
}

/** The processor's model, for those who may ask (Sys.Audit). */
export async function cpuOf(
  { client }: Cluster,
  node: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const status = await client.get(`/nodes/${node}/status`, NodeStatus, signal).catch(() => undefined)
  signal.throwIfAborted()
  return status?.cpuinfo?.model
}

async function move(
  world: Cluster,
  place: Place,
  { host, isRunning }: { host: string; isRunning: boolean },
  signal: AbortSignal,
  progress: ((share: number) => void) | undefined,
): Promise<void> {
  const params = { target: host, ...(isRunning ? { online: true } : {}) }
  const heard = (line: string) => {
    const share = shareIn(line)
    if (share !== undefined) progress?.(share)
  }
  await world.act(place, 'migrate', signal, params, progress === undefined ? undefined : heard)
  // HA is told by the task, and moves it afterwards.
  for (let looks = 0; looks < mostLooks; looks++) {
    if ((await world.find(place.ref, signal))?.node === host) return
    await world.sleep(arrivalMillis, signal)
  }
  throw hostUnreachable(host, new Error(`machine ${place.vmid} has not arrived`))
}

/** A saved machine is locked. One that cannot move after all is saved again where it was. */
async function moveSaved(
  world: Cluster,
  switches: Switches,
  place: Place,
  host: string,
  signal: AbortSignal,
  progress: ((share: number) => void) | undefined,
): Promise<void> {
  await switches.start(place, signal)
  try {
    const passage = await passageOf(world, place, host, signal)
    if (passage.how === 'none') throw refused(passage.why)
    await move(world, place, { host, isRunning: true }, signal, progress)
  } catch (error) {
    if (!signal.aborted) await switches.save(place, signal)
    throw error
  }
  await switches.save({ ...place, node: host }, signal)
}

const units: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
}

/** The share that a line of a migration's log tells: `migration active, transferred 1.2 GiB of 4.0 GiB VM-state, …`. */
export function shareIn(line: string): number | undefined {
  const found = /transferred ([\d.]+) ([KMGT]?i?B) of ([\d.]+) ([KMGT]?i?B)/.exec(line)
  if (found === null) return undefined
  const [, done, doneUnit = '', all, allUnit = ''] = found
  const total = Number(all) * (units[allUnit] ?? NaN)
  const share = (Number(done) * (units[doneUnit] ?? NaN)) / total
  // Pages that change while it moves are sent again, so that more may be sent than there is.
  return Number.isFinite(share) ? Math.min(1, share) : undefined
}
