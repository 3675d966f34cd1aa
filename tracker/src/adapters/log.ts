import { destination, pino } from 'pino'

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** What the tracker logs through: pino's methods that are used here. */
export interface Log {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** JSON lines on stderr: stdout belongs to the line that `--json` promises. */
export function createLog(level: LogLevel): Log {
  return pino({ level, base: { name: 'shoal-tracker' } }, destination({ dest: 2, sync: true }))
}

/** For a tracker inside another program. */
export const SILENT_LOG: Log = { info() {}, warn() {}, error() {} }
