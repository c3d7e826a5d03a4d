import { parseArgs } from 'node:util'
import { torture } from './rounds.ts'

/** `npm run torture -- --rounds 1000 [--seed 42]` */
const { values } = parseArgs({ options: { rounds: { type: 'string' }, seed: { type: 'string' } } })
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 32))
const rounds = Number(values.rounds ?? 100)
process.stdout.write(`seed ${seed}, ${rounds} rounds\n`)
const report = await torture({ seed, rounds, say: (line) => process.stdout.write(`${line}\n`) })
process.stdout.write(`${report.acknowledged} things acknowledged, ${report.wrongs.length} wrong\n`)
for (const wrong of report.wrongs) process.stdout.write(`${wrong}\n`)
if (report.wrongs.length > 0) process.exitCode = 1
