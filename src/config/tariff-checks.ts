import { list } from '../base/text.ts'
import type { Path, Problem } from './faults.ts'
import { nearest } from './near.ts'
import type { Sketch } from './sketch.ts'

/** Tariffs of which one machine would go by two, or that leave a class of machines without any price. */
export function tariffProblems(site: Sketch): Problem[] {
  return [...site.tariffs.flatMap((_, index) => orderProblems(site, index)), ...coverProblems(site)]
}

/** Within each class tariffs stand in order of their days, and no two begin on one. */
function orderProblems({ tariffs }: Sketch, index: number): Problem[] {
  const tariff = tariffs[index]
  if (tariff?.from === undefined) return []
  const { from, name } = tariff
  const path = ['tariffs', index, 'from']
  const others = tariffs.slice(0, index)
  const twin = others.find((other) => other.from === from && shared(tariff, other) !== undefined)
  if (twin !== undefined) {
    const group = shared(tariff, twin) ?? ''
    const whose = group === '' ? '' : ` for ${group}`
    return [{ path, wrong: `is ${from}, as in the tariff before it${whose}`, right: 'should be a later day' }]
  }
  const later = others.find((other) => (other.from ?? '') > from && shared(tariff, other) !== undefined)
  if (later !== undefined) {
    const right = 'tariffs should stand in order of their days'
    return [{ path, wrong: `is ${from}, earlier than the tariff before it`, right }]
  }
  if (!others.some((other) => other.from === from && other.name === name)) return []
  const wrong = `is ${name ?? ''} from ${from} a second time`
  return [{ path: ['tariffs', index, 'name'], wrong, right: 'should be a name of its own' }]
}

type Row = Sketch['tariffs'][number]

/** A class that two tariffs are both for; '' where both are for the rest. */
function shared(one: Row, other: Row): string | undefined {
  if (one.for === undefined && other.for === undefined) return ''
  return one.for?.find((word) => other.for?.includes(word))
}

/** Classes that are no host group, and host groups that no tariff is for. */
function coverProblems(site: Sketch): Problem[] {
  const groups = groupsOf(site)
  const isListed = site.hypervisors.every(({ hosts }) => hosts !== undefined)
  const unknown = isListed
    ? site.tariffs.flatMap(({ for: words = [] }, index) =>
        words.flatMap((word, at) => unknownGroup(['tariffs', index, 'for', at], word, groups)),
      )
    : []
  const isGeneral = site.tariffs.some((tariff) => tariff.for === undefined)
  if (isGeneral || site.tariffs.length === 0) return unknown
  const covered = site.tariffs.flatMap(({ for: words = [] }) => words)
  const bare = [...groups].flatMap(([group, path]): Problem[] =>
    covered.includes(group)
      ? []
      : [
          {
            path,
            wrong: `is ${group}, which no tariff is for`,
            right: `should have a tariff with for: [${group}], or there should be one without for`,
          },
        ],
  )
  const found = {
    path: ['tariffs'],
    wrong: 'are all for some host groups, and a hypervisor finds its hosts itself',
    right: 'should have one without for, which covers the rest',
  }
  return [...unknown, ...bare, ...(isListed ? [] : [found])]
}

/** Host groups with the first place that names each. */
function groupsOf({ hypervisors }: Sketch): Map<string, Path> {
  const groups = new Map<string, Path>()
  for (const [at, { hosts = [] }] of hypervisors.entries()) {
    for (const [index, { group = 'central' }] of hosts.entries()) {
      if (!groups.has(group)) groups.set(group, ['hypervisors', at, 'hosts', index, 'group'])
    }
  }
  return groups
}

function unknownGroup(path: Path, word: string, groups: ReadonlyMap<string, Path>): Problem[] {
  const names = [...groups.keys()]
  if (word === '' || names.includes(word)) return []
  const meant = nearest(word, names)
  const right = meant === undefined ? `should be ${list(names, 'or')}` : `perhaps ${meant} is meant`
  return [{ path, wrong: `is ${JSON.stringify(word)}, and there is no host group of that name`, right }]
}
