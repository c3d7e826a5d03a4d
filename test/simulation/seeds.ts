import { describe, expect, test } from 'vitest'
import { live } from './life.ts'

/** How many seeds are lived through, over all files that ask for a share of them. */
const seeds = Number(process.env.JACKDAW_SEEDS ?? 200)
const shares = 3

const wanted = process.env.JACKDAW_SEED

/** Lives through one share of the seeds: those that give `share` as the rest. One that is asked for comes alone, with its story. */
export function liveThrough(share: number): void {
  const mine = Array.from({ length: seeds }, (_, index) => index + 1).filter(
    (seed) => seed % shares === share,
  )
  const asked = wanted === undefined ? mine : [Number(wanted)].filter((seed) => seed % shares === share)
  describe.runIf(asked.length > 0)(`seeds with the rest ${share}`, () => {
    test.each(asked.length > 0 ? asked : [0])(
      'under seed %i nothing is lost, doubled or stuck',
      async (seed) => {
        const { trace, wrongs } = await live(seed, wanted === undefined ? undefined : print)

        expect(wrongs, story(seed, trace, wrongs)).toEqual([])
      },
    )
  })
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** How to see it again, and what came last. */
function story(seed: number, trace: readonly string[], wrongs: readonly string[]): string {
  const last = trace.slice(-12).map((line) => `    ${line}`)
  return [
    `seed ${seed}: ${wrongs.join('; ')}`,
    ...last,
    `replay: JACKDAW_SEED=${seed} npx vitest run test/simulation`,
  ].join('\n')
}
