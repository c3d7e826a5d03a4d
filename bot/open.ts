import type { Router } from 'express'
import type { Chat } from './chat.ts'
import { openConversation } from './conversation.ts'
import { webChat, type WebDoor } from './web/web.ts'
import type { ConversationServices } from './conversation.ts'

/** Which chats a site has. */
export interface ChatRules {
  web: boolean
}

/** What the chats are opened with: the operations, and the door that the built-in one stands behind. */
export interface ChatServices extends ConversationServices, WebDoor {}

/** The chats of a site, with the pages and callbacks that they need. */
export interface OpenedChats {
  chats: readonly Chat[]
  faces: readonly { path: string; router: Router }[]
  close(): Promise<void>
}

/** Opens the chats that the site's file names. The only list of chat adapters. */
export function openChats(rules: ChatRules, services: ChatServices): OpenedChats {
  const conversation = openConversation(services)
  const opened = rules.web ? [webChat({ ...services, conversation })] : []
  return {
    chats: opened.map(({ chat }) => chat),
    faces: opened.map(({ face }) => face),
    async close() {
      await Promise.all(opened.map(({ chat }) => chat.close()))
    },
  }
}
