import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const ROOT = new URL('../../', import.meta.url)
const READY_LIMIT_MS = 60_000
const STOP_LIMIT_MS = 3000
const KEPT_LOG_CHARACTERS = 4000

/** A program of this repository in a process of its own. */
export interface Service {
  /** What its line of JSON said. */
  readonly ready: Readonly<Record<string, unknown>>
  stop(): Promise<void>
}

/** A tracker on a free port; `ready.url` is its HTTP address. */
export function startTracker(): Promise<Service> {
  return startService('tracker/bin/shoal-tracker.js', [
    ...['--host', '127.0.0.1', '--port', '0', '--report-interval', '1', '--log-level', 'warn'],
  ])
}

/** A seeder of the stream at `source`. */
export function startSeeder(source: string, announceUrl: string): Promise<Service> {
  return startService('seeder/bin/shoal-seeder.js', [
    ...[source, '--tracker', announceUrl, '--host', '127.0.0.1', '--http-port', '0'],
    ...['--name', 'swarm benchmark', '--log-level', 'warn'],
  ])
}

/** @throws Error where the program ends, or says nothing for a minute */
async function startService(script: string, args: readonly string[]): Promise<Service> {
  const child = spawn(process.execPath, [fileURLToPath(new URL(script, ROOT)), ...args, '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let log = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log = (log + text).slice(-KEPT_LOG_CHARACTERS)
  })
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  let limit: NodeJS.Timeout | undefined
  try {
    const line = await Promise.race([
      new Promise<string>((resolve) => createInterface({ input: child.stdout }).once('line', resolve)),
      ended.then(() => Promise.reject(new Error(`${script} has ended: ${log}`))),
      new Promise<never>((_, reject) => {
        limit = setTimeout(() => reject(new Error(`${script} is not ready: ${log}`)), READY_LIMIT_MS)
      }),
    ])
    return { ready: JSON.parse(line), stop: () => stop(child, ended) }
  } catch (error) {
    await stop(child, ended)
    throw error
  } finally {
    clearTimeout(limit)
  }
}

async function stop(child: ChildProcess, ended: Promise<void>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGTERM')
  const limit = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS)
  await ended
  clearTimeout(limit)
}
