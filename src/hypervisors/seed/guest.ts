import { hasControl } from '../../base/text.ts'
import type { MachineSpec } from '../hypervisor.ts'
import { refused } from '../outages.ts'

/** What a guest is told before its first boot. */
export type Guest = Pick<MachineSpec, 'ref' | 'name' | 'os' | 'administrators'>

const computerName = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/
/** What `useradd` takes (shadow, useradd(8)). */
const linuxAccount = /^[a-z_][a-z0-9_.-]{0,31}$/
/** What Windows takes, of what a directory may hold; a domain before it stays out. */
const windowsAccount = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/
const publicKey = /^[a-z0-9@.-]+ [A-Za-z0-9+/=]+( .*)?$/

/** @throws Outage `hypervisor_refused` for a name that cannot be a computer's or an account's, or a key that is none. */
export function checkGuest({ name, os, administrators }: Guest): void {
  if (!computerName.test(name)) throw refused(`"${printable(name)}" cannot be the name of a computer.`)
  const account = os === 'windows' ? windowsAccount : linuxAccount
  for (const { user, keys } of administrators) {
    if (!account.test(user))
      throw refused(`"${printable(user)}" cannot be the name of an account in a guest.`)
    const isKey = (key: string) => !hasControl(key) && publicKey.test(key)
    if (!keys.every(isKey)) throw refused(`A key of ${user} is no public key of OpenSSH.`)
  }
}

function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 60)
}
