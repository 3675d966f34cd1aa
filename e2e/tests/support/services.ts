import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const ROOT = new URL('../../../', import.meta.url)

/** A program of this repository in its own process. */
export interface Service {
  /** What its JSON line said. */
  readonly ready: Readonly<Record<string, string>>
  /** Ends it without a word, as a crash would. */
  kill(): void
  /** Ends it as an operator would; resolves with its exit code. */
  stop(): Promise<number | null>
}

/** Starts a program and waits for the JSON line that it prints when it is ready. */
async function startService(script: string, args: readonly string[]): Promise<Service> {
  const child = spawn(process.execPath, [fileURLToPath(new URL(script, ROOT)), ...args, '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let log = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log = (log + text).slice(-4000)
  })
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve))
  const line = await Promise.race([
    firstLine(child),
    exited.then((code) => Promise.reject(new Error(`${script} ended with ${code}: ${log}`))),
  ])
  return {
    ready: JSON.parse(line),
    kill: () => child.kill('SIGKILL'),
    stop: () => {
      child.kill('SIGTERM')
      return exited
    },
  }
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    if (child.stdout === null) reject(new Error('no standard output'))
    else createInterface({ input: child.stdout }).once('line', resolve)
  })
}

/** A tracker on a free port. `announce` is its WebSocket URL. */
export async function startTracker(
  port = 0,
): Promise<Service & { readonly announce: string; readonly url: string }> {
  const service = await startService('tracker/bin/shoal-tracker.js', [
    ...['--host', '127.0.0.1', '--port', String(port), '--report-interval', '1'],
  ])
  const url = service.ready['url'] ?? ''
  return { ...service, url, announce: url.replace(/^http/, 'ws') }
}

export function startSeeder(
  source: string,
  announce: string,
  args: readonly string[] = [],
): Promise<Service> {
  return startService('seeder/bin/shoal-seeder.js', [
    ...[source, '--tracker', announce, '--http-port', '0', '--name', 'test title', ...args],
  ])
}
