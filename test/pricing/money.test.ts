import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checked, formatMoney, isMoney, parseMoney } from '../../pricing/money.ts'

test.each([
  { text: '0', milli: 0, shown: '0.00' },
  { text: '0.685', milli: 685, shown: '0.685' },
  { text: '0.960', milli: 960, shown: '0.96' },
  { text: '107.3', milli: 107_300, shown: '107.30' },
  { text: '2000.00', milli: 2_000_000, shown: '2000.00' },
  { text: '1.005', milli: 1_005, shown: '1.005' },
])('$text is $milli milli-units and is shown as $shown', ({ text, milli, shown }) => {
  expect(parseMoney(text)).toBe(milli)
  expect(formatMoney(milli)).toBe(shown)
})

test.each(['', '.5', '1.', '01', '-1', '+1', '1e3', '1,000', '0.6855', ' 1', '1234567890123', 'NaN'])(
  'the text "%s" is no amount of money',
  (text) => {
    expect(isMoney(text)).toBe(false)
    expect(() => parseMoney(text)).toThrow('at most three places')
  },
)

test('an amount below zero keeps its sign', () => {
  expect(formatMoney(-1_920)).toBe('-1.92')
})

test.each([0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])('%d is not money', (amount) => {
  expect(() => checked(amount)).toThrow('safe whole number')
})

test('what is shown reads back as the same amount', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 999_999_999_999_999 }), (milli) => {
      expect(parseMoney(formatMoney(milli))).toBe(milli)
    }),
  )
})
