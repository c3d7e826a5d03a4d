/** One line of the bench: a ratio against a peer or a limit that was measured in the same run, in turns with it. */
export interface Row {
  name: string
  against: string
  /** One ratio for each round. */
  ratios: number[]
  /** What we would be content with, where a goal was set. */
  aim?: string
  note?: string
}

/** Calls work over and over, `writers` at a time, and says how many calls a second that were. */
export async function perSecond(
  calls: number,
  writers: number,
  work: (index: number) => Promise<unknown>,
): Promise<number> {
  let next = 0
  const start = performance.now()
  await Promise.all(
    Array.from({ length: writers }, async () => {
      while (next < calls) {
        next += 1
        await work(next)
      }
    }),
  )
  return calls / ((performance.now() - start) / 1000)
}

/** How long something takes. */
export async function millisOf(work: () => unknown): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

/** How much of a processor something takes, whatever else the machine is doing. For work that waits for nothing. */
export async function cpuMillisOf(work: () => unknown): Promise<number> {
  const start = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(start)
  return (user + system) / 1000
}

/** The longest time for which the event loop did not come round while something was done, in milliseconds. */
export async function longestStall(work: () => Promise<unknown>): Promise<number> {
  let [longest, isOver] = [0, false]
  let last = performance.now()
  const round = () => {
    const now = performance.now()
    longest = Math.max(longest, now - last)
    last = now
    if (!isOver) setImmediate(round)
  }
  setImmediate(round)
  await work()
  isOver = true
  round()
  return longest
}

export function print(row: Row): void {
  const sorted = [...row.ratios].sort((a, b) => a - b)
  const median = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
  const [low, high] = [sorted[0] ?? Number.NaN, sorted.at(-1) ?? Number.NaN]
  const range = `${median.toFixed(2)} x (${low.toFixed(2)} to ${high.toFixed(2)})`
  const aim = row.aim === undefined ? '' : `, aim ${row.aim}`
  process.stdout.write(`${row.name.padEnd(46)} ${range.padEnd(26)} ${row.against}${aim}\n`)
  if (row.note !== undefined) process.stdout.write(`${' '.repeat(47)}${row.note}\n`)
}
