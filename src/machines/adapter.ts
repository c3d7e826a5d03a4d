import { createHash } from 'node:crypto'

/**
 * The address of a machine's network adapter (EUI-48, IEEE 802): always the same for the same ref, and one that no
 * maker gives out (locally administered, unicast).
 */
export function macOf(ref: string): string {
  const octets = createHash('sha256').update(ref).digest().subarray(0, 6)
  return Array.from(octets, (octet, index) => (index === 0 ? (octet & 0xfc) | 0x02 : octet))
    .map((octet) => octet.toString(16).padStart(2, '0'))
    .join(':')
}
