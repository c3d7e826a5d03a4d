import type { Card } from '../card.ts'
import { type ImageLine, imagesTable } from './images.ts'
import { buttons, card, lineButton, table } from './parts.ts'

/** A template as its operation shows it. */
export interface TemplateView {
  name: string
  title: string
  kind?: 'image' | 'empty' | 'import'
  os: string
  cpus: { default: number; max: number }
  memoryGb: { default: number; max: number }
}

/** What servers can be made from. */
export function templatesCard(templates: readonly TemplateView[], images: readonly ImageLine[] = []): Card {
  return card({
    summary: `Servers can be made from ${templates.map(({ name }) => name).join(', ')}.`,
    title: 'Templates',
    tone: 'neutral',
    parts: [
      table(
        'Templates',
        ['Name', 'What it is', 'System', 'CPUs', 'Memory'],
        templates.map(({ name, title, os, cpus, memoryGb }) => [
          name,
          title,
          os,
          `${cpus.default}, at most ${cpus.max}`,
          `${memoryGb.default} GB, at most ${memoryGb.max} GB`,
        ]),
      ),
      imagesTable(images),
      buttons(
        ...templates
          .slice(0, 10)
          .map(({ name }) => lineButton(`Request ${name}`, `request template "${name}"`)),
      ),
    ],
  })
}
