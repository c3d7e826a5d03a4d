import { listDiskFiles } from '../../src/operations/disk-files.ts'
import { exportImage } from '../../src/operations/export-image.ts'
import { importDisk } from '../../src/operations/import-disk.ts'
import { listImages } from '../../src/operations/list-images.ts'
import { showFigures } from '../../src/operations/show-figures.ts'
import type { Card } from '../card.ts'
import { filesCard, movingCard } from '../cards/disks.ts'
import { figuresCard } from '../cards/figures.ts'
import { questionCard, saidCard } from '../cards/questions.ts'
import { formatCommand } from '../grammar.ts'
import { whichMachine } from './machines.ts'
import type { Talk } from './talk.ts'

export async function figures(talk: Talk, { machine }: { machine?: string }): Promise<Card[]> {
  if (machine === undefined) {
    return [
      await whichMachine(talk, 'The figures of which server?', (name) => ({
        verb: 'figures',
        machine: name,
      })),
    ]
  }
  const found = await talk.perform(showFigures, { name: machine })
  const page = `${talk.site.publicUrl}/machines/${encodeURIComponent(machine)}/library`
  return [figuresCard(found, page, talk.drawing)]
}

/** Takes a file into the library. Whether it is a disk is found out on the way, and said in the library. */
export async function takeIn(
  talk: Talk,
  { file, image, template }: { file?: string; image?: string; template?: string },
): Promise<Card[]> {
  if (file === undefined) {
    if (talk.site.library === null) {
      const text = 'This site has no folder for disks. An operator can name one in its file.'
      return [saidCard('Import a disk', text, 'neutral')]
    }
    return [filesCard((await talk.perform(listDiskFiles, {})).items, pageOf(talk))]
  }
  const taken = await talk.perform(importDisk, {
    file,
    ...(image === undefined ? {} : { image }),
    ...(template === undefined ? {} : { template }),
  })
  const summary = `${file} is being taken in as image ${taken.image}: copied, checked and converted. Ask for servers with it as with a template: request ${taken.image}.`
  return [movingCard({ title: `Import ${file}`, summary, page: pageOf(talk) })]
}

/** Writes an image to a file of whoever asks. */
export async function writeOut(
  talk: Talk,
  { image, file }: { image?: string; file?: string },
): Promise<Card[]> {
  if (image === undefined) return [await whichImage(talk)]
  const written = await talk.perform(exportImage, { name: image, ...(file === undefined ? {} : { file }) })
  const summary = `${image} is being written to ${written.file}. It is among your files once it is whole.`
  return [movingCard({ title: `Export ${image}`, summary, page: pageOf(talk) })]
}

async function whichImage(talk: Talk): Promise<Card> {
  const { items } = await talk.perform(listImages, { limit: 50 })
  const names = items.filter(({ state }) => state === 'ready').map(({ name }) => name)
  const question = 'Export which image?'
  if (names.length === 0)
    return saidCard(question, 'There is no image of yours. Say "capture" to make one.', 'neutral')
  return questionCard(
    question,
    names.slice(0, 12).map((image) => ({ label: image, line: formatCommand({ verb: 'export', image }) })),
  )
}

function pageOf({ site }: Talk): string {
  return `${site.publicUrl}/library`
}
