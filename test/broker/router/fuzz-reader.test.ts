import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseGreeting } from '../../../broker/router/greeting.ts'
import { parseProxyHeader } from '../../../broker/router/proxy-header.ts'
import { mutated } from './corpus.ts'

const greetings = 100_000

test(
  `${greetings} mutated greetings are read without a fault, in pieces as in one`,
  { timeout: 300_000 },
  () => {
    let tried = 0
    const kinds = new Set<string>()
    const some = fc.array(fc.tuple(mutated, fc.nat()), { minLength: 20, maxLength: 20 })

    fc.assert(
      fc.property(some, (batch) => {
        for (const [bytes, cut] of batch) {
          tried += 1
          const whole = parseGreeting(bytes)
          const part = parseGreeting(bytes.subarray(0, cut % (bytes.length + 1)))
          // Whatever was made of a part holds: what comes later cannot change it.
          if (part.kind !== 'more' && { ...part, rest: null }.kind !== whole.kind)
            throw new Error('changed its mind')
          if (whole.kind === 'greeting' && whole.request.length > 259)
            throw new Error('a request past its bound')
          parseProxyHeader(bytes)
          kinds.add(whole.kind === 'bad' ? whole.reason : whole.kind)
        }
      }),
      { numRuns: greetings / 20 },
    )

    expect(tried).toBeGreaterThanOrEqual(greetings)
    expect([...kinds].sort()).toEqual(
      [
        ...['bad_length', 'bad_preconnection', 'control_characters', 'greeting', 'more'],
        ...['not_a_connection_request', 'not_tpkt'],
      ].sort(),
    )
  },
)
