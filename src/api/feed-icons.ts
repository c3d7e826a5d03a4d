import { readFileSync } from 'node:fs'
import { Resvg } from '@resvg/resvg-js'
import { iconSizes } from '../../broker/profiles/webfeed.ts'
import { packagePath } from '../base/package-root.ts'

interface Icon {
  type: string
  content: Buffer
}

const drawn = new Map<number, Buffer>()

/** An icon of the feed by its file's name: `desktop.ico`, or `desktop-32.png` in each of its sizes. */
export function feedIcon(file: string): Icon | undefined {
  if (file === 'desktop.ico') return { type: 'image/x-icon', content: ico(32) }
  const size = iconSizes.find((each) => file === `desktop-${each}.png`)
  return size === undefined ? undefined : { type: 'image/png', content: png(size) }
}

function png(size: number): Buffer {
  const known = drawn.get(size)
  if (known !== undefined) return known
  const svg = readFileSync(packagePath('src', 'portal', 'assets', 'jackdaw.svg'), 'utf8')
  const content = new Resvg(svg, { fitTo: { mode: 'width', value: size } }).render().asPng()
  drawn.set(size, content)
  return content
}

/** A picture as Windows keeps icons: a header, one entry, and since Vista a PNG as it is. */
function ico(size: number): Buffer {
  const picture = png(size)
  const head = Buffer.alloc(22)
  head.writeUInt16LE(1, 2)
  head.writeUInt16LE(1, 4)
  head.writeUInt8(size, 6)
  head.writeUInt8(size, 7)
  head.writeUInt16LE(1, 10)
  head.writeUInt16LE(32, 12)
  head.writeUInt32LE(picture.length, 14)
  head.writeUInt32LE(head.length, 18)
  return Buffer.concat([head, picture])
}
