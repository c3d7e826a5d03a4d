import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { matcher } from '../../broker/networks.ts'

/**
 * Where a request comes from that express does not see, by the same rule as its `trust proxy`: back along
 * `X-Forwarded-For`, as far as those who say so are believed.
 */
export function clientAddress(proxies: readonly string[]): (request: IncomingMessage) => string {
  const isProxy = matcher(proxies)
  return ({ socket, headers }) => {
    const nearest = socket.remoteAddress
    if (nearest === undefined) return 'unknown'
    const said = [headers['x-forwarded-for'] ?? []].flat().join(',').split(',')
    let address = nearest
    for (const hop of said.reverse().map((text) => text.trim())) {
      if (!isProxy(address) || isIP(hop) === 0) break
      address = hop
    }
    return address
  }
}
