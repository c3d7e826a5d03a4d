import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Command, formatCommand, parseLine, type Term } from '../../bot/grammar.ts'
import { usages } from '../../bot/grammar/usage.ts'
import { hasControl } from '../../src/base/text.ts'
import { context, lexicon } from './grammar-context.ts'

const wide = context({ verbs: 'mention', lexicon })

const text = fc
  .oneof(
    fc.string({ unit: 'grapheme', maxLength: 60 }),
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.constantFrom('a "b" \\"c\\', '<@U1|x> &amp; &lt;', '\\', '“x”, it’s', 'for 30d budget T-2000'),
  )
  .filter(
    (value) =>
      value.trim() !== '' &&
      !hasControl(value) &&
      !/[\u00a0\u00ad\u1680\u2000-\u200f\u202a-\u202f\u205f-\u2064\u2066-\u2069\u3000\ufeff]/.test(value),
  )
const machine = fc.constantFrom(...lexicon.machines, 'nobodys-machine-77')
const budget = fc.constantFrom('T-1042', 'T-2000', 'UNHEARD-OF-1')
const template = fc.constantFrom(...lexicon.templates)
const pool = fc.constantFrom(...lexicon.pools)
const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,13}[a-z0-9]$/)
const size = { cpus: fc.integer({ min: 1, max: 64 }), memoryGb: fc.constantFrom(0.5, 1, 4, 8, 2.25, 512) }
const person = fc.stringMatching(/^[a-z][a-z0-9_.-]{0,12}[a-z0-9]$/)

const term: fc.Arbitrary<Term> = fc.oneof(
  fc
    .record({
      months: fc.integer({ min: 0, max: 40 }),
      days: fc.integer({ min: 0, max: 400 }),
      millis: fc.oneof(
        fc.integer({ min: 0, max: 5000 }).map((minutes) => minutes * 60_000),
        fc.integer({ min: 0, max: 90_000 }),
      ),
    })
    .filter(({ months, days, millis }) => months + days + millis > 0)
    .map((duration): Term => ({ kind: 'for', duration })),
  fc
    .record({
      day: fc
        .integer({ min: 1, max: 20_000 })
        .map((days) => new Date(Date.UTC(2026, 10, 22 + days)).toISOString().slice(0, 10)),
      time: fc.option(
        fc
          .tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }))
          .map(([h, m]) => `${String(h).padStart(2, '0')}:${String(m).padStart(2, '0')}`),
      ),
    })
    .map(({ day, time }): Term => ({ kind: 'until', day, time })),
  fc.constant<Term>({ kind: 'never' }),
)

const some = { requiredKeys: [] }
const copied = { term, budget, purpose: text }
const wanted = fc.record(
  {
    template,
    count: fc.integer({ min: 1, max: 999 }),
    name,
    ...size,
    ...copied,
    host: fc.constantFrom(...lexicon.hosts),
    diskGb: fc.integer({ min: 1, max: 9999 }),
    boot: name,
    group: name,
    administrators: fc.uniqueArray(person, { minLength: 1, maxLength: 4 }),
    description: text,
  },
  some,
)
const about = fc.record({ machine }, some)
const decision = fc.record(
  { request: fc.integer({ min: 0, max: 99_999 }).map((n) => `R-${n}`), reason: text },
  some,
)
const snapshots = fc.oneof(about, fc.record({ machine, snapshot: name }))
const file = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,20}\.(qcow2|vhdx?)$/)
const written = fc.oneof(fc.record({ image: name }, some), fc.record({ image: name, file }))
const resized = fc.oneof(
  fc.record({ machine, ...size }, some),
  fc.record({ machine, more: fc.constantFrom('cpus', 'memory') }),
)

const command: fc.Arbitrary<Command> = fc.oneof(
  fc.tuple(fc.constantFrom('request', 'quote'), wanted).map(([verb, slots]): Command => ({ verb, ...slots })),
  fc.constantFrom('mine', 'all', 'expiring').map((which): Command => ({ verb: 'list', which })),
  fc
    .tuple(fc.constantFrom('show', 'delete', 'connect', 'restore'), about)
    .map(([verb, slots]): Command => ({ verb, ...slots })),
  fc
    .tuple(
      fc.constantFrom('start', 'stop', 'off', 'reset', 'save', 'resume'),
      fc.uniqueArray(machine, { maxLength: 4 }),
    )
    .map(([verb, machines]): Command => ({ verb, machines })),
  fc
    .tuple(fc.constantFrom('extend', 'archive'), fc.record({ machine, term }, some))
    .map(([verb, slots]): Command => ({ verb, ...slots })),
  resized.map((slots): Command => ({ verb: 'resize', ...slots })),
  fc.record({ machine, budget }, some).map((slots): Command => ({ verb: 'transfer', ...slots })),
  fc
    .record({ request: fc.integer({ min: 0, max: 99_999 }).map((n) => `R-${n}`) }, some)
    .map((slots): Command => ({ verb: 'edit', ...slots })),
  fc
    .tuple(fc.constantFrom('approve', 'deny', 'cancel'), decision)
    .map(([verb, slots]): Command => ({ verb, ...slots })),
  fc
    .tuple(about, fc.constantFrom('screen', 'serial'))
    .map(([slots, console]): Command => ({ verb: 'console', ...slots, console })),
  fc
    .tuple(fc.constantFrom('snapshot', 'revert'), snapshots)
    .map(([verb, slots]): Command => ({ verb, ...slots })),
  fc
    .record({ machine, image: name, count: fc.integer({ min: 1, max: 99 }), ...copied }, some)
    .map((slots): Command => ({ verb: 'capture', ...slots })),
  fc
    .record({ machine, template, name, ...size, ...copied }, some)
    .map((slots): Command => ({ verb: 'clone', ...slots })),
  about.map((slots): Command => ({ verb: 'figures', ...slots })),
  fc.record({ file, image: name, template }, some).map((slots): Command => ({ verb: 'import', ...slots })),
  written.map((slots): Command => ({ verb: 'export', ...slots })),
  fc.record({ budget }, some).map((slots): Command => ({ verb: 'budget', ...slots })),
  fc
    .record({ budget, month: fc.constantFrom('2026-11', '2009-01') }, some)
    .map((slots): Command => ({ verb: 'costs', ...slots })),
  fc
    .record({ goal: fc.constantFrom('spread', 'consolidate') }, some)
    .map((slots): Command => ({ verb: 'rebalance', ...slots })),
  fc.constantFrom('prices', 'templates', 'hosts').map((verb): Command => ({ verb })),
  fc
    .record({ template, count: fc.integer({ min: 1, max: 999 }), ...size }, some)
    .map((slots): Command => ({ verb: 'explain', ...slots })),
  fc
    .tuple(fc.constantFrom('drain', 'return'), fc.record({ host: fc.constantFrom(...lexicon.hosts) }, some))
    .map(([verb, slots]): Command => ({ verb, ...slots })),
  fc
    .record({ word: fc.stringMatching(/^[a-z]{1,12}$/) }, some)
    .map((slots): Command => ({ verb: 'help', ...slots })),
  fc
    .array(fc.record({ name: fc.stringMatching(/^[a-z]{1,12}$/), value: text }), { maxLength: 3 })
    .map((settings): Command => ({ verb: 'settings', settings })),
  fc
    .tuple(fc.constantFrom('desktop-open', 'desktop-end'), fc.record({ pool }, some))
    .map(([verb, slots]): Command => ({ verb, ...slots })),
  fc.constant<Command>({ verb: 'desktop-list' }),
  fc.record({ pool, term }, some).map((slots): Command => ({ verb: 'desktop-extend', ...slots })),
)

test('every command can be written as a line that is understood as the same command', () => {
  fc.assert(
    fc.property(command, (wantedCommand) => {
      const line = formatCommand(wantedCommand)

      expect(parseLine(line, wide), line).toEqual({ kind: 'command', command: wantedCommand })
    }),
    { numRuns: 2000 },
  )
})

const words = usages
  .flatMap(({ names, examples }) => [...names, ...examples.flatMap((example) => example.split(' '))])
  .concat('"', '“', "'", 'for', 'until', 'next', '3', 'x', '01/02/2027', '--name', 'why:', '@', 'and', ',')

test('nothing that can be typed makes it throw, and each line it offers is understood', () => {
  const garbage = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 2100 }),
    fc.array(fc.constantFrom(...words), { maxLength: 25 }).map((picked) => picked.join(' ')),
  )
  fc.assert(
    fc.property(garbage, fc.constantFrom('/vm', '/desktop', 'mention'), (line, verbs) => {
      const understood = parseLine(line, context({ verbs }))

      const offered = understood.kind === 'ask' ? understood.choices : []
      expect(
        offered.map((choice) => parseLine(choice.line, context({ verbs: 'mention' })).kind),
      ).not.toContain('ask')
    }),
    { numRuns: 2000 },
  )
})

test.each([
  '<',
  '&',
  '"',
  "'",
  '“',
  '\\',
  '-',
  '—',
  '=',
  'a:',
  '1d',
  '1 and ',
  'for ',
  'why x ',
  '9',
  '3 x ',
  '<@',
  'next ',
  'admins a,',
  '@a ',
  '(((',
  'not ',
])('two thousand characters of %s are read in no time', (piece) => {
  const line = piece.repeat(2000).slice(0, 1990)
  const started = performance.now()

  parseLine(line, wide)
  parseLine(`extend ${line}`.slice(0, 2000), wide)
  parseLine(`request ${line}`.slice(0, 2000), wide)
  parseLine(`I need ${line}`.slice(0, 2000), wide)

  expect(performance.now() - started).toBeLessThan(1000)
})
