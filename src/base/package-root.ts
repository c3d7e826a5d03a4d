import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of our package.json, whether we run from the sources or from what was built of them. */
const root = findRoot(dirname(fileURLToPath(import.meta.url)))

/** A file of the package that is read as it is, such as a style sheet or the demo site: never copied by the build. */
export function packagePath(...segments: string[]): string {
  return join(root, ...segments)
}

function findRoot(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder
  const parent = dirname(folder)
  if (parent === folder) throw new Error('package.json is not above the program')
  return findRoot(parent)
}
