import { isPublicKey } from '@shoal/protocol'
import { z } from 'zod'

/** Networks that have to agree before the tracker signs. Fewer would be one person's word. */
const DEFAULT_AGREEING_NETWORKS = 2

/** Keys of seeders in the configuration at most. */
const MAX_KEYS = 64

const publicKey = z
  .string()
  .refine(isPublicKey, 'wanted is base64url of a raw Ed25519 (32 bytes) or P-256 (65 bytes) public key')

export const seedersSchema = z.strictObject({
  keys: z
    .array(publicKey)
    .max(MAX_KEYS)
    .default([])
    .describe('public keys of own seeders: the tracker vouches for them when a seeder announces them'),
  vouchLoopback: z
    .boolean()
    .optional()
    .describe('vouch for seeders of this machine; when left out only without seeders.keys and token keys'),
})

export const attestationSchema = z.strictObject({
  enabled: z.boolean().default(true).describe('sign what fetchers of several networks agree on'),
  keyFile: z
    .string()
    .min(1)
    .optional()
    .describe('private key for it, PEM, Ed25519 or P-256; without it a new one at each start'),
  networks: z.int().min(2).max(16).default(DEFAULT_AGREEING_NETWORKS).describe('networks that have to agree'),
  sameNetwork: z
    .boolean()
    .default(false)
    .describe('count each peer as a network of its own: for tests and networks that are known to be closed'),
})
