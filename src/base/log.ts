import { type Logger, pino } from 'pino'
import pretty from 'pino-pretty'

/** Fixed text with data beside: `log.warn({ host, attempt }, 'hypervisor unreachable')`. Never a secret, never a body. */
export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>

/** One JSON object a line on standard output; somebody at a terminal gets readable lines. */
export function openLog(options: { level: string; terminal: boolean }): Log {
  const stream = options.terminal
    ? pretty({ ignore: 'pid,hostname', sync: true })
    : pino.destination({ sync: true })
  return pino({ level: options.level, timestamp: pino.stdTimeFunctions.isoTime }, stream)
}

export const silentLog: Log = pino({ level: 'silent' })
