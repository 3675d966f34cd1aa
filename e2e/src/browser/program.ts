import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

const READY_LIMIT_MS = 60_000
const STOP_LIMIT_MS = 5000
const KEPT_LOG_CHARACTERS = 4000

/** A Node program in a process of its own. */
export interface Program {
  readonly pid: number
  /** The line that it printed when it was ready. */
  readonly ready: string
  /** The end of its standard error so far. */
  log(): string
  /** Ends it without a word, as a crash would. */
  kill(): void
  /** Ends it as an operator would, by force after 5 s; resolves with its exit code. */
  stop(): Promise<number | null>
}

/**
 * Starts a program and waits for its first line.
 *
 * @throws Error where it ends before, or says nothing for a minute
 */
export async function startProgram(script: string, args: readonly string[]): Promise<Program> {
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let log = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log = (log + text).slice(-KEPT_LOG_CHARACTERS)
  })
  // Nothing is left behind, however this process ends itself.
  const killAtExit = () => void child.kill('SIGKILL')
  process.once('exit', killAtExit)
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  void ended.then(() => process.off('exit', killAtExit))
  let limit: NodeJS.Timeout | undefined
  try {
    const ready = await Promise.race([
      firstLine(child),
      ended.then((code) => Promise.reject(new Error(`${script} ended with ${code}: ${log}`))),
      new Promise<never>((_, reject) => {
        limit = setTimeout(() => reject(new Error(`${script} is not ready: ${log}`)), READY_LIMIT_MS)
      }),
    ])
    return {
      pid: child.pid ?? 0,
      ready,
      log: () => log,
      kill: () => void child.kill('SIGKILL'),
      stop: () => stop(child, ended),
    }
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  } finally {
    clearTimeout(limit)
  }
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    if (child.stdout === null) {
      reject(new Error('no standard output'))
      return
    }
    const lines = createInterface({ input: child.stdout })
    lines.once('line', resolve)
  })
}

async function stop(child: ChildProcess, ended: Promise<number | null>): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
  const limit = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS)
  const code = await ended
  clearTimeout(limit)
  return code
}
