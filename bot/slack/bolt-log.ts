import { LogLevel, type Logger } from '@slack/bolt'
import type { Log } from '../../src/base/log.ts'

/** Bolt's own words as data of ours. Its debugging holds whole messages, so that is never kept. */
export function boltLog(log: Log): Logger {
  const said = (words: readonly unknown[]): string =>
    words
      .map((word) => (word instanceof Error ? word.message : typeof word === 'string' ? word : ''))
      .join(' ')
      .slice(0, 300)
  return {
    debug: () => undefined,
    info: () => undefined,
    warn: (...words: unknown[]) => log.debug({ says: said(words) }, 'slack library warns'),
    error: (...words: unknown[]) => log.warn({ says: said(words) }, 'slack library complains'),
    setLevel: () => undefined,
    getLevel: () => LogLevel.WARN,
    setName: () => undefined,
  }
}
