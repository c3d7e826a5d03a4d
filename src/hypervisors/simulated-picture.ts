import { Resvg } from '@resvg/resvg-js'
import { createRequire } from 'node:module'

/** In pixels, as a small screen of the time. */
export const width = 640
export const height = 400

/** What a simulated guest shows. */
export interface Shown {
  name: string
  /** What is being typed. */
  line: string
  /** What was done last. */
  note: string
}

/** A part of the screen, over its whole width. */
export interface Area {
  top: number
  height: number
}

/** How pixels are written (RFC 6143, 7.4): red, green, blue each with a largest value and a place. */
export interface PixelFormat {
  bits: number
  bigEndian: boolean
  max: readonly [number, number, number]
  shift: readonly [number, number, number]
}

export const usualFormat: PixelFormat = {
  bits: 32,
  bigEndian: false,
  max: [255, 255, 255],
  shift: [16, 8, 0],
}

const fontFile = createRequire(import.meta.url).resolve('dejavu-fonts-ttf/ttf/DejaVuSansMono.ttf')

/** The whole screen as RGBA. Drawn with a font that comes along: the system's are neither needed nor read. */
export function drawn(shown: Shown): Uint8Array {
  return rendered(shown).pixels
}

/** The screen as a small PNG. */
export function pictured(shown: Shown): Uint8Array {
  return rendered(shown, 320).asPng()
}

function rendered({ name, line, note }: Shown, across = width) {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">
    <rect width="${width}" height="${height}" fill="#16202c"/>
    <rect y="0" width="${width}" height="44" fill="#2b4a6b"/>
    <g font-family="DejaVu Sans Mono" fill="#dbe4ee" font-size="15">
      <text x="24" y="29">simulated</text>
      <text x="24" y="130" font-size="34" fill="#f3f7fb">${escaped(name)}</text>
      <text x="24" y="170">A simulated machine: nothing runs in it.</text>
      <text x="24" y="194">What you type is shown below.</text>
      <text x="24" y="290" fill="#7fd3a2">${escaped(`> ${line}_`)}</text>
      <text x="24" y="330" fill="#f0bd6d">${escaped(note)}</text>
    </g>
  </svg>`
  return new Resvg(svg, {
    fitTo: { mode: 'width', value: across },
    font: { loadSystemFonts: false, fontFiles: [fontFile], defaultFontFamily: 'DejaVu Sans Mono' },
  }).render()
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

/** Spaces stay as many as they are. */
function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => entities[sign] ?? '').replaceAll(' ', '\u00a0')
}

/** Part of a picture in the format that a client wants. */
export function inFormat(rgba: Uint8Array, { top, height }: Area, format: PixelFormat): Buffer {
  const bytes = format.bits / 8
  const pixels = Buffer.alloc(width * height * bytes)
  const { max, shift, bigEndian } = format
  for (let index = 0; index < width * height; index++) {
    const at = (top * width + index) * 4
    const part = (n: 0 | 1 | 2) => Math.round(((rgba[at + n] ?? 0) * max[n]) / 255) * 2 ** shift[n]
    const value = (part(0) + part(1) + part(2)) % 2 ** format.bits
    if (bigEndian) pixels.writeUIntBE(value, index * bytes, bytes)
    else pixels.writeUIntLE(value, index * bytes, bytes)
  }
  return pixels
}
