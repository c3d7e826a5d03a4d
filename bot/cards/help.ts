import type { Help, VerbHelp } from '../grammar.ts'
import type { Card, Part } from '../card.ts'
import { buttons, card, code, lineButton, table, words } from './parts.ts'

/** Help for what the reader may do. */
export function helpCard(help: Help): Card {
  if (help.kind === 'verb') return verbCard(help.help)
  if (help.kind === 'nothing') return nothingCard(help.word, help.suggestion)
  return card({
    summary: 'Say what you want in a line, such as: request slc5 for 30d. What is missing is asked for.',
    title: 'What I can do',
    tone: 'neutral',
    parts: [
      ...help.groups.map(({ title, verbs }) => groupTable(title, verbs)),
      help.sentences.length === 0 ? undefined : words('Whole sentences do too:'),
      help.sentences.length === 0 ? undefined : code(help.sentences.join('\n')),
      buttons(
        lineButton('My servers', 'list'),
        lineButton('Request a server', 'request'),
        lineButton('Prices', 'prices'),
        lineButton('Desktops', 'desktop list'),
      ),
    ],
  })
}

function groupTable(title: string, verbs: readonly VerbHelp[]): Part | undefined {
  return table(
    title,
    ['Say', 'What it does'],
    verbs.map(({ usage, summary }) => [usage, summary]),
  )
}

function verbCard({ usage, summary, aliases, options, examples }: VerbHelp): Card {
  return card({
    summary,
    title: `How to say it: ${usage}`,
    tone: 'neutral',
    parts: [
      code(examples.join('\n')),
      table(
        'What may be said with it',
        ['Say', 'What it means'],
        options.map(({ form, means }) => [form, means]),
      ),
      aliases.length === 0 ? undefined : words(`Other words for it: ${aliases.join(', ')}.`),
    ],
  })
}

function nothingCard(word: string, suggestion: string | null): Card {
  return card({
    summary: `There is nothing called "${word}".${suggestion === null ? ' Say "help" for what there is.' : ''}`,
    title: 'Help',
    tone: 'neutral',
    parts: [
      buttons(
        suggestion === null ? undefined : lineButton(`help ${suggestion}`, `help ${suggestion}`),
        lineButton('help', 'help'),
      ),
    ],
  })
}
