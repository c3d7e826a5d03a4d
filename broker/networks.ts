import { BlockList, isIPv6 } from 'node:net'
import { canonicalAddress } from './terminal.ts'

/** Whether an address is one of these, or in one of these networks. */
export function matcher(entries: readonly string[]): (address: string) => boolean {
  const known = new BlockList()
  for (const entry of entries) {
    const [address = '', bits] = entry.split('/')
    const family = isIPv6(address) ? 'ipv6' : 'ipv4'
    if (bits === undefined) known.addAddress(address, family)
    else known.addSubnet(address, Number(bits), family)
  }
  return (address) => {
    const text = canonicalAddress(address)
    return entries.length > 0 && known.check(text, isIPv6(text) ? 'ipv6' : 'ipv4')
  }
}
