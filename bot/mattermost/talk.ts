import { createHash } from 'node:crypto'
import type { Ids } from '../../src/base/ids.ts'
import type { Log } from '../../src/base/log.ts'
import { previews } from '../actions.ts'
import type { Card } from '../card.ts'
import type { Conversation } from '../conversation.ts'
import { type Answers, type Asker, isPassing, passingText, takesPlace } from './answers.ts'
import type { Api } from './api.ts'
import { type DialogState, sealState } from './callback-proof.ts'
import type { Deed, FormDeed, PressDeed } from './deed.ts'
import { answerField, askDialog, dialogOf, formDeed, type Dialog } from './dialog.ts'
import { plain } from './escape.ts'
import type { Action, SentDialog, SlashCommand } from './inbound.ts'
import type { FormPart } from './pieces.ts'
import type { Posts } from './posts.ts'
import type { Prover, Proven } from './prove.ts'
import type { Server } from './server.ts'

export interface TalkServices {
  api: Api
  server: Server
  conversation: Conversation
  posts: Posts
  answers: Answers
  prover: Prover
  ids: Ids
  log: Log
  nowMillis: () => number
  /** Where dialogs are sent to. */
  dialogUrl: string
}

/** What a command, a press or a form comes to, once it is proven whose it is. */
export interface Talk {
  command(asker: Asker, command: SlashCommand, key: string): Promise<object>
  press(asker: Asker, action: Action, carried: Proven): Promise<object>
  dialog(asker: Asker, sent: SentDialog, state: DialogState): Promise<object>
}

/** Where something was opened from: what its dialog remembers. */
type Origin = Pick<DialogState, 'channel' | 'root' | 'post' | 'about' | 'isForm'>

export function openTalk(services: TalkServices): Talk {
  const { conversation, answers } = services
  return {
    async command(asker, { channel, root, trigger, text, triggerId }, key) {
      const verb = trigger === 'desktop' ? '/desktop' : '/vm'
      const cards = await conversation.say(asker.caller, text.slice(0, 4000), { verb, key, ...zoneOf(asker) })
      const origin = { channel, root, post: '', about: '', isForm: false }
      const rest = await openForm(services, asker, cards, { triggerId, origin })
      if (channel === (await answers.home(asker.id))) {
        await answers.give(asker, rest, { channel, root }, key)
        return {}
      }
      return toldApart(services, asker, rest, { channel, key })
    },
    async press(asker, action, carried) {
      const { channel, post, triggerId } = action
      const isPrivate = carried.user !== ''
      const pressed = isPrivate ? '' : post
      const deed = chosen(carried.deed, action.choice)
      if (deed === undefined) return {}
      const origin = { channel, root: carried.root, post: pressed, about: carried.about, isForm: false }
      if (deed.kind === 'form') {
        await open(services, asker, { triggerId, origin: { ...origin, isForm: true }, deed })
        return {}
      }
      if (deed.confirm !== undefined || deed.ask !== undefined) {
        await openAsk(services, asker, { triggerId, origin, deed })
        return {}
      }
      // A second press on the same rendering is the same press.
      const key = isPrivate ? carried.id : `${post}:${carried.rendering}`
      const press = { action: deed.action, value: deed.value, key, ...zoneOf(asker) }
      const cards = await conversation.press(asker.caller, press)
      const rest = await openForm(services, asker, cards, { triggerId, origin })
      const once = `${key}:${hashOf(deed.action, deed.value)}`
      return answered(services, asker, rest, { origin, key: once, whispers: true })
    },
    dialog: (asker, sent, state) => dialogAnswer(services, asker, sent, state),
  }
}

function zoneOf({ zone }: Asker): { zone?: string } {
  return zone === undefined ? {} : { zone }
}

function chosen(deed: Deed, choice: string | undefined): PressDeed | FormDeed | undefined {
  if (deed.kind !== 'menu') return deed
  return choice !== undefined && /^\d{1,2}$/.test(choice) ? deed.choices[Number(choice)] : undefined
}

function formOf(card: Card | undefined): FormPart | undefined {
  return card?.parts.find((part) => part.kind === 'form')
}

interface Opening {
  triggerId: string
  origin: Origin
}

/** Opens the form of an answer at once. What cannot be opened stays a card with a button that opens it. */
async function openForm(
  services: TalkServices,
  asker: Asker,
  cards: readonly Card[],
  { triggerId, origin }: Opening,
): Promise<readonly Card[]> {
  const [first, ...rest] = cards
  const form = formOf(first)
  if (first === undefined || form === undefined) return cards
  try {
    await open(services, asker, { triggerId, origin, deed: formDeed(first, form) })
    return rest
  } catch (error) {
    services.log.info(
      { error: error instanceof Error ? error.message : '' },
      'mattermost form could not be opened',
    )
    return cards
  }
}

async function open(
  services: TalkServices,
  asker: Asker,
  { triggerId, origin, deed }: Opening & { deed: FormDeed },
): Promise<void> {
  const state = stateOf(services, asker, origin, { kind: 'form', action: deed.action, value: deed.value })
  const dialog = await sealed(services, deed, state)
  await services.api.openDialog(triggerId, services.dialogUrl, dialog)
}

async function openAsk(
  services: TalkServices,
  asker: Asker,
  { triggerId, origin, deed }: Opening & { deed: PressDeed },
): Promise<void> {
  const state = stateOf(services, asker, origin, { kind: 'press', action: deed.action, value: deed.value })
  const dialog = askDialog(deed, sealState(await services.prover.key(), state))
  await services.api.openDialog(triggerId, services.dialogUrl, dialog)
}

function stateOf(
  { ids, nowMillis }: TalkServices,
  asker: Asker,
  origin: Origin,
  deed: Pick<DialogState, 'kind' | 'action' | 'value'>,
): DialogState {
  return { nonce: ids.secret(16), user: asker.id, ...deed, round: 0, ...origin, at: nowMillis() }
}

/** The dialog of a form, with its state sealed. Only some forms, on some servers, can say a price meanwhile. */
async function sealed(services: TalkServices, deed: FormDeed, state: DialogState): Promise<Dialog> {
  const [{ refreshes }, key] = await Promise.all([services.server.known(), services.prover.key()])
  const refreshUrl = refreshes && previews.has(deed.action) ? services.dialogUrl : undefined
  return dialogOf(deed, { state: sealState(key, state), refreshUrl, round: state.round })
}

/**
 * Cards for somebody who typed a command among others. What will change is put into the direct channel, where it can be
 * kept up to date; the rest is shown to them alone where they are.
 */
async function toldApart(
  services: TalkServices,
  asker: Asker,
  cards: readonly Card[],
  { channel, key }: { channel: string; key: string },
): Promise<object> {
  const { answers, posts } = services
  const parts: object[] = []
  for (const [index, card] of cards.entries()) {
    if (card.about !== undefined && card.tone === 'wait') {
      const home = { channel: await answers.home(asker.id), root: '' }
      await answers.post(asker, card, home, `${key}.${index}`)
      parts.push({ text: `${plain(card.summary)}\n\n${elsewhere}` })
    } else {
      const { message, props } = await posts.shown(card, channel, asker.id)
      parts.push({ text: message, attachments: props.attachments })
    }
  }
  const [first, ...more] = parts.map((part) => ({ response_type: 'ephemeral', ...part, ...unparsed }))
  if (first === undefined) return {}
  return more.length === 0 ? first : { ...first, extra_responses: more }
}

const elsewhere = 'The card is in our direct messages and is kept up to date there.'
/** Markdown is meant as it is written, not as Slack would write it. */
const unparsed = { skip_slack_parsing: true }

/** Answers a press or a form: in the post's place, as new posts of the same direct channel or thread, or in a whisper. */
async function answered(
  services: TalkServices,
  asker: Asker,
  cards: readonly Card[],
  { origin, key, whispers }: { origin: Origin; key: string; whispers: boolean },
): Promise<{ ephemeral_text?: string; skip_slack_parsing?: boolean }> {
  const { answers } = services
  const { channel, root, post, about, isForm } = origin
  const home = await answers.home(asker.id)
  const lasting = cards.filter((card) => !whispers || !isPassing(card))
  const said = cards.filter((card) => !lasting.includes(card)).map(passingText)
  const pressed = post === '' ? undefined : { post, about, isForm }
  if (channel === home) {
    await answers.give(asker, lasting, { channel, root }, key, pressed)
  } else {
    const [first] = lasting
    const stays = first !== undefined && pressed !== undefined && takesPlace(first, pressed)
    if (stays) await answers.give(asker, [first], { channel, root }, key, pressed)
    const apart = stays ? lasting.slice(1) : lasting
    await answers.give(asker, apart, { channel: home, root: '' }, `${key}.home`)
    if (apart[0] !== undefined) said.push(`${plain(apart[0].summary)}\n\n${elsewhere}`)
  }
  return said.length === 0 ? {} : { ephemeral_text: said.join('\n\n'), ...unparsed }
}

async function dialogAnswer(
  services: TalkServices,
  asker: Asker,
  sent: SentDialog,
  state: DialogState,
): Promise<object> {
  const { conversation, prover, log } = services
  if (sent.kind === 'refresh') return refreshed(services, asker, sent, state)
  if (sent.cancelled) return {}
  const { action, value, nonce } = state
  const how = { key: nonce, ...zoneOf(asker) }
  const answer = sent.fields[answerField]
  const cards =
    state.kind === 'press'
      ? await conversation.press(asker.caller, {
          action,
          value,
          ...how,
          ...(answer === undefined ? {} : { answer }),
        })
      : await conversation.submit(asker.caller, { action, value, fields: unpriced(sent.fields), ...how })
  const [first] = cards
  const form = formOf(first)
  if (first !== undefined && form !== undefined) return faultsOf(first, form, sent.fields)
  if (first !== undefined && isPassing(first) && cards.length === 1) return { error: first.summary }
  if (!(await prover.isNew('dialog', nonce))) {
    log.warn({ fault: 'replayed', what: 'dialog', account: asker.id }, 'mattermost callback is not believed')
    return {}
  }
  await answered(services, asker, cards, { origin: state, key: nonce, whispers: false })
  return {}
}

/** What was wrong, beside the fields; what belongs to none stands below all of them. */
function faultsOf(card: Card, form: FormPart, sent: Readonly<Record<string, string>>): object {
  const errors = form.fields.flatMap(({ name, error }): [string, string][] =>
    error !== undefined && name in sent ? [[name, error]] : [],
  )
  return errors.length === 0 ? { error: card.summary } : { errors: Object.fromEntries(errors) }
}

/** The same dialog with what it would cost. What is typed stays in its fields. */
async function refreshed(
  services: TalkServices,
  asker: Asker,
  sent: SentDialog,
  state: DialogState,
): Promise<object> {
  const { action, value } = state
  const submission = { action, value, fields: unpriced(sent.fields), ...zoneOf(asker) }
  const [card] = await services.conversation.preview(asker.caller, submission)
  const form = formOf(card)
  if (card === undefined || form === undefined)
    return { error: card?.summary ?? 'This form says nothing before it is sent.' }
  const next = { ...state, round: state.round + 1 }
  return { type: 'form', form: await sealed(services, formDeed(card, form), next) }
}

/** The fields of the form itself. */
function unpriced(fields: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fields).filter(([name]) => !/^price\d+$/.test(name) && name !== 'selected_field'),
  )
}

function hashOf(...texts: readonly string[]): string {
  return createHash('sha256').update(texts.join('\n')).digest('base64url').slice(0, 16)
}
