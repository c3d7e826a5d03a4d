import { Outage } from '../base/errors.ts'

/**
 * In which format documents and rows are written, and how they come up from older ones. To change it: count `current`
 * up, and say in `upgrades` what is done to each document and row of the format before. What is of an older format is
 * upgraded when it is read: a folder is then written anew before anything else is, and a backup while it is restored.
 */
export interface Formats {
  readonly current: number
  /** By format: how a document or a row of it becomes one of the next. `kind` is its collection or its journal. */
  readonly upgrades: Readonly<Record<number, (kind: string, value: unknown) => unknown>>
}

/** The formats of this release. Upgrades are kept for good, so that every folder and backup there ever was can be read. */
export const ourFormats: Formats = { current: 1, upgrades: {} }

/** A document or a row of some format as one of the current. */
export function upgraded(formats: Formats, format: number, kind: string, value: unknown): unknown {
  let current = value
  for (let from = format; from < formats.current; from++) {
    current = formats.upgrades[from]?.(kind, current) ?? current
  }
  return current
}

/** What a newer release wrote cannot be read by this one: it does not know what that one knew. */
export function tooNew(what: string, format: number, formats: Formats): Outage {
  return new Outage(
    'store_too_new',
    `${what} was written by a newer release (format ${format}; this one knows up to ${formats.current}). ` +
      `Start that release again, or restore a backup from before.`,
    { transient: false },
  )
}
