import { millis } from '../base/clock.ts'
import type { Figures, Hypervisor, Passage } from './hypervisor.ts'
import { machineMissing, refused } from './outages.ts'
import { acting, occasion, whole } from './simulated-calls.ts'
import { simulatedSerial } from './simulated-console.ts'
import { diskGb } from './simulated-library.ts'
import { simulatedScreen } from './simulated-screen.ts'
import { pictured } from './simulated-picture.ts'
import { moved, type SimulatedMachine } from './simulated-machine.ts'
import type { World } from './simulated-world.ts'

type Travel = Pick<Hypervisor, 'passage' | 'migrate' | 'figures' | 'console'>

/** Moving a simulated machine, and looking at it. */
export function travel(world: World): Travel {
  const act = acting(world)
  const { farm } = world
  function running(ref: string): SimulatedMachine {
    const machine = whole(farm.get(ref), ref)
    farm.reach(machine.host)
    if (machine.power !== 'running') throw refused(`Machine ${ref} is ${machine.power}, not running.`)
    return machine
  }
  return {
    passage: (ref, host, signal) =>
      world.call(occasion(world, 'passage', ref), signal, async () =>
        passageOf(world, whole(farm.get(ref), ref), host),
      ),
    migrate: (ref, host, signal) =>
      act('migrate', ref, signal, (machine) => {
        const passage = passageOf(world, machine, host)
        if (passage.how === 'none') throw refused(passage.why)
        return moved(machine, host)
      }),
    figures: (ref, signal) =>
      world.call(occasion(world, 'figures', ref), signal, async () => {
        const machine = farm.get(ref)
        if (machine === undefined) throw machineMissing(ref)
        return figuresOf(machine, world)
      }),
    console: (ref, kind, signal) =>
      world.call(occasion(world, 'console', ref), signal, async () => {
        const machine = running(ref)
        return world.lines.keep(ref, kind === 'screen' ? simulatedScreen(machine) : simulatedSerial(machine))
      }),
  }
}

function passageOf({ farm }: World, machine: SimulatedMachine, host: string): Passage {
  const target = farm.hosts().find(({ name }) => name === host)
  if (target === undefined) return { how: 'none', why: `There is no host ${host}.` }
  if (!target.reachable) return { how: 'none', why: `Host ${host} does not respond.` }
  if (machine.power === 'running') return { how: 'live' }
  return { how: 'quick', why: `It is ${machine.power}, so only its disk and what it saved have to move.` }
}

/** Figures that follow from what the farm knows, so that the same machine shows the same. */
function figuresOf(machine: SimulatedMachine, world: World): Figures {
  const runs = machine.power === 'running'
  const isSilent = !world.farm.responds(machine.host)
  const seconds = runs ? Math.max(0, Math.floor((millis(world.now()) - millis(machine.since)) / 1000)) : null
  const bytes = (each: number) => (seconds === null ? null : seconds * each)
  const disk = { sizeGb: diskGb, readBytes: bytes(2048), writtenBytes: bytes(1024) }
  const disks = [{ name: 'disk', ...disk }, ...(machine.data === null ? [] : [{ name: 'data', ...disk }])]
  const traffic = { receivedBytes: bytes(512), sentBytes: bytes(256) }
  return {
    uptimeSeconds: seconds,
    cpuLoad: runs ? 0.05 : null,
    memoryUsedGb: runs ? machine.memoryGb / 4 : null,
    heartbeat: runs && !isSilent ? 'ok' : runs ? 'lost' : 'none',
    disks,
    networks: [{ name: machine.isolated ? 'isolated' : 'site', mac: machine.mac, ...traffic }],
    snapshots: machine.snapshots.map(({ name, takenAt }) => ({ name, takenAt })),
    thumbnail: runs
      ? { type: 'image/png', body: pictured({ name: machine.name, line: '', note: '' }) }
      : null,
    problems: isSilent ? [`Host ${machine.host} does not respond: the figures are those known last.`] : [],
  }
}
