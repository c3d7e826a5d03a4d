import { blankWords } from '../../src/machines/blank.ts'
import { counted, list } from '../../src/base/text.ts'
import type { MachineView } from '../../src/operations/shapes/machine.ts'
import type { Button, Card, Part } from '../card.ts'
import { connectParts } from './connect.ts'
import { type Drawing, steers } from './drawing.ts'
import { progressPart, progressWords } from './job.ts'
import { button, buttons, card, facts, lineButton, words } from './parts.ts'
import { dayWords, isNothing, nameOf, priceWords, sizeWords, stateWords, when } from './words.ts'

/** One machine: its state in words, what it is, what it costs, and what the reader may do with it now. */
export function machineCard(machine: MachineView, drawing: Drawing): Card {
  const { name, state, progress } = machine
  return card({
    summary: sentence(machine, drawing),
    title: name,
    tone: progress === undefined ? tones[state] : 'wait',
    about: `machine:${name}`,
    parts: [
      progressPart(progress, `What is being done to ${name}`),
      ...connectParts(machine, drawing),
      machine.letGo ? words('It is let go: there are no more reminders about this end.') : undefined,
      machineFacts(machine, drawing),
      machineButtons(machine, drawing),
    ],
  })
}

const tones: Readonly<Record<MachineView['state'], Card['tone']>> = {
  provisioning: 'wait',
  running: 'good',
  stopped: 'neutral',
  saved: 'neutral',
  paused: 'neutral',
  migrating: 'wait',
  archived: 'neutral',
  expired: 'warn',
  deleting: 'wait',
  deleted: 'neutral',
  unreachable: 'bad',
  failed: 'bad',
}

function sentence(machine: MachineView, drawing: Drawing): string {
  const { name, state, progress, expiresAt } = machine
  const doing = progress === undefined ? '' : `: ${progressWords(progress)}`
  const gone = state === 'deleted' || state === 'deleting' || state === 'failed'
  if (gone || expiresAt === null) return `${name} ${stateWords[state]}${doing}.`
  const ends = state === 'expired' ? 'since' : 'and is kept until'
  if (state === 'expired') return `${name} ${stateWords[state]} ${ends} ${when(expiresAt, drawing)}${doing}.`
  if (doing !== '') return `${name} ${stateWords[state]}${doing}.`
  return `${name} ${stateWords[state]} ${ends} ${when(expiresAt, drawing)}.`
}

function machineFacts(machine: MachineView, drawing: Drawing): Part | undefined {
  const { owner, administrators, expiresAt, budget, costToDate, currency, pool } = machine
  return facts(
    ['Owner', owner === null ? 'nobody yet' : nameOf(owner, drawing)],
    ['Administrators', list(administrators)],
    ['Size', sizeWords(machine)],
    ['Template', templateWords(machine)],
    ['Disk', blankWords(machine.blank)],
    ['In the library', libraryWords(machine, drawing)],
    ['Handed on', handoverWords(machine, drawing)],
    ['Snapshots', list(machine.snapshots.map((snapshot) => snapshot.name))],
    ['Host', machine.host],
    ['Address', machine.address],
    ['Ends', expiresAt === null ? 'never' : when(expiresAt, drawing)],
    ['Budget', budget],
    ['Cost to date', budget === null ? null : priceWords(costToDate, currency)],
    ['Saving it to disk', restSaves(machine) ? savingText(machine) : null],
    ['Purpose', machine.purpose],
    ['Description', machine.description],
    ['Request', machine.request],
    ['Pool', pool],
    ['The host says', machine.providerState],
  )
}

function templateWords({ template, image, isolated }: MachineView): string {
  const from = image === null ? '' : `, from image ${image}`
  return `${template}${from}${isolated ? ', on a network of its own' : ''}`
}

function handoverWords({ handover }: MachineView, drawing: Drawing): string | null {
  if (handover === null) return null
  return `to ${nameOf(handover.owner, drawing)} on ${handover.budget}, ${when(handover.at, drawing)}`
}

function libraryWords({ state, archive }: MachineView, drawing: Drawing): string | null {
  if (archive === null || state !== 'archived') return null
  return archive.backAt === null ? 'until you restore it' : `until ${when(archive.backAt, drawing)}`
}

function restSaves({ verbs, savings }: MachineView): boolean {
  return savings !== undefined && verbs.includes('save') && !isNothing(savings.save.perDay)
}

function machineButtons(machine: MachineView, { reader }: Drawing): Part | undefined {
  if (!steers(reader, machine) || machine.progress !== undefined) return undefined
  const { verbs, pool, expiresAt } = machine
  const may = (verb: string): boolean => verbs.includes(verb)
  const server = pool === null
  return buttons(
    may('restore') ? restoreButton(machine) : undefined,
    may('resume') ? control(machine, 'resume') : may('start') ? control(machine, 'start') : undefined,
    may('shutdown') ? control(machine, 'shutdown') : undefined,
    may('console') ? consoleButton(machine) : undefined,
    may('save') ? saveButton(machine) : undefined,
    server && may('extend') && expiresAt !== null ? extendButton(machine.name) : undefined,
    may('reset') ? control(machine, 'reset') : undefined,
    may('power-off') ? control(machine, 'power-off') : undefined,
    server && machine.budget !== null ? handOnButton(machine, reader) : undefined,
    server && may('delete') ? deleteButton(machine) : undefined,
  )
}

/** What the buttons of a machine say, and what is asked before those that lose something. */
const controls = {
  start: { label: 'Start', style: 'primary' },
  resume: { label: 'Resume', style: 'primary' },
  shutdown: { label: 'Shut down', style: 'plain' },
  save: { label: 'Save', style: 'plain' },
  reset: { label: 'Reset', style: 'plain', asks: 'starts again at once, as a reset button does' },
  'power-off': { label: 'Power off', style: 'plain', asks: 'loses its power at once' },
} as const
export type Control = keyof typeof controls

function control({ name }: Pick<MachineView, 'name'>, verb: Control): Button {
  const rule = controls[verb]
  const spec = {
    label: rule.label,
    action: `${verb}-machine`,
    value: name,
    style: rule.style,
    spoken: `${rule.label} ${name}`,
  }
  if (!('asks' in rule)) return button(spec)
  const text = `${name} ${rule.asks}. What was not written to disk is lost.`
  return button({ ...spec, confirm: { title: `${rule.label} ${name}?`, text, yes: rule.label } })
}

function consoleButton({ name }: MachineView): Button | undefined {
  return lineButton('Console', `console "${name}"`, { spoken: `Console of ${name}` })
}

function restoreButton({ name }: MachineView): Button {
  const spoken = `Restore ${name} from the library`
  return button({ label: 'Restore', action: 'restore-machine', value: name, style: 'primary', spoken })
}

/** Asked about where somebody pays for it: what it saves is said before. */
function saveButton(machine: MachineView): Button {
  const { name } = machine
  const plain = control(machine, 'save')
  const saving = savingText(machine)
  if (saving === null) return plain
  const text = `${name} stops, and goes on where it was when it is resumed. That ${saving}.`
  return { ...plain, confirm: { title: `Save ${name} to disk?`, text, yes: 'Save' } }
}

/** How long the buttons extend by. */
export const extensionDays = 30

function extendButton(name: string): Button {
  return button({
    label: `Extend ${extensionDays} days`,
    action: 'extend-machine',
    value: name,
    spoken: `Extend ${extensionDays} days: ${name}`,
  })
}

/** Only its owner and operators may hand it on. */
function handOnButton({ name, owner }: MachineView, reader: Drawing['reader']): Button | undefined {
  if (owner === null || (reader.user !== owner && !reader.roles.includes('operator'))) return undefined
  return button({ label: 'Hand on', action: 'transfer-machine', value: name, spoken: `Hand on ${name}` })
}

/** What a deletion takes and what it saves. The day is said, since a card may be read later than it was drawn. */
export function deletionText(machine: Pick<MachineView, 'name' | 'budget' | 'currency' | 'savings'>): string {
  const { name, budget, currency, savings } = machine
  const lost = `${name} and its disks are deleted for good.`
  if (savings === undefined || budget === null) return lost
  const { perDay, back } = savings.delete
  const stops = isNothing(perDay) ? '' : ` That saves ${perDay} ${currency} a day${afterFree(savings)}.`
  const returned = isNothing(back)
    ? ` Nothing is held for it that would come back to ${budget}.`
    : ` Of what is held for it, ${back} ${currency} come back to ${budget} (on ${dayWords(savings.day)}).`
  return `${lost}${stops}${returned}`
}

function afterFree({ freeDays }: { freeDays: number }): string {
  return freeDays === 0 ? '' : `, once its ${counted(freeDays, 'free day')} to come are over`
}

/** What saving it to disk would save; nothing where nobody pays for it. */
export function savingText({ currency, savings }: Pick<MachineView, 'currency' | 'savings'>): string | null {
  if (savings === undefined) return null
  const { perDay } = savings.save
  return isNothing(perDay)
    ? 'saves nothing a day: a saved server costs the same'
    : `saves ${perDay} ${currency} a day while it lasts${afterFree(savings)}`
}

function deleteButton(machine: MachineView): Button {
  const { name } = machine
  return button({
    label: 'Delete',
    action: 'delete-machine',
    value: name,
    style: 'danger',
    spoken: `Delete ${name}`,
    confirm: { title: `Delete ${name}?`, text: deletionText(machine), yes: `Delete ${name}` },
  })
}
