import type { Command } from './commands.ts'
import { eitherUnit } from './durations.ts'
import { formatCommand } from './format.ts'
import type { Scan } from './scan.ts'
import type { Term } from './terms.ts'

/** A question that a press answers: each choice is a whole line. */
export interface Question {
  question: string
  choices: { label: string; line: string }[]
}

/** What must be asked before a command is certain; nothing when it is. */
export function questionAbout(scan: Scan, command: Command): Question | undefined {
  if (scan.choices.length > 1) return termQuestion(scan, command)
  if (scan.number !== undefined) return numberQuestion(scan.number, command)
  if (command.verb === 'reset' && ['restart', 'reboot'].includes(scan.typed)) {
    return {
      question:
        'Reset at once, which may lose what was not written to disk, or shut down first and start later?',
      choices: [
        { label: 'Reset at once', line: formatCommand(command) },
        { label: 'Shut down first', line: formatCommand({ ...command, verb: 'stop' }) },
      ],
    }
  }
  if (scan.sentence && command.verb === 'archive' && command.term === undefined) return goneQuestion(command)
  return undefined
}

function termQuestion(scan: Scan, command: Command): Question {
  const labels = scan.choices.map(({ label }) => label)
  return {
    question: `Do you mean ${labels.slice(0, -1).join(', ')} or ${labels.at(-1) ?? ''}?`,
    choices: scan.choices.map(({ label, term }) => ({ label, line: formatCommand(withTerm(command, term)) })),
  }
}

function numberQuestion(number: number, command: Command): Question | undefined {
  const commands = meanings(number, command)
  if (commands.length === 0) return undefined
  const choices = commands.map(([label, meant]) => ({ label, line: formatCommand(meant) }))
  return { question: `${number} what?`, choices }
}

function meanings(number: number, command: Command): [label: string, command: Command][] {
  if (number === 0) return []
  if (command.verb === 'resize') {
    return [
      [`${number} CPUs`, { ...command, cpus: number }],
      [`${number} GB memory`, { ...command, memoryGb: number }],
    ]
  }
  const units = command.verb === 'desktop-extend' ? ['minute', 'hour'] : ['hour', 'day', 'week']
  const terms = eitherUnit(1, number, units).options.map(({ label, duration }): [string, Command] => [
    label,
    withTerm(command, { kind: 'for', duration }),
  ])
  if (command.verb !== 'request' && command.verb !== 'quote') return terms
  const servers = `${number} server${number === 1 ? '' : 's'}`
  return [...terms.slice(1), [servers, { ...command, count: number }]]
}

/** The same command with its term known; a verb that has none stays as it is. */
function withTerm(command: Command, term: Term): Command {
  switch (command.verb) {
    case 'request':
    case 'quote':
      return { ...command, term }
    case 'extend':
    case 'archive':
      return { ...command, term }
    case 'capture':
      return { ...command, term }
    case 'clone':
      return { ...command, term }
    case 'desktop-extend':
      return { ...command, term }
    default:
      return command
  }
}

/** "I do not need it any more" may mean for now, or for good. */
function goneQuestion(command: { verb: 'extend' | 'archive'; machine?: string }): Question {
  const archive = formatCommand({ ...command, verb: 'archive' })
  const { machine } = command
  const gone = formatCommand({ verb: 'delete', ...(machine === undefined ? {} : { machine }) })
  return {
    question: `Put ${machine ?? 'it'} away as an image that can be brought back, or delete it for good?`,
    choices: [
      { label: 'Put it away', line: archive },
      { label: 'Delete it', line: gone },
    ],
  }
}
