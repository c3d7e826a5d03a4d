import { z } from 'zod'
import { messageOf } from '../../src/base/errors.ts'
import type { Card } from '../card.ts'
import { clip } from '../cards/parts.ts'
import type { PostServices } from './posts.ts'

const Upload = z.object({ upload_url: z.url(), file_id: z.string() })
/** Slack's limit for the description of a picture. */
const longestAlt = 1_000

/**
 * Sends the charts of a card as pictures that are described in words (files.getUploadURLExternal, then
 * files.completeUploadExternal).
 * @returns whether all of them were sent: what was not is to be drawn with letters.
 */
export async function sendPictures(
  { api, pace, log, pictureOf }: Pick<PostServices, 'api' | 'pace' | 'log' | 'pictureOf'>,
  card: Card,
  place: { channel: string; thread_ts?: string },
): Promise<boolean> {
  const charts = card.parts.flatMap((part) => (part.kind === 'chart' && part.bars.length > 0 ? [part] : []))
  try {
    for (const chart of charts) {
      const bytes = pictureOf(chart)
      const { upload_url: url, file_id: id } = await pace.call(() =>
        api.call(
          'files.getUploadURLExternal',
          { filename: 'chart.png', length: bytes.length, alt_txt: clip(chart.alt, longestAlt) },
          Upload,
        ),
      )
      await api.upload(url, bytes)
      const { channel, ...thread } = place
      const args = { files: [{ id, title: clip(card.title, 100) }], channel_id: channel, ...thread }
      await pace.post(channel, () => api.call('files.completeUploadExternal', args, z.object({})))
    }
    return true
  } catch (error) {
    log.warn({ error: messageOf(error) }, 'slack does not take a chart, it is drawn with letters')
    return false
  }
}
