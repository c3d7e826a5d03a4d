import { expect, test } from 'vitest'
import { nameRuleFault } from '../../src/config/name-rule.ts'

test.each([
  '^[a-z][a-z0-9-]{1,14}$',
  '^(dev|prd)-[a-z0-9]{1,10}$',
  '^(?:ab){2}[a-z]+$',
  '^[a-z]+(-x)?$',
  '^a\\|b\\(+[|()*]$',
])('%s is a pattern for names', (pattern) => {
  expect(nameRuleFault(pattern)).toBeUndefined()
})

test.each([
  ['^(', 'is not a regular expression'],
  ['[a-z]+$', 'may match only a part of a name'],
  ['^[a-z]+', 'may match only a part of a name'],
  ['^[a-z]+\\$', 'may match only a part of a name'],
  ['^a|b$', 'has a choice that ^ and $ do not hold together'],
  ['^([a-z]*)*$', 'repeats a group that itself repeats or chooses, and may take for ever'],
  ['^(a|a)+$', 'repeats a group that itself repeats or chooses, and may take for ever'],
  ['^(?:(?:a?)b){1,30}$', 'repeats a group that itself repeats or chooses, and may take for ever'],
  ['^(?<x>a)\\1$', 'refers back to what a group matched'],
  ['^(?<x>a)\\k<x>$', 'refers back to what a group matched'],
  [`^${'a*'.repeat(5)}$`, 'has 5 repetitions, and may take for ever'],
  [`^${'a'.repeat(300)}$`, 'is 302 characters long'],
])('%s is refused', (pattern, wrong) => {
  expect(nameRuleFault(pattern)).toMatchObject({ wrong })
})
