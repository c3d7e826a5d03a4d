import { refused } from '../outages.ts'

/** The checkpoint that a machine is set back to: VMM makes no second disk on top of a template. */
export const clean = 'jackdaw-clean'

/** What an image is called in VMM's library, whether it is a stored machine or a disk. */
export function imageName(image: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/.test(image)) {
    throw refused(`${JSON.stringify(image)} cannot be the name of an image.`)
  }
  return `jackdaw-image-${image}`
}
