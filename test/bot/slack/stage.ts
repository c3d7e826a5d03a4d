import { z } from 'zod'
import type { ChatStage, SeenCard } from '../../contracts/chat-scenarios.ts'
import { fakeSlack, type FakeSlack } from '../../fakes/slack/slack.ts'
import { buttonsIn, fieldsIn, textOf } from '../../fakes/slack/reading.ts'
import { addUser, directOf, type FakeMessage, type FakeView } from '../../fakes/slack/workspace.ts'
import { openStorySite } from '../../stories/site.ts'
import { tracked } from './tracked.ts'

/** What the button of a form carries. */
const FormState = z.object({ fields: z.record(z.string(), z.string()) })

export const accounts = { alice: 'U0ALICE', bob: 'U0BOB', carol: 'U0CAROL', olga: 'U0OLGA' } as const

/** The site's file with Slack, and whose account is whose. */
export function withSlack(mode: 'socket' | 'http') {
  return (yaml: string): string =>
    Object.entries(accounts).reduce(
      (text, [user, account]) =>
        text.replace(`user: ${user}\n`, `user: ${user}\n      accounts: { slack: ${account} }\n`),
      yaml.replace(/^chat:$/m, `chat:\n  slack: { mode: ${mode}, channel: "#servers" }`),
    )
}

export interface SlackStage extends ChatStage {
  slack: FakeSlack
  /** Waits for all that goes on after it was acknowledged. */
  idle(): Promise<void>
}

/** Slack, which is a fake, with the whole service behind it. */
export async function openSlackStage(
  mode: 'socket' | 'http',
  edit = (yaml: string) => yaml,
): Promise<SlackStage> {
  const slack = await fakeSlack()
  for (const [name, id] of Object.entries(accounts)) addUser(slack.space, id, { name })
  const { timing, idle } = tracked(
    (millis) => slack.sleep(millis),
    () => slack.space.now(),
  )
  const site = await openStorySite({ edit: (yaml) => edit(withSlack(mode)(yaml)), env: slack.env, timing })
  if (mode === 'http') slack.sendTo(`${site.url}/slack/events`)
  else await connected(slack)
  const idOf = (user: string): string => Object.entries(accounts).find(([name]) => name === user)?.[1] ?? user

  return {
    ...{ platform: 'slack', site, slack, idle },
    async say(user, line) {
      await slack.command(idOf(user), line)
      await idle()
    },
    async press(user, card, label, answer) {
      const message = messageOf(card)
      await slack.click(idOf(user), { message, label })
      await idle()
      const asking = openView(slack, idOf(user))
      if (answer !== undefined && asking !== undefined) {
        await slack.submit(asking, { answer })
        await idle()
      }
    },
    async submit(user, card, fields) {
      if (slack.space.views.get(card.id)?.isOpen !== true) {
        await slack.click(idOf(user), { message: messageOf(card), label: 'Open the form' })
        await idle()
      }
      const view = openView(slack, idOf(user))
      if (view === undefined) throw new Error(`${user} has no window open`)
      await slack.submit(view, fields)
      await idle()
    },
    cards: async (user) => cardsOf(slack, idOf(user)),
    async close() {
      await site.close()
      await slack.close()
    },
  }
}

async function connected(slack: FakeSlack): Promise<void> {
  const until = Date.now() + 5_000
  while (slack.sockets.size === 0 && Date.now() < until)
    await new Promise((resolve) => setTimeout(resolve, 5))
}

/** Cards as somebody saw them: what they press then stands there as it was, whatever has become of the message. */
const shown = new WeakMap<SeenCard, FakeMessage>()

function messageOf(card: SeenCard): FakeMessage {
  const found = shown.get(card)
  if (found === undefined) throw new Error(`no message ${card.id}`)
  return found
}

function openView({ space }: FakeSlack, user: string): FakeView | undefined {
  return [...space.views.values()].findLast((view) => view.user === user && view.isOpen)
}

/** What somebody sees: their direct conversation with its threads, what only they are told, and an open window. */
function cardsOf(slack: FakeSlack, user: string): SeenCard[] {
  const direct = directOf(slack.space, user)
  const cards: SeenCard[] = []
  for (const message of inReadingOrder(slack.space.messages)) {
    const isTheirs = message.only === undefined ? message.channel === direct : message.only === user
    if (!isTheirs) continue
    const last = cards.at(-1)
    // A picture stands right below the card that it belongs to.
    if (message.file !== undefined && last !== undefined) {
      cards[cards.length - 1] = { ...last, chart: message.file.alt }
    } else cards.push(cardOf(message))
  }
  const view = openView(slack, user)
  return view === undefined ? cards : [...cards, viewCard(view)]
}

/** A thread stands under the message that it is about. */
function inReadingOrder(messages: readonly FakeMessage[]): FakeMessage[] {
  const roots = messages.filter(
    ({ thread }) => thread === undefined || messages.every(({ ts }) => ts !== thread),
  )
  return roots.flatMap((root) => [root, ...messages.filter(({ thread }) => thread === root.ts)])
}

function cardOf(message: FakeMessage): SeenCard {
  const { ts, blocks } = message
  const buttons = buttonsIn(blocks)
  const form = buttons.find(({ element }) => element.action_id.startsWith('form.'))
  const state = form === undefined ? undefined : FormState.parse(JSON.parse(String(form.element.value)))
  const card: SeenCard = {
    ...{ id: ts, text: textOf(blocks), chart: null },
    buttons: buttons.filter((button) => button !== form).map(({ label }) => label),
    fields: Object.entries(state?.fields ?? {}).map(([name, value]) => ({ name, value })),
  }
  shown.set(card, { ...message })
  return card
}

function viewCard(view: FakeView): SeenCard {
  const { title, blocks } = view.view
  return {
    id: view.id,
    text: `${title?.text ?? ''} ${textOf(blocks)}`,
    buttons: [],
    fields: fieldsIn(view),
    chart: null,
  }
}
