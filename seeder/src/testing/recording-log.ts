import type { Logger } from '../log.js'

/** A logger that remembers its messages, `level message`. */
export class RecordingLog implements Logger {
  readonly lines: string[] = []

  debug(): void {}

  info(_fields: object, message: string): void {
    this.lines.push(`info ${message}`)
  }

  warn(_fields: object, message: string): void {
    this.lines.push(`warn ${message}`)
  }

  error(_fields: object, message: string): void {
    this.lines.push(`error ${message}`)
  }

  count(part: string): number {
    return this.lines.filter((line) => line.includes(part)).length
  }
}
