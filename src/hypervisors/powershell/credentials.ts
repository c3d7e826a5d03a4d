import { readFile } from 'node:fs/promises'
import { messageOf } from '../../base/errors.ts'
import { refused } from '../outages.ts'
import type { SshLogin } from './rule.ts'
import type { SshOptions } from './ssh.ts'

/** What a login is, read from where the site's file says it is. */
export type Credentials = Pick<SshOptions, 'user' | 'key' | 'passphrase' | 'password'>

/** @throws Outage `hypervisor_refused` when a file cannot be read. */
export async function credentialsOf({ user, ...files }: SshLogin): Promise<Credentials> {
  const { keyFile, passphraseFile, passwordFile } = files
  return {
    user,
    ...(keyFile === undefined ? {} : { key: await contentOf(keyFile) }),
    ...(passphraseFile === undefined ? {} : { passphrase: await firstLine(passphraseFile) }),
    ...(passwordFile === undefined ? {} : { password: await firstLine(passwordFile) }),
  }
}

async function firstLine(path: string): Promise<string> {
  return (await contentOf(path)).replace(/\r?\n[\s\S]*$/, '')
}

async function contentOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw refused(`The file ${path}, which SSH needs, cannot be read: ${messageOf(error)}.`)
  }
}
