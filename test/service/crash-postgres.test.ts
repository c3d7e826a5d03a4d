import { describe, expect, test } from 'vitest'
import { missingServer } from '../store/cluster.ts'
import { postgresGround } from '../torture/ground.ts'
import { torture } from '../torture/rounds.ts'

const unless = missingServer === undefined ? '' : ` (needs PostgreSQL: ${missingServer})`
// Another seed each time; a failing one is printed and can be told again with
// `npm run torture -- --store postgres --seed`.
const seed = Number(process.env.JACKDAW_SEED ?? Math.floor(Math.random() * 2 ** 32))

describe.skipIf(missingServer !== undefined)(`with its data in PostgreSQL${unless}`, () => {
  test('kills and crashes of either side lose nothing that was answered', { timeout: 600_000 }, async () => {
    const report = await torture({ seed, rounds: 6, ground: await postgresGround() })

    expect(report).toMatchObject({ seed, wrongs: [] })
    expect(report.acknowledged).toBeGreaterThan(10)
  })
})
