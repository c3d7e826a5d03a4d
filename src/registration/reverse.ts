import { isIP } from 'node:net'

/** The name under which the DNS keeps what an address is called (RFC 1035 §3.5, RFC 3596 §2.5); nothing for no address. */
export function reverseName(address: string): string | undefined {
  const kind = isIP(address)
  if (kind === 4) return `${address.split('.').reverse().join('.')}.in-addr.arpa`
  if (kind !== 6 || address.includes('%') || address.includes('.')) return undefined
  return `${Array.from(nibbles(address)).reverse().join('.')}.ip6.arpa`
}

/** The 32 hexadecimal digits of an IPv6 address. */
function nibbles(address: string): string {
  const [head = '', tail] = address.toLowerCase().split('::')
  const groups = (part: string | undefined): string[] =>
    part === undefined || part === '' ? [] : part.split(':').map((group) => group.padStart(4, '0'))
  const [before, after] = [groups(head), groups(tail)]
  const gap = Math.max(0, 8 - before.length - after.length)
  return [...before, ...Array.from({ length: gap }, () => '0000'), ...after].join('')
}

/** The smallest of these zones that a name is in. */
export function zoneOf(name: string, zones: readonly string[]): string | undefined {
  return zones
    .filter((zone) => name === zone || name.endsWith(`.${zone}`))
    .sort((a, b) => b.length - a.length)[0]
}
