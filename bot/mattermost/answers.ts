import type { Caller } from '../../src/identity/person.ts'
import type { Card } from '../card.ts'
import { type CopyServices, keepCopy } from '../copies.ts'
import type { Api } from './api.ts'
import type { Edits } from './pacing.ts'
import { inline } from './escape.ts'
import { piecesOf } from './pieces.ts'
import type { Posts, Spot } from './posts.ts'
import type { Server } from './server.ts'

/** Who is answered. */
export interface Asker {
  caller: Caller
  /** Their account. */
  id: string
  zone: string | undefined
}

/** A post of ours whose place an answer may take. */
export interface Pressed {
  post: string
  about: string
  /** Whether it is a form: then the first card of the answer takes its place, whatever it is about. */
  isForm: boolean
}

export interface Answers {
  /** The direct channel of somebody with us. */
  home(id: string): Promise<string>
  /**
   * Puts cards where they belong: in the place of what was pressed, or as new posts.
   * @param key what this answer is known by, so that it is given once
   */
  give(asker: Asker, cards: readonly Card[], spot: Spot, key: string, pressed?: Pressed): Promise<void>
  /** The same for one card, as a new post. @returns its id. */
  post(asker: Asker, card: Card, spot: Spot, key: string): Promise<string>
}

export interface AnswerServices extends CopyServices {
  api: Api
  server: Server
  posts: Posts
  edits: Edits
}

export function openAnswers(services: AnswerServices): Answers {
  const { api, server, posts, edits } = services
  const homes = new Map<string, string>()

  async function keep(asker: Asker, card: Card, channel: string, message: string): Promise<void> {
    const ref = { platform: 'mattermost', channel, message }
    const how = asker.zone === undefined ? { ref } : { ref, zone: asker.zone }
    const fresh = await keepCopy(services, asker.caller, card, how)
    if (fresh === undefined) return
    await edits.edit(message, () => posts.replace(message, channel, fresh))
  }

  async function post(asker: Asker, card: Card, spot: Spot, key: string): Promise<string> {
    const { id } = await posts.write(card, spot, key)
    await keep(asker, card, spot.channel, id)
    return id
  }

  async function replaced(asker: Asker, card: Card, channel: string, message: string): Promise<boolean> {
    const stands = await edits.edit(message, () => posts.replace(message, channel, card))
    if (stands) await keep(asker, card, channel, message)
    return stands
  }

  return {
    async home(id) {
      const known = homes.get(id)
      if (known !== undefined) return known
      const { me } = await server.known()
      const channel = await api.directChannel(me.id, id)
      if (homes.size > 10_000) homes.clear()
      homes.set(id, channel)
      return channel
    },
    post,
    async give(asker, cards, spot, key, pressed) {
      for (const [index, card] of cards.entries()) {
        const instead =
          index === 0 && pressed !== undefined && takesPlace(card, pressed) ? pressed.post : undefined
        if (instead !== undefined && (await replaced(asker, card, spot.channel, instead))) continue
        await post(asker, card, spot, `${key}.${index}`)
      }
    },
  }
}

/** Whether the first card of an answer takes the place of what was pressed. */
export function takesPlace(card: Card, { about, isForm }: Pressed): boolean {
  return isForm || (about !== '' && card.about === about)
}

/** Said to one person and forgotten: what went wrong, where nothing can be pressed and nothing lasts. */
export function isPassing({ about, tone, parts }: Card): boolean {
  const holds = parts.some(({ kind }) => kind === 'buttons' || kind === 'form' || kind === 'chart')
  return about === undefined && (tone === 'warn' || tone === 'bad') && !holds
}

/** A card as Markdown alone, for where nothing else can stand. */
export function passingText(card: Card): string {
  const said = piecesOf(card, { pictures: false }).flatMap((piece) =>
    piece.kind === 'text' ? [piece.text] : [],
  )
  return [inline(card.summary), ...said].join('\n\n')
}
