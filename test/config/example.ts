import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { checkConfig, formatFault } from '../../src/config.ts'

export const exampleFile = join(import.meta.dirname, '../fixtures/jackdaw.yaml')
export const example = readFileSync(exampleFile, 'utf8')

/** The faults of a text as they are shown, without the file's name. */
export function faultsOf(text: string): string[] {
  const result = checkConfig(text, 'F')
  return 'faults' in result ? result.faults.map((fault) => formatFault('F', fault).replace(/^F:/, '')) : []
}

/** The example with words changed. Each must stand in it, so that no case tests nothing. */
export function changed(...changes: readonly (readonly [string, string])[]): string {
  return changes.reduce((text, [from, to]) => {
    expect(text).toContain(from)
    return text.replace(from, () => to)
  }, example)
}
