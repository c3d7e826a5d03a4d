import { parseArgs } from 'node:util'
import { postgresGround } from './ground.ts'
import { torture } from './rounds.ts'

/** `npm run torture -- --rounds 1000 [--seed 42] [--store postgres]` */
const { values } = parseArgs({
  options: { rounds: { type: 'string' }, seed: { type: 'string' }, store: { type: 'string' } },
})
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 32))
const rounds = Number(values.rounds ?? 100)
process.stdout.write(`seed ${seed}, ${rounds} rounds\n`)
if (values.store !== undefined && !['lowdb', 'postgres'].includes(values.store)) {
  throw new Error('--store is lowdb or postgres')
}
const ground = values.store === 'postgres' ? { ground: await postgresGround() } : {}
const report = await torture({ seed, rounds, ...ground, say: (line) => process.stdout.write(`${line}\n`) })
process.stdout.write(`${report.acknowledged} things acknowledged, ${report.wrongs.length} wrong\n`)
for (const wrong of report.wrongs) process.stdout.write(`${wrong}\n`)
if (report.wrongs.length > 0) process.exitCode = 1
