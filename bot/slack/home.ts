import { messageOf } from '../../src/base/errors.ts'
import type { Log } from '../../src/base/log.ts'
import type { Conversation } from '../conversation.ts'
import type { Listener } from './answers.ts'
import type { Timing } from './pace.ts'
import { homeView } from './view.ts'
import type { Windows } from './windows.ts'

/** App Home: what is mine, what waits for me, and what it costs. */
export interface Home {
  show(listener: Listener): Promise<void>
  /** Something of theirs may have changed: whoever has opened App Home sees it as it is now. */
  changed(listener: Listener): void
}

export interface HomeServices {
  conversation: Conversation
  windows: Windows
  timing: Pick<Timing, 'began'>
  log: Log
  version: () => string
}

/** Each is a line that anybody could type. */
const lines = ['list', 'approve', 'costs']
const mostShown = 1_000

export function openHome({ conversation, windows, timing, log, version }: HomeServices): Home {
  const opened = new Set<string>()
  const busy = new Map<string, { again: boolean }>()

  async function draw({ caller, account, zone }: Listener): Promise<void> {
    const cards = []
    for (const line of lines) cards.push(...(await conversation.say(caller, line, { verb: 'mention', zone })))
    const frame = { zone, version: version(), tables: false, pictures: false }
    await windows.publish(account, homeView(cards, frame))
  }

  /** Changes that come while it is drawn are drawn together after it. */
  async function redraw(listener: Listener): Promise<void> {
    const drawing = busy.get(listener.account)
    if (drawing !== undefined) {
      drawing.again = true
      return
    }
    const state = { again: true }
    busy.set(listener.account, state)
    try {
      while (state.again) {
        state.again = false
        await draw(listener)
      }
    } finally {
      busy.delete(listener.account)
    }
  }

  return {
    async show(listener) {
      if (opened.size >= mostShown) opened.clear()
      opened.add(listener.account)
      await redraw(listener)
    },
    changed(listener) {
      if (!opened.has(listener.account)) return
      timing.began(
        redraw(listener).catch((error: unknown) =>
          log.warn({ error: messageOf(error) }, 'slack home not shown'),
        ),
      )
    },
  }
}
