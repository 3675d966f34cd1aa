import { fileURLToPath } from 'node:url'
import { startProgram } from '../../dist/browser/index.js'

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

async function startService(script: string, args: readonly string[]): Promise<Service> {
  const program = await startProgram(fileURLToPath(new URL(script, ROOT)), [...args, '--json'])
  return { ...program, ready: JSON.parse(program.ready) }
}

/** A tracker on a free port. `announce` is its WebSocket URL. */
export async function startTracker(
  port = 0,
): Promise<Service & { readonly announce: string; readonly url: string }> {
  const service = await startService('tracker/bin/shoal-tracker.js', [
    ...['--host', '127.0.0.1', '--port', String(port), '--report-interval', '1'],
    // Seeders of a test are on this machine.
    ...['--seeder-http-allow-private-probes', 'true'],
  ])
  const url = service.ready['url'] ?? ''
  return { ...service, url, announce: url.replace(/^http/, 'ws') }
}

/** @param announce WebSocket URL of its tracker; null for none */
export function startSeeder(
  source: string,
  announce: string | null,
  args: readonly string[] = [],
): Promise<Service> {
  return startService('seeder/bin/shoal-seeder.js', [
    source,
    ...(announce === null ? [] : ['--tracker', announce]),
    ...['--http-port', '0', '--name', 'test title', ...args],
  ])
}
