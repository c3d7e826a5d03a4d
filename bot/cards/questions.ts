import type { Choice, Suggestion } from '../grammar.ts'
import type { Button, Card, Part } from '../card.ts'
import { buttons, card, code, field, lineButton, table } from './parts.ts'

/** A question that a press answers. */
export function questionCard(question: string, choices: readonly Choice[]): Card {
  const pressable = choices.map(({ label, line }) => lineButton(label, line, { spoken: `${label}: ${line}` }))
  const whole = pressable.every((one) => one !== undefined)
  return card({
    summary: question,
    title: 'One question',
    tone: 'neutral',
    // A line that is too long for a button is shown to be copied.
    parts: [whole ? buttons(...pressable) : code(choices.map(({ line }) => line).join('\n'))],
  })
}

function lineForm(line: string): Part {
  const fields = [field({ name: 'line', label: 'Did you mean', value: line, required: true })]
  return { kind: 'form', action: 'run', value: '', submit: 'Send it', fields }
}

/** A line to be looked at before it is sent. */
export function lineCard(line: string): Card {
  const summary = 'Look it over, and send it when it is what you mean.'
  return card({ summary, title: 'One line', tone: 'neutral', parts: [lineForm(line)] })
}

/** A line that was not understood, with what was probably meant: run at a press, or put where it can be looked at. */
export function notUnderstoodCard(message: string, suggestions: readonly Suggestion[]): Card {
  const safe = suggestions.filter((suggestion) => suggestion.safe)
  const careful = suggestions.find((suggestion) => !suggestion.safe)
  return card({
    summary: message,
    title: 'Not understood',
    tone: 'warn',
    parts: [
      buttons(...safe.map(({ label, line }) => lineButton(label, line))),
      careful === undefined ? undefined : lineForm(careful.line),
    ],
  })
}

/** Asked before something that cannot be undone, when it was typed. */
export function confirmCard(facts: {
  question: string
  text: string
  yes: Button
  safer?: Button | undefined
}): Card {
  const { question, text, yes, safer } = facts
  return card({
    summary: `${question} ${text}`,
    title: 'Are you sure?',
    tone: 'warn',
    parts: [buttons(yes, safer)],
  })
}

/** What became of each of several machines. */
export function outcomesCard(
  verb: string,
  outcomes: readonly { name: string; done: boolean; says: string }[],
): Card {
  const failed = outcomes.filter(({ done }) => !done)
  const done = outcomes.length - failed.length
  return card({
    summary:
      failed.length === 0
        ? `${verb}: all ${outcomes.length} are on their way.`
        : `${verb}: ${done} of ${outcomes.length} are on their way, not ${failed.map(({ name }) => name).join(', ')}.`,
    title: verb,
    tone: failed.length === 0 ? 'good' : 'warn',
    parts: [
      table(
        verb,
        ['Server', 'Outcome'],
        outcomes.map(({ name, says }) => [name, says]),
      ),
      buttons(...outcomes.slice(0, 8).map(({ name }) => lineButton(`Show ${name}`, `show "${name}"`))),
    ],
  })
}

/** A fact in one sentence. */
export function saidCard(title: string, summary: string, tone: Card['tone'] = 'good'): Card {
  return card({ summary, title, tone })
}
