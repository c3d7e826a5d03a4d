import type { Token } from './normalise.ts'

const counting =
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty'
export const numberWords: readonly string[] = counting.split(' ')

export const months: readonly string[] =
  'january february march april may june july august september october november december'.split(' ')
export const weekdays: readonly string[] = 'monday tuesday wednesday thursday friday saturday sunday'.split(
  ' ',
)

/** Words that hold a sentence together and carry nothing we need. */
export const fillers: ReadonlySet<string> = new Set(
  (
    'a an the of with and or at in into to from my our your me us it its this that is are be please pls thanks ' +
    'thank you kindly just now also some new fresh another additional extra more other same identical virtual ' +
    'running using based installed each for by as so i we want need server servers machine machines vm vms host ' +
    'box boxes instance instances environment ram memory mem cpu cpus core cores image images copy copies time ' +
    'times replicated copied called budget code per up on'
  ).split(' '),
)

/** What is counted: `20 servers`, `10 times`. */
export const countNouns: ReadonlySet<string> = new Set(
  (
    'server servers machine machines vm vms box boxes instance instances copy copies time times replica ' +
    'replicas clone clones'
  ).split(' '),
)

/** The word at a place in lower case; nothing for quoted text, which is never a word of ours. */
export function wordAt(tokens: readonly Token[], at: number): string {
  const token = tokens[at]
  return token === undefined || token.kind === 'quoted' ? '' : token.text.toLowerCase()
}

/** A whole number in digits (at most six) or in words up to twenty. */
export function wholeNumber(word: string): number | undefined {
  if (/^\d{1,6}$/.test(word)) return Number(word)
  const index = numberWords.indexOf(word)
  return index < 0 ? undefined : index
}

/** The one name that was probably meant: nearest, within two slips of the finger, and no other as near. */
export function guess(word: string, names: readonly string[]): string | undefined {
  const typed = word.toLowerCase()
  let best: { name: string; slips: number } | undefined
  let tied = false
  for (const name of new Set(names)) {
    const slips = slipsBetween(typed, name.toLowerCase())
    if (slips > (Math.min(typed.length, name.length) <= 3 ? 1 : 2)) continue
    if (best !== undefined && slips === best.slips) tied = true
    if (best !== undefined && slips >= best.slips) continue
    best = { name, slips }
    tied = false
  }
  return tied ? undefined : best?.name
}

/** Damerau-Levenshtein distance (neighbours swapped count once); 3 stands for "too far". */
function slipsBetween(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2 || a.length > 64 || a.length < 2) return 3
  let before: number[] = []
  let above = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      const steps = [cell(above, j) + 1, cell(row, j - 1) + 1, cell(above, j - 1) + same]
      row.push(Math.min(...steps, swapped ? cell(before, j - 2) + 1 : 3))
    }
    before = above
    above = row
  }
  return Math.min(3, cell(above, b.length))
}

function cell(row: readonly number[], at: number): number {
  return row[at] ?? 3
}
