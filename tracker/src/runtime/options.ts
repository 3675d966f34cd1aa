import { z } from 'zod'
import type { Log, LogLevel } from '../adapters/log.js'
import { LOG_LEVELS } from '../adapters/log.js'
import { admissionSchema, cidr } from '../admission/settings.js'
import { attestationSchema, seedersSchema } from '../integrity/settings.js'
import { localitySchema } from '../locality/settings.js'
import { DEFAULT_ANNOUNCE_INTERVAL_SECONDS, DEFAULT_REPORT_INTERVAL_SECONDS } from '../signalling/tracker.js'
import { DEFAULT_REGISTRY_LIMITS } from '../swarm/registry.js'
import { keysOf, namesAt } from './settings-keys.js'

/** The usual port of WebTorrent trackers. */
const DEFAULT_PORT = 8000

/** All IPv4 addresses: a tracker is there to be reached. */
const DEFAULT_HOST = '0.0.0.0'

/** WebSockets at once, at about 5 kB each with the kernel's part. */
const DEFAULT_MAX_CONNECTIONS = 100_000

/** Time in which all sockets of a tracker that stops are sent away at most, in seconds. */
const DEFAULT_DRAIN_SECONDS = 10

/** Long enough for a Redis that fails over, short enough that ghosts of a dead node are gone soon. */
const DEFAULT_REDIS_LEASE_SECONDS = 10

/** A file that settings name is read anew so soon after it has changed, in seconds. */
const DEFAULT_RELOAD_SECONDS = 5

/** Ranges of addresses to dial at most. */
const MAX_DIAL_RANGES = 100

const positive = (max: number) => z.int().min(1).max(max)

const limitsSchema = z.strictObject({
  maxConnections: positive(10_000_000)
    .default(DEFAULT_MAX_CONNECTIONS)
    .describe('sockets at once, more are refused with 503'),
  maxPeersPerSocket: positive(10_000)
    .default(DEFAULT_REGISTRY_LIMITS.maxPeersPerSocket)
    .describe('peers of one socket, over all its swarms'),
  maxPeersPerSwarm: positive(10_000_000)
    .default(DEFAULT_REGISTRY_LIMITS.maxPeersPerSwarm)
    .describe('peers of one swarm'),
  maxSwarms: positive(10_000_000).default(DEFAULT_REGISTRY_LIMITS.maxSwarms).describe('swarms at once'),
})

const tlsSchema = z
  .strictObject({
    certFile: z.string().min(1).optional().describe('certificate chain, PEM; engine ws only'),
    keyFile: z.string().min(1).optional().describe('its private key, PEM'),
  })
  .refine(({ certFile, keyFile }) => (certFile === undefined) === (keyFile === undefined), {
    error: 'certFile and keyFile are wanted together',
  })

const seederHttpSchema = z.strictObject({
  handOut: z
    .boolean()
    .default(true)
    .describe('probe the HTTP addresses that seeders announce, and tell viewers those that answer'),
  allowPrivateProbes: z
    .boolean()
    .default(false)
    .describe('probe addresses inside the own network too: whoever announces can make the tracker ask there'),
})

const seederDialSchema = z.strictObject({
  handOut: z
    .boolean()
    .default(true)
    .describe('tell viewers the addresses where seeders are dialled, where those are their own'),
  ranges: z
    .array(cidr)
    .max(MAX_DIAL_RANGES)
    .default([])
    .describe(
      "ranges of addresses that seeders may announce beside their own, such as a cloud's public ones",
    ),
})

/**
 * What a configuration file may say; the same keys are the options of `createTracker`, and each has
 * a flag and a variable of the environment.
 *
 * The bounds of the intervals are those of the protocol's readers (clients refuse an interval above a
 * day and a report interval above an hour).
 */
const settingsSchema = z.strictObject({
  host: z.string().min(1).default(DEFAULT_HOST).describe('address to listen on'),
  port: z.int().min(0).max(65_535).default(DEFAULT_PORT).describe('port to listen on, 0 for a free one'),
  engine: z.enum(['uws', 'ws']).optional().describe('socket library: uws if it loads, else ws'),
  announceIntervalSeconds: positive(86_400)
    .default(DEFAULT_ANNOUNCE_INTERVAL_SECONDS)
    .describe("seconds between a client's announces"),
  reportIntervalSeconds: positive(3600)
    .default(DEFAULT_REPORT_INTERVAL_SECONDS)
    .describe("seconds between a Shoal peer's reports"),
  logLevel: z.enum(LOG_LEVELS).default('info').describe('least important level logged to stderr'),
  dashboardFolder: z.string().min(1).optional().describe('folder of the built dashboard'),
  redis: z
    .string()
    .refine(isRedisUrl, { error: 'not a URL like redis://host:6379' })
    .optional()
    .describe('URL of the Redis of the cluster; without it the tracker is on its own'),
  redisLeaseSeconds: z
    .number()
    .min(0.2)
    .max(600)
    .default(DEFAULT_REDIS_LEASE_SECONDS)
    .describe('seconds without a sign of life after which a node of the cluster counts as gone'),
  sharedPort: z
    .boolean()
    .default(false)
    .describe('share the port with other trackers of this machine (SO_REUSEPORT); engine uws only'),
  drainSeconds: z
    .number()
    .min(0)
    .max(3600)
    .default(DEFAULT_DRAIN_SECONDS)
    .describe('longest time in which sockets are sent away after SIGTERM'),
  reloadSeconds: z
    .number()
    .min(0.1)
    .max(3600)
    .default(DEFAULT_RELOAD_SECONDS)
    .describe('seconds between looks at the files that settings name'),
  limits: limitsSchema.prefault({}),
  tls: tlsSchema.prefault({}),
  admission: admissionSchema.prefault({}),
  seederHttp: seederHttpSchema.prefault({}),
  seeders: seedersSchema.prefault({}),
  attestation: attestationSchema.prefault({}),
  seederDial: seederDialSchema.prefault({}),
  locality: localitySchema.prefault({}),
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
  /** URL of the Redis of the cluster; on its own when left out. */
  readonly redis?: string | undefined
  /** Seconds of silence after which a node of the cluster counts as gone; 10 when left out. */
  readonly redisLeaseSeconds?: number | undefined
  /** Share the port with other trackers of this machine; engine `uws` only. */
  readonly sharedPort?: boolean | undefined
  /** Longest time in which `drain` sends the sockets away, in seconds; 10 when left out. */
  readonly drainSeconds?: number | undefined
  /** Seconds between looks at the files that options name; 5 when left out. */
  readonly reloadSeconds?: number | undefined
  readonly limits?: Partial<TrackerSettings['limits']> | undefined
  /** Certificate and key for TLS; engine `ws` only. */
  readonly tls?: z.input<typeof tlsSchema> | undefined
  /** Who may connect, and how much. */
  readonly admission?: z.input<typeof admissionSchema> | undefined
  /** Files that say where addresses are, for neighbours that are near each other. */
  readonly locality?: z.input<typeof localitySchema> | undefined
  /** Whose keys the tracker vouches for. */
  readonly seeders?: z.input<typeof seedersSchema> | undefined
  /** Signing what fetchers of several networks agree on. */
  readonly attestation?: z.input<typeof attestationSchema> | undefined
  /** HTTP addresses of seeders. */
  readonly seederHttp?: z.input<typeof seederHttpSchema> | undefined
  /** Addresses where seeders are dialled. */
  readonly seederDial?: z.input<typeof seederDialSchema> | undefined
  /** Where to log; nowhere when left out. */
  readonly log?: Log | undefined
}

/** An option or a key of the configuration file is wrong. The message is one line that names it. */
export class OptionsError extends Error {
  override readonly name = 'OptionsError'
}

/** Every setting: what flags, variables of the environment and the help are made from. */
export const SETTING_KEYS = keysOf(settingsSchema)

/**
 * Checks options and fills in the defaults.
 *
 * @param sourceOf where the value at a path was set, for the message; null where that is plain
 * @throws OptionsError
 */
export function readSettings(
  options: unknown,
  sourceOf: (path: readonly PropertyKey[]) => string | null = () => null,
): TrackerSettings {
  const result = settingsSchema.safeParse(options)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  const path = issue?.path ?? []
  const key = path.length === 0 ? '' : `${path.join('.')}: `
  const known =
    issue?.code === 'unrecognized_keys' ? `; known: ${namesAt(settingsSchema, path).join(', ')}` : ''
  const source = sourceOf(path)
  const from = source === null ? '' : ` (from ${source})`
  throw new OptionsError(`${key}${issue?.message ?? 'wrong'}${known}${from}`)
}

/** `redis:` or `rediss:`, with a host, a port that is one, and nothing or the number of a database for its path. */
function isRedisUrl(text: string): boolean {
  if (!/^rediss?:\/\/[^\s/]/.test(text) || !URL.canParse(text)) return false
  return /^(\/\d{0,9})?$/.test(new URL(text).pathname)
}
