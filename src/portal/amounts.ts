import { formatMoney, type Milli, parseMoney } from '../../pricing/money.ts'

/** An amount as an operation gives it, which may be below zero, in whole thousandths: sums are never made of fractions. */
export function milliOf(amount: string): Milli {
  return amount.startsWith('-') ? -parseMoney(amount.slice(1)) : parseMoney(amount)
}

/** What is left of an amount, as an operation would give it. */
export function minus(amount: string, less: string): string {
  return formatMoney(milliOf(amount) - milliOf(less))
}

export function amountOf(milli: Milli): string {
  return formatMoney(milli)
}
