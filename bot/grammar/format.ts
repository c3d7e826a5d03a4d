import type { Command } from './commands.ts'
import { keywords } from './keywords.ts'
import { isUnit } from './durations.ts'
import type { Slots } from './scan.ts'
import { formatTerm } from './terms.ts'
import { usageOf } from './usage.ts'
import { fillers, months, numberWords, weekdays } from './words.ts'

/**
 * The line that stands for a command: parsed as a `mention` it gives the same command again, so it can be put on a
 * button or into a form. Texts must be free of control and invisible characters.
 */
export function formatCommand(command: Command): string {
  const verb = usageOf(command.verb).names[0] ?? command.verb
  return [verb, ...pieces(command)].filter((piece) => piece !== '').join(' ')
}

function pieces(command: Command): string[] {
  switch (command.verb) {
    case 'list':
      return [command.which === 'mine' ? '' : command.which]
    case 'start':
    case 'stop':
    case 'off':
    case 'reset':
    case 'save':
    case 'resume':
      return command.machines.map(named)
    case 'approve':
    case 'deny':
    case 'cancel':
      return [command.request ?? '', command.reason === undefined ? '' : `because ${quoted(command.reason)}`]
    case 'edit':
      return [command.request ?? '']
    case 'console':
      return [...slotPieces(command, { placed: true }), command.console === 'serial' ? 'serial' : '']
    case 'import':
      return [command.file === undefined ? '' : named(command.file), ...slotPieces({ ...command })]
    case 'export':
      return [command.image, command.file].map((name) => (name === undefined ? '' : named(name)))
    case 'help':
      return [command.word ?? '']
    case 'settings':
      return command.settings.map(({ name, value }) => `${name}=${named(value)}`)
    case 'desktop-open':
      return [command.pool === undefined ? '' : `open ${named(command.pool)}`]
    case 'budget':
    case 'costs':
    case 'drain':
    case 'return':
      return slotPieces(command, { placed: true })
    case 'request':
    case 'quote':
    case 'explain':
      return slotPieces(command, { asked: true })
    case 'rebalance':
      return [command.goal ?? '']
    case 'prices':
    case 'templates':
    case 'hosts':
    case 'desktop-list':
    case 'desktop-terminals':
      return []
    default:
      return slotPieces(command)
  }
}

/** @param how.placed whether budget and host stand by their place, @param how.asked whether the template does */
function slotPieces(slots: Slots, how: { placed?: boolean; asked?: boolean } = {}): string[] {
  const { placed = false, asked = false } = how
  return [
    slots.machine === undefined ? '' : named(slots.machine),
    slots.snapshot === undefined ? '' : named(slots.snapshot),
    slots.pool === undefined ? '' : named(slots.pool),
    slots.template === undefined ? '' : templatePiece(slots.template, asked),
    slots.image === undefined ? '' : `image ${named(slots.image)}`,
    slots.count === undefined ? '' : `x${slots.count}`,
    slots.name === undefined ? '' : `name ${named(slots.name)}`,
    slots.cpus === undefined ? '' : `${slots.cpus}cpu`,
    slots.memoryGb === undefined ? '' : `${slots.memoryGb}gb`,
    slots.more === undefined ? '' : `more ${slots.more}`,
    slots.term === undefined ? '' : formatTerm(slots.term),
    slots.budget === undefined ? '' : `${placed ? '' : 'budget '}${named(slots.budget)}`,
    slots.month ?? '',
    slots.host === undefined ? '' : `${placed ? '' : 'host '}${named(slots.host)}`,
    slots.group === undefined ? '' : `class ${named(slots.group)}`,
    slots.diskGb === undefined ? '' : `disk ${slots.diskGb}gb`,
    slots.boot === undefined ? '' : `boot ${named(slots.boot)}`,
    (slots.administrators ?? []).length === 0
      ? ''
      : `admins ${(slots.administrators ?? []).map((name) => `@${name}`).join(', ')}`,
    slots.description === undefined ? '' : `description ${quoted(slots.description)}`,
    slots.purpose === undefined ? '' : `why ${quoted(slots.purpose)}`,
  ]
}

function templatePiece(template: string, bare: boolean): string {
  return bare && isPlain(template) ? template : `template ${named(template)}`
}

/** A name as it must be typed so that it is taken for nothing else. */
export function named(name: string): string {
  return isPlain(name) ? name : quoted(name)
}

const reserved: ReadonlySet<string> = new Set([
  ...fillers,
  ...keywords.keys(),
  ...numberWords,
  ...months,
  ...weekdays,
  ...(
    'until till til through expires expiring never forever indefinitely today tonight tomorrow eod eow eom end ' +
    'state next this last coming noon more extra additional bigger serial screen request since reason serious vm is'
  ).split(' '),
])

/** Whether a name can stand in a line without quotes: it is no word, number or time of the grammar. */
export function isPlain(name: string): boolean {
  const word = name.toLowerCase()
  return (
    /^[a-z][a-z0-9_.-]*[a-z0-9]$|^[a-z]$/i.test(name) &&
    !reserved.has(word) &&
    !isUnit(word) &&
    !/^(x\d+|p[\dt].*)$/.test(word) &&
    !(word.length >= 3 && [...months, ...weekdays].some((day) => day.startsWith(word)))
  )
}

/** In double quotes; what would end the text, or be taken for markup on the way, is escaped. */
function quoted(text: string): string {
  return `"${text.replace(/["“”„‟«»\\<&]/g, (char) => `\\${char}`)}"`
}
