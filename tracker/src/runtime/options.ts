import { z } from 'zod'
import type { Log, LogLevel } from '../adapters/log.js'
import { LOG_LEVELS } from '../adapters/log.js'
import { DEFAULT_ANNOUNCE_INTERVAL_SECONDS, DEFAULT_REPORT_INTERVAL_SECONDS } from '../signalling/tracker.js'
import { DEFAULT_REGISTRY_LIMITS } from '../swarm/registry.js'

/** The usual port of WebTorrent trackers. */
const DEFAULT_PORT = 8000

/** All IPv4 addresses: a tracker is there to be reached. */
const DEFAULT_HOST = '0.0.0.0'

/** WebSockets at once, at about 5 kB each with the kernel's part. */
const DEFAULT_MAX_CONNECTIONS = 100_000

const positive = (max: number) => z.int().min(1).max(max)

const limitsSchema = z.strictObject({
  maxConnections: positive(10_000_000).default(DEFAULT_MAX_CONNECTIONS),
  maxPeersPerSocket: positive(10_000).default(DEFAULT_REGISTRY_LIMITS.maxPeersPerSocket),
  maxPeersPerSwarm: positive(10_000_000).default(DEFAULT_REGISTRY_LIMITS.maxPeersPerSwarm),
  maxSwarms: positive(10_000_000).default(DEFAULT_REGISTRY_LIMITS.maxSwarms),
})

/**
 * What a configuration file may say; the same keys are the options of `createTracker`.
 *
 * The bounds of the intervals are those of the protocol's readers (clients refuse an interval above a
 * day and a report interval above an hour).
 */
const settingsSchema = z.strictObject({
  host: z.string().min(1).default(DEFAULT_HOST),
  port: z.int().min(0).max(65_535).default(DEFAULT_PORT),
  engine: z.enum(['uws', 'ws']).optional(),
  announceIntervalSeconds: positive(86_400).default(DEFAULT_ANNOUNCE_INTERVAL_SECONDS),
  reportIntervalSeconds: positive(3600).default(DEFAULT_REPORT_INTERVAL_SECONDS),
  logLevel: z.enum(LOG_LEVELS).default('info'),
  dashboardFolder: z.string().min(1).optional(),
  limits: limitsSchema.prefault({}),
})

export type TrackerSettings = z.output<typeof settingsSchema>

/** Options of `createTracker`: all may be left out. */
export interface TrackerOptions {
  /** Address to listen on; `0.0.0.0` when left out. */
  readonly host?: string | undefined
  /** Port to listen on; 8000 when left out, 0 takes a free one. */
  readonly port?: number | undefined
  /** Socket library; uWebSockets.js when left out and it loads, else ws. */
  readonly engine?: 'uws' | 'ws' | undefined
  /** Seconds between a client's announces; 120 when left out. */
  readonly announceIntervalSeconds?: number | undefined
  /** Seconds between a Shoal peer's reports; 10 when left out. */
  readonly reportIntervalSeconds?: number | undefined
  /** For the command line only: a program hands in `log`. */
  readonly logLevel?: LogLevel | undefined
  /** Folder of the built dashboard; the one beside this package when left out. */
  readonly dashboardFolder?: string | undefined
  readonly limits?: Partial<TrackerSettings['limits']> | undefined
  /** Where to log; nowhere when left out. */
  readonly log?: Log | undefined
}

/** An option or a key of the configuration file is wrong. The message is one line that names it. */
export class OptionsError extends Error {
  override readonly name = 'OptionsError'
}

/** Checks options and fills in the defaults. @throws OptionsError */
export function readSettings(options: unknown): TrackerSettings {
  const result = settingsSchema.safeParse(options)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  const key = issue === undefined || issue.path.length === 0 ? '' : `${issue.path.join('.')}: `
  const known = issue?.code === 'unrecognized_keys' ? `; known: ${knownKeys(issue.path)}` : ''
  throw new OptionsError(`${key}${issue?.message ?? 'wrong'}${known}`)
}

/** Keys of the object at `path`: of the settings themselves, or of their limits. */
function knownKeys(path: readonly PropertyKey[]): string {
  return Object.keys(path.length === 0 ? settingsSchema.shape : limitsSchema.shape).join(', ')
}
