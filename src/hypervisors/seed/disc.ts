import type { MachineSpec } from '../hypervisor.ts'
import { refused } from '../outages.ts'
import { cloudFiles } from '../libvirt/seed.ts'
import { isoImage } from './iso9660.ts'
import { windowsSetup } from './windows.ts'

/** What a guest is told before its first boot. */
export type Guest = Pick<MachineSpec, 'ref' | 'name' | 'os' | 'administrators'>

/**
 * The disc that a guest reads at its first boot: cloud-init's NoCloud (its documentation, "datasources/nocloud") on
 * Linux, the answer file of Windows Setup on Windows. Everything in it is data to its reader, nothing is put into a
 * command. @throws Outage `hypervisor_refused` for a name that cannot be a computer's or an account's.
 */
export function seedDisc(guest: Guest): Uint8Array {
  check(guest)
  const texts = { ...cloudFiles(guest), ...(guest.os === 'windows' ? windowsSetup(guest) : {}) }
  return isoImage(
    'cidata',
    Object.entries(texts).map(([name, text]) => ({ name, body: Buffer.from(text, 'utf8') })),
  )
}

const computerName = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/
/** What both Linux and Windows take as an account; an address or a domain before it stays out. */
const account = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/
const publicKey = /^[\x20-\x7e]+$/

function check({ name, administrators }: Guest): void {
  if (!computerName.test(name)) throw refused(`${JSON.stringify(name)} cannot be the name of a computer.`)
  for (const { user, keys } of administrators) {
    if (!account.test(user)) throw refused(`${JSON.stringify(user)} cannot be an account in a guest.`)
    if (!keys.every((key) => publicKey.test(key))) throw refused(`A key of ${user} is no OpenSSH public key.`)
  }
}
