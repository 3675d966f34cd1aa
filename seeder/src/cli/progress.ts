import type { Logger } from '../log.js'
import type { SeederSnapshot } from '../runtime/snapshot.js'

/** Between two looks, in milliseconds. */
const INTERVAL_MS = 500

/** Cells of the bar. */
const WIDTH = 30

/** A terminal, as far as it is written to. */
export interface Terminal {
  readonly columns?: number
  write(text: string): unknown
}

/**
 * Shows on a terminal how far a title on demand is mirrored; ends by itself when all is here or nothing
 * more comes. Live titles have no end to come nearer to.
 *
 * @param snapshot what the seeder is doing
 * @returns what clears the line, for a log line in between
 */
export function showProgress(
  terminal: Terminal,
  snapshot: () => SeederSnapshot,
): { readonly clear: () => void } {
  let shown = false
  const clear = () => {
    if (shown) terminal.write('\r\x1b[K')
    shown = false
  }
  const timer = setInterval(() => {
    const now = snapshot()
    clear()
    if (now.live) return
    // A terminal that does not know its width says 0.
    const line = progressLine(now).slice(0, (terminal.columns || 80) - 1)
    terminal.write(line)
    shown = true
    if (now.segments > 0 && now.pending === 0) {
      terminal.write('\n')
      shown = false
      clearInterval(timer)
    }
  }, INTERVAL_MS)
  timer.unref()
  return { clear }
}

/** Between two lines of a log, in milliseconds. */
const LOG_INTERVAL_MS = 10_000

/**
 * Logs how far a title on demand is mirrored, where there is no terminal: at most every ten seconds, and
 * once when all is here.
 */
export function logProgress(log: Logger, snapshot: () => SeederSnapshot): void {
  let saidAt = performance.now()
  const timer = setInterval(() => {
    const { live, segments, pending, bytes, peers } = snapshot()
    if (live || segments + pending === 0) return
    const done = pending === 0
    if (!done && performance.now() - saidAt < LOG_INTERVAL_MS) return
    saidAt = performance.now()
    log.info({ segments, pending, bytes, peers }, done ? 'mirrored' : 'mirroring')
    if (done) clearInterval(timer)
  }, INTERVAL_MS)
  timer.unref()
}

/** One line: a bar, segments, bytes, peers, and what is amiss. */
export function progressLine({ segments, pending, bytes, peers, origin }: SeederSnapshot): string {
  const total = segments + pending
  const share = total === 0 ? 0 : segments / total
  const full = Math.floor(share * WIDTH)
  const bar = `${'#'.repeat(full)}${'-'.repeat(WIDTH - full)}`
  const amiss = origin.state === 'down' ? `, origin down: ${origin.error}` : ''
  const percent = String(Math.floor(share * 100)).padStart(3)
  return `[${bar}] ${percent} %  ${segments}/${total} segments, ${megabytes(bytes)} MB, ${peers} peers${amiss}`
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1)
}
