import type { MachineView } from '../../src/operations/shapes/machine.ts'
import type { Card, Part } from '../card.ts'
import type { Drawing } from './drawing.ts'
import { buttons, card, code, lineButton, words } from './parts.ts'
import { stateWords } from './words.ts'

type Place = Pick<MachineView, 'os' | 'address' | 'state' | 'name'>

/** How to log in to a machine that runs; nothing before it has an address. */
export function connectParts(machine: Place, { reader }: Drawing): (Part | undefined)[] {
  const { os, address, state } = machine
  if (address === null || state !== 'running') return []
  if (os === 'linux') return [words('Connect from a terminal:'), code(`ssh ${reader.user}@${address}`)]
  if (os === 'windows') {
    return [
      words(`Connect with Remote Desktop to ${address}, as ${reader.user}. From Windows:`),
      code(`mstsc /v:${address}`),
    ]
  }
  return [words(`It answers at ${address}.`)]
}

export function connectCard(machine: MachineView, drawing: Drawing): Card {
  const { name } = machine
  const how = connectParts(machine, drawing)
  const start = machine.verbs.includes('start') && steersHint(machine)
  if (how.length > 0) {
    const summary = `${name} is running at ${machine.address ?? ''}.`
    return card({ summary, title: `Connect to ${name}`, tone: 'good', parts: how })
  }
  const running = machine.state === 'running'
  return card({
    summary: running
      ? `${name} is running, and has not said yet at which address. Ask again in a moment.`
      : `${name} ${stateWords[machine.state]}, so there is nothing to connect to.`,
    title: `Connect to ${name}`,
    tone: 'warn',
    parts: [
      start ? buttons(lineButton('Start it', `start ${name}`, { spoken: `Start ${name}` })) : undefined,
    ],
  })
}

function steersHint({ progress }: MachineView): boolean {
  return progress === undefined
}
