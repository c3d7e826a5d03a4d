import { fingerprint } from '../src/base/seal.ts'
import type { Tariff } from './tariff.ts'

/** A tariff that was charged by, as it was when that was done first. `id` is its name and first day. */
export interface UsedTariff {
  id: string
  name: string
  from: string
  fingerprint: string
}

/** Of everything in a tariff that a price may hang on. */
export function usedTariff(tariff: Tariff): UsedTariff {
  const { name, from } = tariff
  return { id: usedTariffId(tariff), name, from, fingerprint: fingerprint(plain(tariff)) }
}

/** What a used tariff is kept under. */
export function usedTariffId({ name, from }: Pick<Tariff, 'name' | 'from'>): string {
  return `${from} ${name}`
}

/** A used tariff that the site's file no longer has as it was: changed, or not there at all. */
export interface TariffFault {
  name: string
  from: string
  /** Its place among the site's tariffs; null when it is not there. */
  index: number | null
}

/** What of the used tariffs is not as it was. An unused one may be changed as one likes. */
export function changedTariffs(used: readonly UsedTariff[], tariffs: readonly Tariff[]): TariffFault[] {
  const now = tariffs.map(usedTariff)
  return used.flatMap(({ id, name, from, fingerprint: before }): TariffFault[] => {
    const index = now.findIndex((tariff) => tariff.id === id)
    if (index === -1) return [{ name, from, index: null }]
    return now[index]?.fingerprint === before ? [] : [{ name, from, index }]
  })
}

/** The same text for the same content, whatever the order it was written in. */
function plain(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  )
}
