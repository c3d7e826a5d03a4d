import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkName, namesFor } from '../../src/machines/naming.ts'
import { sizeFor } from '../../src/machines/sizing.ts'
import { refusalOf } from './a-machine.ts'

const pattern = /^[a-z][a-z0-9-]{1,14}$/
const free = () => false

test('a name that is right and free is taken as it is', () => {
  expect(checkName('webafs20', pattern, free)).toBe('webafs20')
})

test.each([
  ['WebAFS', 'webafs'],
  ['web_afs', 'web-afs'],
  ['20web', 'web'],
  ['web-', 'web'],
  ['a-name-that-is-far-too-long', 'a-name-that-is'],
  ['w\nx', 'w-x'],
])('%j is refused, and %s is offered', (name, offered) => {
  const refusal = refusalOf(() => checkName(name, pattern, free))

  expect(refusal).toMatchObject({ code: 'bad_name', extras: { suggestions: [offered] } })
})

test('a name in use is refused with a free one', () => {
  const refusal = refusalOf(() => checkName('web', pattern, (name) => ['web', 'web02'].includes(name)))

  expect(refusal).toMatchObject({
    code: 'name_taken',
    message: 'There is a machine web already. web03 would do.',
    extras: { suggestions: ['web03'] },
  })
})

test('several machines get the base and a number, passing over those in use', () => {
  const names = namesFor({ base: 'web', template: 'slc5', count: 3 }, pattern, (name) => name === 'web02')

  expect(names).toEqual(['web01', 'web03', 'web04'])
})

test('a base that ends in a digit keeps its names apart', () => {
  const names = namesFor({ base: 'web2', template: 'slc5', count: 20 }, pattern, free)

  expect(names.slice(0, 2)).toEqual(['web201', 'web202'])
  expect(new Set(names).size).toBe(20)
})

test('machines without a name are called after their template', () => {
  const names = namesFor({ base: null, template: 'slc5', count: 2 }, pattern, (name) => name === 'slc5-001')

  expect(names).toEqual(['slc5-002', 'slc5-003'])
})

test('a base that is wrong is refused and not mended', () => {
  const refusal = refusalOf(() => namesFor({ base: 'web_x', template: 'slc5', count: 2 }, pattern, free))

  expect(refusal).toMatchObject({ code: 'bad_name', extras: { suggestions: ['web-x'] } })
})

test('a pattern that no template name fits asks for a name', () => {
  const refusal = refusalOf(() => namesFor({ base: null, template: 'slc5', count: 1 }, /^srv[0-9]{4}$/, free))

  expect(refusal).toMatchObject({ code: 'bad_name' })
})

test('names of one order are different, free, and match the pattern, however long the base', () => {
  const bases = fc.option(fc.stringMatching(/^[a-z][a-z0-9]{1,14}$/))
  const used = fc.array(fc.stringMatching(/^[a-z]0[0-9]$/))

  fc.assert(
    fc.property(bases, fc.integer({ min: 1, max: 50 }), used, (base, count, list) => {
      const taken = (name: string) => list.some((tail) => name.endsWith(tail.slice(1))) && count > 1
      const names = namesFor({ base, template: 'w2008r2.x64', count }, pattern, taken)
      expect(new Set(names).size).toBe(count)
      expect(names.every((name) => pattern.test(name) && !taken(name))).toBe(true)
    }),
  )
})

const slc5 = {
  name: 'slc5',
  title: 'SLC5 x64',
  os: 'linux',
  cpus: { default: 1, max: 4 },
  memoryGb: { default: 2, max: 32 },
} as const

test('what is not wished for is the default of the template', () => {
  expect(sizeFor(slc5, { cpus: 4 })).toEqual({ cpus: 4, memoryGb: 2 })
})

test.each([
  [{ cpus: 5 }, ['cpus']],
  [{ cpus: 0, memoryGb: 33 }, ['cpus', 'memoryGb']],
  [{ memoryGb: 1.5 }, ['memoryGb']],
  [{ cpus: Number.NaN }, ['cpus']],
])('%j is outside of the limits, and each fault is named', (wish, paths) => {
  const refusal = refusalOf(() => sizeFor(slc5, wish))

  expect(refusal).toMatchObject({ code: 'bad_size', extras: { errors: paths.map((path) => ({ path })) } })
})
