import fc from 'fast-check'
import { expect, test } from 'vitest'
import { collections } from '../../src/store/collections.ts'
import { Table } from '../../src/store/lowdb/table.ts'
import { aMachine } from './documents.ts'

const hosts = ['one', 'two']
const step = fc.record({
  id: fc.constantFrom('a', 'b', 'c', 'd'),
  host: fc.option(fc.constantFrom('one', 'two')),
  cpus: fc.integer({ min: 1, max: 8 }),
  memoryGb: fc.constantFrom(0.5, 1, 2.25, 16),
  removes: fc.boolean(),
  takesBack: fc.boolean(),
})

test('totals are what is there adds up to, whatever was put, removed and taken back', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const table = new Table(collections.machines)

      for (const { removes, takesBack, ...facts } of steps) {
        const undo = removes ? table.remove(facts.id) : table.put(aMachine(facts))
        if (takesBack) undo?.()
      }

      for (const host of hosts) {
        const there = table.all().filter((machine) => machine.host === host)
        const sums = {
          cpus: there.reduce((sum, { cpus }) => sum + cpus, 0),
          memoryGb: there.reduce((sum, { memoryGb }) => sum + memoryGb, 0),
        }
        expect(table.total('host', host)).toEqual({ count: there.length, sums })
      }
    }),
  )
})
