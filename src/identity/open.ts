import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { messageOf, Outage } from '../base/errors.ts'
import type { Directory } from './directory.ts'
import { ldap } from './ldap.ts'
import { LdapRule } from './ldap/rule.ts'
import { local, LocalUser } from './local.ts'
import { remembered } from './remembered.ts'
import { together } from './together.ts'

/** Where the site's people come from: its file, a directory, or both. Whom the file names, the directory is not asked about. */
export const IdentityRule = z
  .strictObject({ local: z.array(LocalUser).default([]), ldap: LdapRule.optional() })
  .refine(({ local, ldap }) => local.length > 0 || ldap !== undefined, {
    error: 'should name people under local, or a directory under ldap',
  })
export type IdentityRule = z.infer<typeof IdentityRule>

/** How long those who are signed in go on while the directory does not answer. */
const staleMillis = 15 * 60_000

/**
 * Opens the directory that the site's file describes. The only list of directories.
 * @throws Outage `directory_unusable` when a file that it names cannot be read.
 */
export async function openDirectory(rule: IdentityRule): Promise<Directory> {
  const named = local(rule.local)
  if (rule.ldap === undefined) return named
  const { caFile, bindPasswordFile, rememberSeconds } = rule.ldap
  const place = {
    rule: rule.ldap,
    bindPassword: (await text(bindPasswordFile)).replace(/\r?\n$/, ''),
    ca: caFile === undefined ? undefined : await text(caFile),
  }
  const memory = { freshMillis: rememberSeconds * 1000, staleMillis, most: 20_000 }
  const directory = remembered(ldap(place), memory, () => performance.now())
  return rule.local.length === 0 ? directory : together(named, directory)
}

async function text(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new Outage('directory_unusable', `${path} cannot be read: ${messageOf(cause)}`, {
      transient: false,
      cause,
    })
  }
}
