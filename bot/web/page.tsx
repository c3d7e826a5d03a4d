import { DateTime } from 'luxon'
import type { Instant } from '../../src/base/clock.ts'
import type { Button } from '../card.ts'
import type { Line } from './messages.ts'
import { CardView, Hidden } from './render.tsx'

interface Shown {
  lines: readonly Line[]
  now: Instant
  /** The zone that times are shown in. */
  zone: string
}

/** The conversation alone: what the script fetches when something has changed. */
export function Lines({ lines, now, zone }: Shown) {
  if (lines.length === 0) return <Welcome />
  return (
    <>
      {lines.map((line) => (
        <LineView line={line} now={now} zone={zone} />
      ))}
    </>
  )
}

function Welcome() {
  return (
    <article class="line by-jackdaw" data-id="welcome" data-version="1">
      <div class="card tone-neutral">
        <h2>Jackdaw</h2>
        <p class="card-summary">Say what you need in a line, or press one of these.</p>
        <div class="card-buttons">
          {['help', 'list', 'request', 'prices', 'desktop list'].map((line) => (
            <form method="post" action="/chat/say" data-send="/chat/say">
              <input type="hidden" name="key" value={`welcome-${line.replace(' ', '-')}`} />
              <input type="hidden" name="line" value={line} />
              <button type="submit" class="secondary outline">
                {line}
              </button>
            </form>
          ))}
        </div>
      </div>
    </article>
  )
}

function LineView({ line, now, zone }: { line: Line } & Pick<Shown, 'now' | 'zone'>) {
  const { id, version, at, said } = line
  const place = { message: id, version }
  const summary = said.by === 'jackdaw' ? said.card.summary : ''
  return (
    <article
      class={`line by-${said.by}`}
      data-id={id}
      data-version={version}
      data-summary={summary}
      aria-label={said.by === 'jackdaw' ? `Jackdaw: ${said.card.title}` : 'You'}
    >
      {said.by === 'jackdaw' ? <CardView card={said.card} place={place} /> : <p class="said">{said.text}</p>}
      <time dateTime={at}>{clockTime(at, now, zone)}</time>
    </article>
  )
}

/** The time of day, with the day where that is not today. */
function clockTime(at: Instant, now: Instant, zone: string): string {
  const then = DateTime.fromISO(at, { zone, locale: 'en-GB' })
  const today = DateTime.fromISO(now, { zone }).hasSame(then, 'day')
  return then.toFormat(today ? 'HH:mm' : 'ccc d LLL, HH:mm')
}

/** The page of the chat: the conversation, and a line to type. `stamp` tells one sending of the line from another. */
export function ChatPage({ lines, now, zone, stamp }: Shown & { stamp: string }) {
  return (
    <section class="chat" aria-label="Chat with Jackdaw">
      <h1 class="chat-sr">Chat</h1>
      <div id="chat-lines" class="chat-lines" role="region" aria-label="Conversation">
        <Lines lines={lines} now={now} zone={zone} />
        <div id="end"></div>
      </div>
      <p id="chat-news" class="chat-sr" aria-live="polite"></p>
      <p id="chat-trouble" class="chat-trouble" role="status"></p>
      <form id="chat-say" class="chat-say" method="post" action="/chat/say" data-send="/chat/say">
        <input type="hidden" name="key" value={stamp} />
        <label class="chat-sr" for="chat-line">
          Say something to Jackdaw
        </label>
        <input
          id="chat-line"
          name="line"
          type="text"
          maxLength={2000}
          autocomplete="off"
          autocapitalize="off"
          enterkeyhint="send"
          placeholder="request slc5 for 30d budget …, or help"
          required
        />
        <button type="submit">Send</button>
      </form>
      <dialog id="chat-ask" aria-labelledby="chat-ask-title">
        <form method="dialog">
          <h2 id="chat-ask-title"></h2>
          <p id="chat-ask-text"></p>
          <div id="chat-ask-field" hidden>
            <label for="chat-ask-answer"></label>
            <textarea id="chat-ask-answer" rows={3} maxLength={500}></textarea>
          </div>
          <div class="card-buttons">
            <button type="submit" value="yes"></button>
            <button type="submit" value="no" class="secondary outline" formNoValidate>
              Go back
            </button>
          </div>
        </form>
      </dialog>
    </section>
  )
}

/** What a button asks first, for browsers without scripts. */
export function AskPage({ button, message, version }: { button: Button; message: string; version: string }) {
  const { label, spoken, confirm, ask, action, value, style } = button
  return (
    <section class="chat-ask">
      <h1>{confirm?.title ?? spoken}</h1>
      {confirm === undefined ? null : <p>{confirm.text}</p>}
      <form method="post" action="/chat/press">
        <Hidden place={{ message, version }} action={action} value={value} />
        {ask === undefined ? null : (
          <label>
            {ask.label}
            <textarea name="answer" rows={3} maxLength={500} required={ask.required}></textarea>
          </label>
        )}
        <div class="card-buttons">
          <button type="submit" class={style === 'danger' ? 'danger' : ''}>
            {confirm?.yes ?? label}
          </button>
          <a href="/chat#end" role="button" class="secondary outline">
            Go back
          </a>
        </div>
      </form>
    </section>
  )
}
