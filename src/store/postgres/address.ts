import { readFile } from 'node:fs/promises'
import { messageOf, Outage } from '../../base/errors.ts'

/** The variable that names the database where the site's file does not. */
export const urlVariable = 'JACKDAW_DATABASE_URL'

export interface AddressChoice {
  url?: string | undefined
  /** A file with the URL, for secrets that are mounted. Read each time the store is opened. */
  urlFile?: string | undefined
}

/** Whether a text is the URL of a database, such as `postgres://jackdaw@db.example.org/jackdaw`. */
export function isDatabaseUrl(text: string): boolean {
  return URL.canParse(text) && /^postgres(ql)?:$/.test(new URL(text).protocol) && !/\s/.test(text)
}

/**
 * Where the database is: as the site's file says, else as the file that it names says, else as the environment says.
 * The URL may hold a password, so it is never part of a message.
 * @throws Outage `store_unfit` when nothing says it.
 */
export async function databaseUrl(
  { url, urlFile }: AddressChoice,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  const [source, text] =
    url !== undefined
      ? ['store.url', url]
      : urlFile !== undefined
        ? [urlFile, await contentOf(urlFile)]
        : [urlVariable, env[urlVariable] ?? '']
  if (isDatabaseUrl(text)) return text
  throw unfit(`${source} does not hold the URL of a database, such as postgres://user@host/database`)
}

async function contentOf(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim()
  } catch (error) {
    throw unfit(`the file with its URL cannot be read: ${messageOf(error)}`)
  }
}

function unfit(why: string): Outage {
  return new Outage('store_unfit', `The database is not known: ${why}.`, { transient: false })
}
