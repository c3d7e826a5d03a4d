import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { component } from '../../components.ts'

export const xmllint = await component('xmllint', { install: true })

export const feedSchema = fileURLToPath(new URL('../../fixtures/webfeed.xsd', import.meta.url))

/** What libxml2, which nobody here wrote, has to say of a document: nothing when all is well, or what was asked for. */
export function lint(xml: string, ...options: string[]): Promise<{ said: string; found: string }> {
  return new Promise((resolve) => {
    const path = xmllint.available ? xmllint.path : 'xmllint'
    const child = execFile(path, ['--nonet', ...options, '-'], (error, stdout, stderr) => {
      resolve({ said: error === null ? '' : stderr, found: stdout })
    })
    child.stdin?.end(xml)
  })
}
