import { z } from 'zod'
import { readCidr } from './addresses.js'

/**
 * Limits of one address. A household, an office or a carrier's NAT is one address: each of its
 * viewers announces every 2 minutes and reports every 10 s: a thousand of them are 110 messages a
 * second. When all of them join within a minute, answers and candidates make that 300.
 */
const DEFAULT_CONNECTIONS = 1000
const DEFAULT_CONNECTS_PER_SECOND = 100
const DEFAULT_ANNOUNCES_PER_SECOND = 500
const DEFAULT_OFFERS_PER_SECOND = 500
const DEFAULT_BYTES_PER_SECOND = 1_000_000
const DEFAULT_BURST_SECONDS = 10

/** How long a polluter is kept out, in seconds. */
const DEFAULT_BAN_SECONDS = 600

/** Entries of a list in the configuration at most. */
const MAX_LIST = 1000

/** `https://example.com`, `https://*.example.com`, with a port where it is not the scheme's own. */
const ORIGIN = /^https?:\/\/(\*\.)?([a-z0-9.-]+|\[[0-9a-f:.]+\])(:\d{1,5})?$/

const origin = z
  .string()
  .toLowerCase()
  .regex(ORIGIN, 'wanted is an origin such as https://example.com or https://*.example.com')
export const cidr = z
  .string()
  .refine((text) => readCidr(text) !== null, 'wanted is a range such as 192.0.2.0/24')
const file = z.string().min(1).optional()
const rate = (fallback: number) => z.number().min(0.01).max(1e9).default(fallback)

const tokensSchema = z.strictObject({
  hmacSecretFile: file.describe('secrets of HS256 tokens, one a line, at least 32 characters each'),
  publicKeyFile: file.describe('Ed25519 public keys of EdDSA tokens, PEM'),
  required: z.boolean().default(true).describe('refuse announces without a token, where keys are given'),
})

const perAddressSchema = z.strictObject({
  connections: z
    .int()
    .min(1)
    .max(10_000_000)
    .default(DEFAULT_CONNECTIONS)
    .describe('sockets of an address at once'),
  connectsPerSecond: rate(DEFAULT_CONNECTS_PER_SECOND).describe('new sockets of an address'),
  announcesPerSecond: rate(DEFAULT_ANNOUNCES_PER_SECOND).describe('messages of an address'),
  offersPerSecond: rate(DEFAULT_OFFERS_PER_SECOND).describe('offers of an address'),
  bytesPerSecond: rate(DEFAULT_BYTES_PER_SECOND).describe('bytes of messages of an address'),
  burstSeconds: z
    .number()
    .min(1)
    .max(3600)
    .default(DEFAULT_BURST_SECONDS)
    .describe('seconds of these rates that may come at once'),
})

export const admissionSchema = z.strictObject({
  origins: z
    .array(origin)
    .max(MAX_LIST)
    .default([])
    .describe('origins of pages that may connect, all when empty'),
  requireOrigin: z
    .boolean()
    .default(false)
    .describe('refuse sockets without an Origin header too: seeders and other programs'),
  trustedProxies: z
    .array(cidr)
    .max(MAX_LIST)
    .default([])
    .describe('ranges of proxies whose X-Forwarded-For is believed'),
  exempt: z
    .array(cidr)
    .max(MAX_LIST)
    .default(['127.0.0.0/8', '::1/128'])
    .describe('ranges without limits and bans'),
  allowFile: file.describe('swarms that are served, all others are refused: info hashes, one a line'),
  denyFile: file.describe('swarms that are refused: info hashes, one a line'),
  banSeconds: z
    .int()
    .min(1)
    .max(86_400)
    .default(DEFAULT_BAN_SECONDS)
    .describe('how long a reported polluter is kept out of a swarm'),
  tokens: tokensSchema.prefault({}),
  perAddress: perAddressSchema.prefault({}),
})

export type AdmissionSettings = z.output<typeof admissionSchema>
