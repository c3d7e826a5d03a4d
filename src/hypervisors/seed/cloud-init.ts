import type { Guest } from './guest.ts'

/**
 * What cloud-init reads from a disc called CIDATA (its documentation, "NoCloud"): the name of the machine and accounts of
 * its administrators, who get in by their keys and may do everything. JSON is YAML too, and has no way to be read as
 * something else than was meant (YAML 1.2 §1.3).
 */
export function cloudInitFiles({ ref, name, administrators }: Guest): Record<string, string> {
  const users = administrators.map(({ user, keys }) => ({
    name: user,
    gecos: user,
    shell: '/bin/bash',
    sudo: 'ALL=(ALL) NOPASSWD:ALL',
    lock_passwd: true,
    ...(keys.length === 0 ? {} : { ssh_authorized_keys: keys }),
  }))
  const userData = { hostname: name, manage_etc_hosts: true, users: ['default', ...users] }
  const metaData = { 'instance-id': ref, 'local-hostname': name }
  return {
    'user-data': `#cloud-config\n${JSON.stringify(userData, null, 1)}\n`,
    'meta-data': `${JSON.stringify(metaData, null, 1)}\n`,
  }
}
