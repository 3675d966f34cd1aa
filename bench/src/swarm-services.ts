import { fileURLToPath } from 'node:url'
import { type Program, startProgram } from '../../e2e/dist/browser/index.js'
import { lastingPort } from './swarm-ports.js'
import type { Row } from './swarm-rows.js'

const ROOT = new URL('../../', import.meta.url)
/** Of everything that a viewer talks to. */
export const HOST = '127.0.0.1'

/** Installed for the tracker's tests, with a program but no entry for it. */
const OTHER_TRACKER = new URL('node_modules/bittorrent-tracker/bin/cmd.js', ROOT)

export interface TrackerService {
  /** WebSocket URL. */
  readonly announce: string
  /** Of `/stats.json`; null where it is not Shoal's. */
  readonly statsUrl: string | null
  readonly pid: number
  /** The end of what it wrote on standard error. */
  log(): string
  kill(): void
  stop(): Promise<unknown>
}

/** A tracker on a port of this machine; by default one that it can have again. */
export async function startTracker(
  kind: NonNullable<Row['tracker']>,
  wanted?: number,
): Promise<TrackerService> {
  const port = wanted ?? (await lastingPort(HOST))
  if (kind === 'bittorrent-tracker') return startOther(port)
  const program = await startShoal('tracker/bin/shoal-tracker.js', [
    ...['--host', HOST, '--port', String(port), '--report-interval', '1', '--log-level', 'warn'],
  ])
  const { url } = JSON.parse(program.ready) as { readonly url: string }
  return { ...program, announce: url.replace(/^http/, 'ws'), statsUrl: `${url}/stats.json` }
}

/** Its interval of announces is its default, ten minutes. */
async function startOther(port: number): Promise<TrackerService> {
  const program = await startProgram(fileURLToPath(OTHER_TRACKER), [
    '--ws',
    '--port',
    String(port),
    '--http-hostname',
    HOST,
  ])
  const match = /ws:\/\/\S+:(\d+)/.exec(program.ready)
  if (match === null) throw new Error(`bittorrent-tracker says: ${program.ready}`)
  return { ...program, announce: `ws://${HOST}:${match[1]}`, statsUrl: null }
}

/** A seeder of the stream at `source`. */
export function startSeeder(source: string, announceUrl: string): Promise<Program> {
  return startShoal('seeder/bin/shoal-seeder.js', [
    ...[source, '--tracker', announceUrl, '--host', HOST, '--http-port', '0'],
    ...['--name', 'swarm benchmark', '--log-level', 'warn'],
  ])
}

function startShoal(script: string, args: readonly string[]): Promise<Program> {
  return startProgram(fileURLToPath(new URL(script, ROOT)), [...args, '--json'])
}
