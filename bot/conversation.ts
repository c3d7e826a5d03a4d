import type { Clock } from '../src/base/clock.ts'
import { messageOf, Outage, Refusal } from '../src/base/errors.ts'
import type { Log } from '../src/base/log.ts'
import type { Caller } from '../src/identity/person.ts'
import type { Operations } from '../src/operations/perform.ts'
import { noteZone } from '../src/operations/settings.ts'
import type { Site } from '../src/operations/site.ts'
import { presses, previews, submits } from './actions.ts'
import type { Button, Card } from './card.ts'
import { faultCard, outageCard, refusalCard } from './cards/refusal.ts'
import { lineButton } from './cards/parts.ts'
import { notUnderstoodCard, questionCard } from './cards/questions.ts'
import { answer } from './commands.ts'
import { openTalk, type Talk } from './commands/talk.ts'
import { lexiconOf } from './facts.ts'
import { type Command, formatCommand, type LineContext, parseLine } from './grammar.ts'

/** A button that was pressed. */
export interface Press {
  action: string
  value: string
  /** What was typed when the button asked for something. */
  answer?: string
  /** What the platform knows this press by: the same key again is the same press, and is done once. */
  key?: string
  zone?: string
}

/** A form that was sent. */
export interface Submission {
  action: string
  value: string
  fields: Readonly<Record<string, string>>
  key?: string
  zone?: string
}

/** How a line was said. */
export interface Saying {
  verb: LineContext['verbs']
  key?: string
  /** The time zone in which the person reads and means times, where the platform knows it; else the site's. */
  zone?: string
}

/**
 * What the bot answers, on whatever platform. Never throws for what a person may do wrong, nor for the world failing:
 * those are cards too.
 *
 * Of the answer to a press, a card that is about the same thing as the one that was pressed takes its place; the others
 * are new lines. The first card of the answer to a form takes the form's place.
 */
export interface Conversation {
  say(caller: Caller, line: string, options: Saying): Promise<Card[]>
  press(caller: Caller, press: Press): Promise<Card[]>
  submit(caller: Caller, submission: Submission): Promise<Card[]>
  /**
   * A form as far as it is filled in: the same form with what it would cost, and nothing done.
   * @returns nothing when the form has nothing to say before it is sent
   */
  preview(caller: Caller, submission: Submission): Promise<Card[]>
}

export interface ConversationServices {
  operations: Operations
  site: Site
  clock: Clock
  log: Log
}

export function openConversation(services: ConversationServices): Conversation {
  const { log } = services
  const talkWith = (caller: Caller, kind: string, { key, zone }: Pick<Saying, 'key' | 'zone'>): Talk =>
    openTalk(services, caller, { key: key === undefined ? undefined : `${kind}:${key}`, zone })
  const zones = new Map<string, string>()
  /** Working hours are those of where somebody is, as their chat tells; said again only when it changes. */
  async function note(caller: Caller, { zone }: Pick<Saying, 'zone'>): Promise<void> {
    if (zone === undefined || zones.get(caller.user) === zone) return
    zones.set(caller.user, zone)
    await services.operations.perform(noteZone, caller, { zone })
  }
  return {
    say: (caller, line, { verb, ...how }) =>
      answered(log, async () => {
        await note(caller, how)
        return say(talkWith(caller, 'say', how), line, verb)
      }),
    press: (caller, { action, value, answer: typed, ...how }) =>
      answered(log, () => {
        const talk = talkWith(caller, `press:${action}:${value}`, how)
        if (action === 'run') return say(talk, value, 'mention')
        const press = presses.get(action)
        return press === undefined ? unknownAction(log, action) : press(talk, { value, answer: typed })
      }),
    submit: (caller, { action, value, fields, ...how }) =>
      answered(log, () => {
        const talk = talkWith(caller, `submit:${action}:${value}`, how)
        if (action === 'run') return say(talk, fields.line ?? '', 'mention')
        const submit = submits.get(action)
        return submit === undefined ? unknownAction(log, action) : submit(talk, value, fields)
      }),
    preview: (caller, { action, value, fields, ...how }) =>
      answered(log, async () => {
        const preview = previews.get(action)
        const talk = talkWith(caller, 'preview', how)
        return preview === undefined ? [] : preview(talk, value, fields)
      }),
  }
}

async function say(talk: Talk, line: string, verb: LineContext['verbs']): Promise<Card[]> {
  const { now, drawing } = talk
  const lexicon = await lexiconOf(talk)
  const understood = parseLine(line, { verbs: verb, now, zone: drawing.zone, lexicon })
  if (understood.kind === 'ask') return [questionCard(understood.question, understood.choices)]
  if (understood.kind === 'unknown') return [notUnderstoodCard(understood.message, understood.suggestions)]
  try {
    return await answer(talk, understood.command)
  } catch (error) {
    if (error instanceof Refusal) return [refusalCard(error, insteadOf(understood.command, error))]
    throw error
  }
}

/** Every "no" of the world and of ours becomes a card; only what nobody foresaw is logged as our mistake. */
async function answered(log: Log, work: () => Promise<Card[]>): Promise<Card[]> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof Refusal) return [refusalCard(error)]
    if (error instanceof Outage) {
      log.warn({ code: error.code, error: error.message }, 'chat line met an outage')
      return [outageCard(error)]
    }
    log.error({ error: messageOf(error) }, 'chat line failed')
    return [faultCard()]
  }
}

/** Lines that do what was refused with what could have been meant. Only for verbs that cost and lose nothing. */
function insteadOf(command: Command, { code, extras }: Refusal): Button[] {
  const lines = (extras.suggestions ?? []).flatMap((meant): string[] => {
    if (command.verb === 'budget' && (code === 'unknown_budget' || code === 'not_found')) {
      return [formatCommand({ verb: 'budget', budget: meant })]
    }
    if (command.verb === 'quote' && code === 'unknown_template') {
      return [formatCommand({ ...command, template: meant })]
    }
    return []
  })
  return lines.flatMap((line) => lineButton(line, line) ?? []).slice(0, 5)
}

async function unknownAction(log: Log, action: string): Promise<Card[]> {
  log.warn({ action: action.slice(0, 40) }, 'chat button is not known')
  throw new Refusal(
    'not_found',
    'That button is of an older version and does nothing any more. Say it in words.',
  )
}
