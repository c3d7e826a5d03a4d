import { readFileSync, writeFileSync } from 'node:fs'
import type { Files } from './files.ts'

/** `qemu-img convert`, for disks as the stand-ins keep them. Gives its exit code. */
export function qemuImg(files: Files, path: string, words: readonly string[]): number {
  const [verb, f, from, o, to, source = '', target = '', ...more] = words
  const isKnown = verb === 'convert' && f === '-f' && o === '-O' && more.length === 0
  if (!isKnown || !path.endsWith('qemu-img.exe')) throw new Error(`qemu-img does not know ${words.join(' ')}`)
  const text = readFileSync(files.real(source), 'utf8')
  if ((from === 'qcow2') !== text.startsWith('QFI')) return 1
  const body = text.replace(/^QFI\n/, '')
  writeFileSync(files.real(target), to === 'qcow2' ? `QFI\n${body}` : body)
  return 0
}
