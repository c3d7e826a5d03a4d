// Prints what the test runner counted. Fails when it failed, counted nothing, or skipped anything.
import { readFileSync } from 'node:fs'

const [file, outcome] = process.argv.slice(2)
let report
try {
  report = JSON.parse(readFileSync(file, 'utf8'))
} catch {
  console.log('The test runner left no report: it did not get as far as running tests.')
  process.exit(Number(outcome) || 1)
}
const {
  numPassedTests: passed,
  numFailedTests: failed,
  numPendingTests: pending,
  numTodoTests: todo,
} = report
const brokenFiles = report.testResults.filter(
  (result) => result.status === 'failed' && result.assertionResults.length === 0,
)
const skipped = pending + todo
for (const result of report.testResults) {
  for (const test of result.assertionResults) {
    if (test.status === 'pending' || test.status === 'skipped') console.log(`skipped: ${test.fullName}`)
  }
}
for (const { name, message } of brokenFiles) console.log(`could not be run: ${name}: ${message}`)
if (skipped > 0) console.log(`${skipped} skipped: CI must skip nothing`)
console.log(`${passed} passed, ${failed + brokenFiles.length} failed`)
process.exit(Number(outcome) !== 0 || failed > 0 || skipped > 0 || passed === 0 ? 1 : 0)
