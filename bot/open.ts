import type { Ids } from '../src/base/ids.ts'
import type { Bars } from '../src/charts/bars.ts'
import { chartPng } from '../src/charts/chart-png.tsx'
import { type AccountServices, type Accounts, openAccounts } from './accounts.ts'
import type { Chat, Face, OpenedChat } from './chat.ts'
import { type Conversation, type ConversationServices, openConversation } from './conversation.ts'
import { mattermostChat, type Timings as MattermostTimings } from './mattermost/mattermost.ts'
import type { ChatRules } from './rules.ts'
import type { ChatSecrets } from './secrets.ts'
import type { Timing } from './slack/pace.ts'
import { slackChat } from './slack/slack.ts'
import { steady } from './steady.ts'
import { webChat, type WebDoor } from './web/web.ts'

/** What the chats are opened with: the operations, who people are, and the door that the built-in one stands behind. */
export interface ChatServices extends ConversationServices, AccountServices, WebDoor {
  /** How time passes between calls to a platform; real unless a test says otherwise. */
  timing?: Timing
  ids: Ids
  secrets: ChatSecrets
  /** How long Mattermost is waited for, where a test is in a hurry. */
  mattermostTimings?: MattermostTimings | undefined
}

/** What the adapter of a platform stands on. */
export interface PlatformServices extends ConversationServices {
  conversation: Conversation
  accounts: Accounts
  ids: Ids
  /** A chart as a PNG, for platforms that show pictures; its `alt` goes along. */
  pictureOf: (chart: Bars) => Uint8Array
}

/** The chats of a site, with the pages and callbacks that they need. */
export interface OpenedChats {
  chats: readonly Chat[]
  faces: readonly Face[]
  accounts: Accounts
  close(): Promise<void>
}

/** Opens the chats that the site's file names. */
export function openChats(rules: ChatRules, services: ChatServices): OpenedChats {
  const accounts = openAccounts(services)
  const conversation = openConversation(services)
  const opened = adapters(rules, { ...services, conversation, accounts, pictureOf: chartPng })
  const chats = opened.map(({ chat }) => steady(chat, services.clock))
  return {
    chats,
    accounts,
    faces: opened.flatMap(({ faces }) => faces),
    async close() {
      await Promise.all(chats.map((chat) => chat.close()))
    },
  }
}

/** The only list of chat adapters: a row each. */
function adapters(rules: ChatRules, services: ChatServices & PlatformServices): OpenedChat[] {
  return [
    ...(rules.slack === undefined ? [] : [slackChat(rules.slack, services.secrets.slack, services)]),
    ...(rules.mattermost === undefined
      ? []
      : [
          mattermostChat(rules.mattermost, services.secrets.mattermost, services, services.mattermostTimings),
        ]),
    ...(rules.web ? [webChat(services)] : []),
  ]
}
