import { refuse } from '../base/errors.ts'
import type { Site } from '../operations/site.ts'

/** The folder for disks. @throws Refusal `wrong_state` where the site has none. */
export function libraryOf({ library }: Pick<Site, 'library'>): NonNullable<Site['library']> {
  if (library !== null) return library
  return refuse(
    'wrong_state',
    'This site has no folder for disks. An operator names one in its file: library: { folder: … }.',
  )
}
