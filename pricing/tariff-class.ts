import type { LocalDay } from '../src/base/period.ts'
import type { Tariff } from './tariff.ts'

/**
 * The tariffs of a class of machines, each from its first day on: those that are for it, and before the first of them
 * those that are for no class in particular, which cover the rest.
 */
export function tariffsOfClass(tariffs: readonly Tariff[], priceClass: string): Tariff[] {
  const own = tariffs.filter((tariff) => tariff.for?.includes(priceClass))
  const first = earliest(own)
  const general = tariffs.filter(
    (tariff) => tariff.for === undefined && (first === undefined || tariff.from < first),
  )
  return [...general, ...own]
}

function earliest(tariffs: readonly Tariff[]): LocalDay | undefined {
  return tariffs.reduce<LocalDay | undefined>(
    (first, { from }) => (first === undefined || from < first ? from : first),
    undefined,
  )
}
