import type { DiskFileView } from '../../src/operations/disk-files.ts'
import type { Card } from '../card.ts'
import { card, link, table } from './parts.ts'
import { saidCard } from './questions.ts'

/** A disk is on its way into the library, or out of it. */
export function movingCard(what: { title: string; summary: string; page: string }): Card {
  const { title, summary, page } = what
  return card({ title, summary, tone: 'wait', parts: [link('The library, in the portal', page)] })
}

/** Asked which file is meant. */
export function filesCard(files: readonly DiskFileView[], page: string): Card {
  if (files.length === 0) {
    return saidCard(
      'Import a disk',
      'You have no files of disks. An operator puts them into your folder.',
      'neutral',
    )
  }
  return card({
    title: 'Import a disk',
    summary: `Which file? Say: import ${files[0]?.name ?? ''}`,
    tone: 'neutral',
    parts: [
      table(
        'Your files',
        ['Name', 'MB'],
        files.map(({ name, bytes }) => [name, String(Math.ceil(bytes / 1_000_000))]),
      ),
      link('The library, in the portal', page),
    ],
  })
}
