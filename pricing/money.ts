import { assert } from '../src/base/errors.ts'

/** Thousandths of the site's currency, always a whole number. */
export type Milli = number

const amount = /^(0|[1-9]\d{0,11})(\.\d{1,3})?$/

/** Whether a text is an amount of money with at most three decimals, such as `0.685` or `2000.00`. */
export function isMoney(text: string): boolean {
  return amount.test(text)
}

/** `"0.685"` is 685. */
export function parseMoney(text: string): Milli {
  assert(isMoney(text), 'an amount of money is a decimal with at most three places')
  const [whole = '0', fraction = ''] = text.split('.')
  return checked(Number(whole) * 1000 + Number(fraction.padEnd(3, '0')))
}

/** 107300 is `"107.30"`, 685 is `"0.685"`: two decimals, three where the third is needed. */
export function formatMoney(milli: Milli): string {
  const size = Math.abs(checked(milli))
  const fraction = String(size % 1000).padStart(3, '0')
  return `${milli < 0 ? '-' : ''}${Math.floor(size / 1000)}.${fraction.endsWith('0') ? fraction.slice(0, 2) : fraction}`
}

/** An amount as `formatMoney` wrote it, which may be below zero. */
export function milliOf(text: string): Milli {
  return text.startsWith('-') ? 0 - parseMoney(text.slice(1)) : parseMoney(text)
}

/** The difference of two such amounts: sums are never made of fractions. */
export function minus(text: string, less: string): string {
  return formatMoney(milliOf(text) - milliOf(less))
}

/** Money past 2^53 would be silently wrong. */
export function checked(milli: Milli): Milli {
  assert(Number.isSafeInteger(milli), 'an amount of money is a safe whole number of milli-units')
  return milli
}
