import { isIP } from 'node:net'
import { isPublicKey, MAX_ANNOUNCED_KEYS } from '@shoal/protocol'
import { z } from 'zod'
import { publicUrlFault } from '../http/announced-url.js'
import { bytesOf, NOT_BYTES } from './byte-sizes.js'

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

/** A port of this machine; 0 takes a free one. */
const LOCAL_PORT = z.int('Not a port: 0 to 65535.').min(0).max(65535, 'Not a port: 0 to 65535.')

const UDP_PORT = z.int().min(1).max(65535)

const TEXT = z.string().min(1, 'It is empty.')

/** One, or several in a list. */
const TEXTS = z.union([TEXT, z.array(TEXT)], 'Neither a text nor a list of texts.')

/** One public key, or several in a list. */
const PUBLIC_KEYS = z.unknown().transform((value, context) => {
  const keys: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (keys.length > 0 && keys.length <= MAX_ANNOUNCED_KEYS && keys.every(isPublicKey)) return keys
  context.addIssue(
    `Not 1 to ${MAX_ANNOUNCED_KEYS} public keys: base64url of a raw Ed25519 (32 bytes) or P-256 (65 bytes) key.`,
  )
  return z.NEVER
})

/** A number, or a text with a unit. */
const BYTES = z.unknown().transform((value, context) => {
  const bytes = typeof value === 'number' || typeof value === 'string' ? bytesOf(String(value)) : null
  if (bytes !== null) return bytes
  context.addIssue(NOT_BYTES)
  return z.NEVER
})

/** A join token as trackers take it (docs/protocol.md). */
const TOKEN = TEXT.max(2048, 'Longer than the 2048 characters that trackers take.')

const IP_ADDRESS = z.string().refine((text) => isIP(text) !== 0, 'Not an IP address, such as 203.0.113.5.')

const PUBLIC_URL = z.string().superRefine((text, context) => {
  const fault = publicUrlFault(text)
  if (fault !== null) context.addIssue(fault)
})

const ICE_SERVER = z.strictObject({
  urls: z.union([z.string(), z.array(z.string())]),
  username: z.string().exactOptional(),
  credential: z.string().exactOptional(),
})

const PORT_RANGE = z
  .strictObject({ first: UDP_PORT, last: UDP_PORT })
  .refine(({ first, last }) => first <= last, 'The first port is above the last.')

/** All that can be set: by flag, in the environment, or in the configuration file. */
export const SETTINGS = z.strictObject({
  source: TEXT.optional(),
  origin: TEXTS.optional(),
  tracker: TEXTS.optional(),
  contentId: TEXT.optional(),
  name: TEXT.optional(),
  httpPort: LOCAL_PORT.optional(),
  host: TEXT.optional(),
  publicUrl: PUBLIC_URL.optional(),
  directPort: LOCAL_PORT.optional(),
  directHost: IP_ADDRESS.optional(),
  admitSecrets: TEXT.optional(),
  admitKeys: TEXT.optional(),
  key: TEXT.optional(),
  signedBy: PUBLIC_KEYS.optional(),
  token: TOKEN.optional(),
  tokenFile: TEXT.optional(),
  cache: TEXT.optional(),
  cacheBytes: BYTES.optional(),
  memoryBytes: BYTES.optional(),
  maxLinks: z.int().positive().max(10_000).optional(),
  uploadBytesPerSecond: BYTES.optional(),
  webrtc: z
    .strictObject({
      iceServers: z.array(ICE_SERVER).exactOptional(),
      bindAddress: IP_ADDRESS.exactOptional(),
      portRange: PORT_RANGE.exactOptional(),
    })
    .optional(),
  logLevel: z.enum(LOG_LEVELS).optional(),
  json: z.boolean().optional(),
})

export type Settings = z.infer<typeof SETTINGS>

/**
 * The first thing that is wrong, for people: the key, and what is the matter with it; null where all is
 * right. `keys` are the ones that are known, where one is not.
 */
export function firstFault(
  value: unknown,
): { readonly key: string; readonly message: string; readonly unknown: boolean } | null {
  const result = SETTINGS.safeParse(value)
  if (result.success) return null
  const [first] = result.error.issues
  const unknown = first?.code === 'unrecognized_keys' && first.path.length === 0
  return { key: first?.path.join('.') ?? '', message: first?.message ?? 'not an object', unknown }
}
