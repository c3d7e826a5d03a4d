import { Resvg } from '@resvg/resvg-js'
import { refused } from '../outages.ts'

const widest = 320
const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])

/**
 * A picture of a screen, made small.
 * @throws Outage `hypervisor_refused` where it is no PNG (ISO/IEC 15948), as it is before QEMU 7.1.
 */
export async function thumbnail(picture: Buffer): Promise<Uint8Array> {
  if (!picture.subarray(0, 8).equals(signature) || picture.length < 24)
    throw refused('The picture of the screen is not a PNG.')
  const [width, height] = [picture.readUInt32BE(16), picture.readUInt32BE(20)]
  if (width <= widest) return picture
  const data = `data:image/png;base64,${picture.toString('base64')}`
  const size = `width="${width}" height="${height}"`
  const drawing = `<svg xmlns="http://www.w3.org/2000/svg" ${size}><image ${size} href="${data}"/></svg>`
  return new Resvg(drawing, { fitTo: { mode: 'width', value: widest } }).render().asPng()
}
