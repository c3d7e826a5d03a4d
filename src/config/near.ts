/** The word of a list that was probably meant, or nothing when none is near enough to be worth offering. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  if (word.length > 64) return undefined
  const typed = word.toLowerCase()
  const allowed = Math.min(3, Math.max(1, Math.floor(typed.length / 3)))
  const rated = known.map((candidate) => ({ candidate, away: distance(typed, candidate.toLowerCase()) }))
  return rated.filter(({ away }) => away <= allowed).sort((a, b) => a.away - b.away)[0]?.candidate
}

/** Letters to add, drop, change or swap with their neighbour (optimal string alignment). */
function distance(from: string, to: string): number {
  let twoAbove: number[] = []
  let above = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let row = 1; row <= from.length; row++) {
    const line = [row]
    for (let column = 1; column <= to.length; column++) {
      const change = from[row - 1] === to[column - 1] ? 0 : 1
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
      line[column] = Math.min(
        at(above, column) + 1,
        at(line, column - 1) + 1,
        at(above, column - 1) + change,
        swapped ? at(twoAbove, column - 2) + 1 : Infinity,
      )
    }
    twoAbove = above
    above = line
  }
  return at(above, to.length)
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Infinity
}
