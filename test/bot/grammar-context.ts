import type { Lexicon, LineContext } from '../../bot/grammar.ts'

export const lexicon: Lexicon = {
  templates: ['slc5', 'w2008r2', 'w2008', 'desktop'],
  machines: ['webafs20', 'web1', 'build-7', 'stop', 'for', '30d', 'x3', 'all', 'march1', 'p1d'],
  budgets: ['T-1042', 'T-2000'],
  pools: ['developers', 'public', 'list'],
  hosts: ['cernwod01', 'cernwod03'],
  people: { U1: 'bob' },
}

/** Sunday 22 November 2026, 11:00 in Zurich. */
export const now = '2026-11-22T10:00:00.000Z'

export function context(overrides: Partial<LineContext> = {}): LineContext {
  return {
    verbs: '/vm',
    now,
    zone: 'Europe/Zurich',
    lexicon: { ...lexicon, machines: ['webafs20', 'web1', 'build-7'] },
    ...overrides,
  }
}
