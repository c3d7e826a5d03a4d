import { hasControl } from '../../base/text.ts'
import type { Administrator, MachineSpec } from '../hypervisor.ts'
import { refused } from '../outages.ts'

/** Account names that cloud-init and useradd take (useradd(8)). */
const accountName = /^[a-z_][a-z0-9_.-]{0,31}$/i

/** A public key as OpenSSH writes it (sshd(8), AUTHORIZED_KEYS): type, base64, comment; no options before it. */
const publicKey = /^[a-z0-9@.-]+ [A-Za-z0-9+/]+={0,2}( .*)?$/

/** @throws Outage `hypervisor_refused` for names and keys that must not get into a guest's files. */
export function checkedAdministrators(spec: Pick<MachineSpec, 'administrators'>): readonly Administrator[] {
  for (const { user, keys } of spec.administrators) {
    if (!accountName.test(user))
      throw refused(`${JSON.stringify(user)} cannot be the name of an account in a guest.`)
    if (keys.some((key) => hasControl(key) || !publicKey.test(key))) {
      throw refused(`A key of ${user} is not an OpenSSH public key on one line.`)
    }
  }
  return spec.administrators
}

/**
 * What Proxmox VE can say by itself: one account. The owner's, with the keys of all administrators, since they all may
 * do everything there; with a shared folder each has an account of their own (`userData`).
 */
export function soleAccount(administrators: readonly Administrator[]): Record<string, string> {
  const [owner] = administrators
  const keys = [...new Set(administrators.flatMap((one) => one.keys))]
  return {
    ...(owner === undefined ? {} : { ciuser: owner.user }),
    // The value itself is percent-encoded (format `urlencoded`), beside the encoding of the form.
    ...(keys.length === 0 ? {} : { sshkeys: encodeURIComponent(keys.join('\n')) }),
  }
}

/** A user-data file of cloud-init with an account for each administrator. JSON is YAML, and escapes everything. */
export function userData(
  name: string,
  os: MachineSpec['os'],
  administrators: readonly Administrator[],
): string {
  const users = administrators.map(({ user, keys }) => ({
    name: user,
    ssh_authorized_keys: keys,
    lock_passwd: true,
    ...(os === 'windows'
      ? { groups: ['Administrators', 'Remote Desktop Users'] }
      : { sudo: 'ALL=(ALL) NOPASSWD:ALL', shell: '/bin/bash' }),
  }))
  const config = { hostname: name, manage_etc_hosts: true, users: ['default', ...users] }
  return `#cloud-config\n${JSON.stringify(config, null, 2)}\n`
}
