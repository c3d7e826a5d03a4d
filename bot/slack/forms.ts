import { messageOf } from '../../src/base/errors.ts'
import type { Log } from '../../src/base/log.ts'
import type { Card } from '../card.ts'
import { card } from '../cards/parts.ts'
import type { Conversation } from '../conversation.ts'
import type { Answers, Listener } from './answers.ts'
import type { Inbound } from './inbound.ts'
import type { Origin } from './ids.ts'
import type { Timing } from './pace.ts'
import type { Frame } from './render.ts'
import { askView, fieldBlockId, formOf, formView, noteView } from './view.ts'
import type { Windows } from './windows.ts'

type Of<K extends Inbound['kind']> = Extract<Inbound, { kind: K }>
type ModalView = ReturnType<typeof formView>

/** What a window is told when its form was sent. */
export interface FormAnswer {
  response_action?: 'errors' | 'update'
  errors?: Record<string, string>
  view?: ModalView
}

/** Forms in windows of their own: opened, priced while they are filled in, and sent. */
export interface Forms {
  /**
   * Opens the window of a form that an answer asks for, while the click that led to it allows that.
   * @returns the cards that are left to be shown: all of them where no window opened
   */
  opened(
    listener: Listener,
    cards: readonly Card[],
    trigger: string | undefined,
    origin: Origin,
  ): Promise<Card[]>
  /** The window of a button that asks for a sentence first. */
  ask(inbound: Of<'ask'>): Promise<void>
  /** The window of a form that a message stood for. */
  open(listener: Listener, inbound: Of<'form'>): Promise<void>
  /** Shows what a form costs as far as it is filled in. Of changes that come at once only the last is shown. */
  fill(inbound: Of<'fill'>, listenerOf: () => Promise<Listener | undefined>): Promise<void>
  submit(inbound: Of<'submit'>, listenerOf: () => Promise<Listener | undefined>): Promise<FormAnswer>
}

export interface FormServices {
  conversation: Conversation
  answers: Answers
  windows: Windows
  timing: Pick<Timing, 'began'>
  /** Something of theirs may have changed. */
  changed(listener: Listener): void
  /** Ends when a window must have its answer. */
  patience: () => Promise<void>
  log: Log
  version: () => string
}

/** A window waits three seconds for its answer. What takes longer is shown when it comes. */
export const patienceMillis = 2_000

export function openForms(services: FormServices): Forms {
  const { conversation, windows, log } = services
  const frameOf = (zone: string): Frame => ({
    ...{ zone, version: services.version(), tables: false, pictures: false },
  })
  const filling = new Map<string, { next: Of<'fill'> | undefined }>()

  async function fillOnce(inbound: Of<'fill'>, listener: Listener): Promise<void> {
    const { window, view, fields } = inbound
    if (window.kind !== 'form') return
    const { action, value } = window
    const { caller, zone } = listener
    const [drawn] = await conversation.preview(caller, { action, value, fields, zone })
    const form = drawn === undefined ? undefined : formOf(drawn)
    if (drawn === undefined || form === undefined) return
    await windows.show(view, formView(drawn, form, window.origin, frameOf(zone)))
  }

  /** What a sent form led to: what is wrong with it, or nothing and its answers on their way. */
  async function settle(
    inbound: Of<'submit'>,
    listenerOf: () => Promise<Listener | undefined>,
  ): Promise<FormAnswer> {
    const listener = await listenerOf()
    if (listener === undefined) return {}
    const { window, fields, view } = inbound
    const { caller, zone } = listener
    const { action, value, origin } = window
    const key = `slack:view:${view}`
    const cards =
      window.kind === 'form'
        ? await conversation.submit(caller, { action, value, fields, key, zone })
        : await conversation.press(caller, { action, value, answer: fields.answer ?? '', key, zone })
    const wrong = faultsOf(cards, window.kind, fields)
    if (wrong !== undefined) return wrong
    services.changed(listener)
    deliver(services, listener, cards, origin)
    return {}
  }

  return {
    async opened(listener, cards, trigger, origin) {
      const [first, ...others] = cards
      const form = first === undefined ? undefined : formOf(first)
      if (first === undefined || form === undefined || trigger === undefined) return [...cards]
      const id = await windows.open(trigger, formView(first, form, origin, frameOf(listener.zone)))
      return id === undefined ? [...cards] : others
    },
    async ask({ pressed, action, asked }) {
      const id = await windows.open(pressed.trigger, askView(asked, action, pressed.origin))
      if (id === undefined) log.info({ action }, 'slack window came too late')
    },
    async open(listener, { pressed, action, state }) {
      const origin = { ...pressed.origin, form: true }
      // The window opens at once, since what the form offers may take longer to find than Slack waits.
      const id = await windows.open(pressed.trigger, noteView(opening, listener.zone))
      if (id === undefined) return
      const { caller, zone } = listener
      const { value, fields } = state
      const [drawn] = await conversation.preview(caller, { action, value, fields, zone })
      const form = drawn === undefined ? undefined : formOf(drawn)
      await windows.show(
        id,
        drawn === undefined || form === undefined
          ? noteView(drawn ?? notAForm, zone)
          : formView(drawn, form, origin, frameOf(zone)),
      )
    },
    async fill(inbound, listenerOf) {
      const { view: id } = inbound
      const busy = filling.get(id)
      if (busy !== undefined) {
        busy.next = inbound
        return
      }
      const state: { next: Of<'fill'> | undefined } = { next: inbound }
      filling.set(id, state)
      try {
        const listener = await listenerOf()
        for (let next = state.next; next !== undefined && listener !== undefined; next = state.next) {
          state.next = undefined
          await fillOnce(next, listener)
        }
      } finally {
        filling.delete(id)
      }
    },
    async submit(inbound, listenerOf) {
      const work = settle(inbound, listenerOf)
      const late = services.patience().then((): undefined => undefined)
      const answer = await Promise.race([work, late])
      if (answer !== undefined) return answer
      services.timing.began(
        work
          .then((settled) => windows.show(inbound.view, settled.view ?? noteView(doneLate(settled), anyZone)))
          .catch((error: unknown) => log.warn({ error: messageOf(error) }, 'slack window not answered')),
      )
      return { response_action: 'update', view: noteView(underWay, anyZone) }
    },
  }
}

/** Of words without times. */
const anyZone = 'utc'

const opening = {
  title: 'One moment',
  summary: 'The form is being filled with what is known.',
  tone: 'wait' as const,
}
const underWay = {
  title: 'Under way',
  summary: 'This takes a moment. You may close this window.',
  tone: 'wait' as const,
}
const notAForm = card({
  summary: 'That form is of an older version and is not used any more. Say it in words.',
  title: 'An old form',
  tone: 'warn',
})

function doneLate({ errors }: FormAnswer): Pick<Card, 'title' | 'summary' | 'tone'> {
  const [wrong] = Object.values(errors ?? {})
  return wrong === undefined
    ? { title: 'Done', summary: 'Done. The answer is in our direct messages.', tone: 'good' }
    : { title: 'Not done', summary: wrong, tone: 'warn' }
}

/** What is to be mended in a form: beside the fields that it is about, else beside the first. */
function faultsOf(
  cards: readonly Card[],
  kind: 'form' | 'ask',
  fields: Readonly<Record<string, string>>,
): FormAnswer | undefined {
  const [first] = cards
  if (first === undefined) return undefined
  const form = formOf(first)
  const [name] = Object.keys(fields)
  const isRefused =
    form === undefined && first.about === undefined && (first.tone === 'bad' || first.tone === 'warn')
  if (name === undefined || (form === undefined && !isRefused)) return undefined
  const wrong = (form?.fields ?? []).flatMap((field): [string, string][] =>
    field.error === undefined || kind === 'ask' ? [] : [[fieldBlockId(field.name), field.error]],
  )
  return {
    response_action: 'errors',
    errors: Object.fromEntries(wrong.length > 0 ? wrong : [[fieldBlockId(name), first.summary]]),
  }
}

/** The window closes at once; where its answers stand is found out after it. */
function deliver(
  { answers, timing, log }: FormServices,
  listener: Listener,
  cards: readonly Card[],
  origin: Origin,
): void {
  const { channel, message, responseUrl } = origin
  const sent =
    message === undefined && channel !== undefined
      ? answers.toLine(listener, cards, { channel, responseUrl })
      : answers.toPress(listener, cards, origin)
  timing.began(
    sent.catch((error: unknown) => log.warn({ error: messageOf(error) }, 'slack form has no answer')),
  )
}
