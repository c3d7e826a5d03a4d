import { describe, expect, test } from 'vitest'
import { byTariff, dayPrice, gbAboveFirst, ratesFor, Tariff, tariffOn } from '../../pricing/tariff.ts'
import { aTariff } from './builders.ts'

const first = aTariff({ name: 'first', from: '2009-01-01' })
const second = aTariff({ name: 'second', from: '2010-01-01' })
const third = aTariff({ name: 'third', from: '2010-03-01' })
const tariffs = [first, second, third]

test.each([
  { day: '2008-06-01', name: 'first' },
  { day: '2009-01-01', name: 'first' },
  { day: '2009-12-31', name: 'first' },
  { day: '2010-01-01', name: 'second' },
  { day: '2010-02-28', name: 'second' },
  { day: '2010-03-01', name: 'third' },
  { day: '2030-01-01', name: 'third' },
])('the tariff of $day is the $name', ({ day, name }) => {
  expect(tariffOn(day, tariffs).name).toBe(name)
  expect(tariffOn(day, tariffs.toReversed()).name).toBe(name)
})

test('of two tariffs from one day the one listed later counts', () => {
  const rival = aTariff({ name: 'rival', from: '2010-01-01' })

  expect(tariffOn('2010-01-15', [first, second, rival]).name).toBe('rival')
  expect(byTariff({ from: '2010-01-01', to: '2010-02-01' }, [first, second, rival])).toEqual([
    { tariff: rival, from: '2010-01-01', to: '2010-02-01' },
  ])
})

describe('a term is cut where the tariff changes', () => {
  test.each([
    { from: '2008-01-01', to: '2008-02-01', spans: [['first', '2008-01-01', '2008-02-01']] },
    {
      from: '2008-12-01',
      to: '2010-01-02',
      spans: [
        ['first', '2008-12-01', '2010-01-01'],
        ['second', '2010-01-01', '2010-01-02'],
      ],
    },
    {
      from: '2009-12-31',
      to: '2010-04-01',
      spans: [
        ['first', '2009-12-31', '2010-01-01'],
        ['second', '2010-01-01', '2010-03-01'],
        ['third', '2010-03-01', '2010-04-01'],
      ],
    },
    { from: '2010-01-01', to: '2010-03-01', spans: [['second', '2010-01-01', '2010-03-01']] },
    { from: '2011-01-01', to: '2011-01-01', spans: [] },
  ])('from $from to $to', ({ from, to, spans }) => {
    const cut = byTariff({ from, to }, tariffs)

    expect(cut.map((span) => [span.tariff.name, span.from, span.to])).toEqual(spans)
  })
})

test('a day is priced by component, above the first GB and the first CPU', () => {
  expect(dayPrice({ cpus: 2, memoryGb: 4 }, first)).toEqual({
    baseMilli: 960,
    memoryMilli: 2_055,
    cpuMilli: 685,
  })
  expect(dayPrice({ cpus: 1, memoryGb: 0.5 }, first)).toEqual({ baseMilli: 960, memoryMilli: 0, cpuMilli: 0 })
})

test('memory above the first GB is exact to a thousandth', () => {
  expect([0.5, 1, 1.1, 4.768].map((memoryGb) => gbAboveFirst({ cpus: 1, memoryGb }))).toEqual([
    0, 0, 0.1, 3.768,
  ])
})

test('a site without tariffs is our own mistake', () => {
  expect(() => tariffOn('2009-01-01', [])).toThrow('at least one tariff')
  expect(() => byTariff({ from: '2009-01-01', to: '2009-01-02' }, [])).toThrow('at least one tariff')
})

test.each([
  { fault: { base: 0.96 }, path: 'base' },
  { fault: { perGb: '0.6855' }, path: 'perGb' },
  { fault: { from: '2009-02-30' }, path: 'from' },
  { fault: { freeDays: -1 }, path: 'freeDays' },
  { fault: { freeDaysCover: 'memory' }, path: 'freeDaysCover' },
])('a tariff in a file is refused for its $path', ({ fault, path }) => {
  const file = { name: 'x', from: '2009-01-01', freeDays: 31, base: '0.960', perGb: '0.685', perCpu: '0.685' }

  const read = Tariff.safeParse({ ...file, ...fault })

  expect(read.error?.issues.map((issue) => issue.path.join('.'))).toEqual([path])
})

test('free days cover everything unless a tariff says otherwise', () => {
  const file = { name: 'x', from: '2009-01-01', freeDays: 31, base: '0.960', perGb: '0.685', perCpu: '0.685' }

  expect(Tariff.parse(file).freeDaysCover).toBe('all')
})

test.each([
  { saved: { base: '0.1' }, rates: [100, 685, 685] },
  { saved: { perGb: '0.1' }, rates: [960, 100, 685] },
  { saved: { perCpu: '0.1' }, rates: [960, 685, 100] },
  { saved: {}, rates: [960, 685, 685] },
])('prices of a saved machine, $saved, leave the others as they are', ({ saved, rates }) => {
  const file = { name: 'x', from: '2009-01-01', freeDays: 31, base: '0.960', perGb: '0.685', perCpu: '0.685' }
  const tariff = Tariff.parse({ ...file, saved })

  const { baseMilli, perGbMilli, perCpuMilli } = ratesFor(tariff, 'saved')

  expect([baseMilli, perGbMilli, perCpuMilli]).toEqual(rates)
  expect(ratesFor(tariff, 'running')).toEqual({ baseMilli: 960, perGbMilli: 685, perCpuMilli: 685 })
})
