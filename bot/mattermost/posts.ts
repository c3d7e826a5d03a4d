import { z } from 'zod'
import { fingerprint } from '../../src/base/seal.ts'
import type { Ids } from '../../src/base/ids.ts'
import type { Card } from '../card.ts'
import type { Api } from './api.ts'
import { sealButton } from './callback-proof.ts'
import { type ChartPart, chartsOf } from './pieces.ts'
import { type Rendered, renderCard } from './render.ts'
import type { Post } from './schema.ts'
import type { Server } from './server.ts'

export interface PostServices {
  api: Api
  server: Server
  ids: Ids
  nowMillis: () => number
  /** The key that buttons are sealed with. */
  key(): Promise<string>
  /** Where presses go. */
  actionUrl: string
  /** A chart as a PNG. */
  picture(chart: ChartPart): Uint8Array
}

/** Where a card is written. */
export interface Spot {
  channel: string
  /** The thread; empty outside of one. */
  root: string
}

/** Writes cards. What a post carries for us stands in its property `jackdaw`. */
export interface Posts {
  /**
   * @param key the same key again, in the same channel, gives the first post
   * @param looksBack whether it may have been written longer ago than the server itself remembers
   */
  write(card: Card, spot: Spot, key: string, looksBack?: boolean): Promise<Post>
  /**
   * @param tells whether its thread is told when the card says something else than before: nobody hears of an edit
   * @returns false when the post is gone
   */
  replace(id: string, channel: string, card: Card, tells?: boolean): Promise<boolean>
  /** A card that only one person sees, and that cannot be changed later. */
  shown(card: Card, channel: string, user: string): Promise<Rendered>
}

/** How long a deed under a key is known to the server by its pending id: 30 s (app/post.go). */
export function openPosts(services: PostServices): Posts {
  const { api, server, ids, nowMillis } = services

  async function render(
    card: Card,
    channel: string,
    user: string,
  ): Promise<Rendered & { rendering: string }> {
    const [{ blocks }, key] = await Promise.all([server.known(), services.key()])
    const rendering = ids.secret(12)
    const about = card.about ?? ''
    const rendered = renderCard(card, {
      mark: `a${rendering.replace(/[^A-Za-z0-9]/g, '')}x`,
      url: services.actionUrl,
      // What only one person sees is told in the answer to a command, which knows attachments on every server.
      blocks: blocks && user === '',
      pictures: user === '',
      seal: (deed) => sealButton(key, { deed, about, channel, rendering, user }, nowMillis()),
    })
    return { ...rendered, rendering }
  }

  async function picturesOf(card: Card, channel: string): Promise<string[]> {
    const uploads = chartsOf(card).map(async (chart, index) => {
      const bytes = services.picture(chart)
      return api.upload(channel, { name: nameOf(card, index), bytes, type: 'image/png' })
    })
    return Promise.all(uploads)
  }

  return {
    async write(card, { channel, root }, key, looksBack = false) {
      const mark = fingerprint(key).slice(0, 26)
      const known = looksBack ? await writtenBefore(services, channel, mark) : undefined
      if (known !== undefined) return known
      const [{ me }, { message, props, rendering }] = await Promise.all([
        server.known(),
        render(card, channel, ''),
      ])
      const files = await picturesOf(card, channel)
      return api.createPost({
        channel_id: channel,
        message,
        props: { ...props, jackdaw: { rendering, key: mark, tone: card.tone } },
        pending_post_id: `${me.id}:${mark}`,
        ...(root === '' ? {} : { root_id: root }),
        ...(files.length === 0 ? {} : { file_ids: files }),
      })
    },
    async replace(id, channel, card, tells = false) {
      const before = await standing(services, id)
      if (before === undefined) return false
      const { message, props, rendering } = await render(card, channel, '')
      const files = await picturesOf(card, channel)
      const { key = '', tone } = ours(before)
      const stands = await api.patchPost(id, {
        message,
        props: { ...emptied, ...props, jackdaw: { rendering, key, tone: card.tone } },
        ...(files.length === 0 ? {} : { file_ids: files }),
      })
      if (stands && tells && tone !== undefined && tone !== card.tone)
        await addLine(services, before, message)
      return stands
    },
    async shown(card, channel, user) {
      const { message, props } = await render(card, channel, user)
      return { message, props }
    },
  }
}

/** Props are replaced as a whole; said all the same, since a card may change from one kind to the other. */
const emptied = { attachments: [] }

async function writtenBefore(
  { api, server }: PostServices,
  channel: string,
  mark: string,
): Promise<Post | undefined> {
  const [{ me }, posts] = await Promise.all([server.known(), api.newestPosts(channel)])
  return posts.find((post) => post.user_id === me.id && ours(post).key === mark)
}

async function standing({ api }: PostServices, id: string): Promise<Post | undefined> {
  const post = await api.post(id)
  return post === undefined || post.delete_at > 0 ? undefined : post
}

/** What became of a card, in its thread: the card shows how things are now, its thread how they came about. */
async function addLine({ api, server }: PostServices, post: Post, message: string): Promise<void> {
  const { me } = await server.known()
  await api.createPost({
    ...{ channel_id: post.channel_id, root_id: post.root_id || post.id, message, props: emptied },
    pending_post_id: `${me.id}:${fingerprint(`${post.id}\n${message}`).slice(0, 26)}`,
  })
}

/** What a post of ours carries: how it was rendered last, and under which key it was written. */
export function ours({ props }: Post): z.infer<typeof Ours> {
  const parsed = Ours.safeParse(props.jackdaw)
  return parsed.success ? parsed.data : {}
}

const Ours = z.object({
  rendering: z.string().optional(),
  key: z.string().optional(),
  tone: z.string().optional(),
})

function nameOf({ title }: Card, index: number): string {
  const name = title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
  return `${name === '' ? 'chart' : name}${index === 0 ? '' : `-${index + 1}`}.png`
}
