import type { GoodbyeReason, ManifestSignature } from './messages.js'

/** Codes of enumerated values on the wire: a value's code is its index here plus one. */
export const GOODBYE_REASONS: readonly GoodbyeReason[] = [
  'leaving',
  'duplicate-connection',
  'violation',
  'full',
  'unsupported',
  'token-required',
  'token-invalid',
  'token-expired',
]

export const SIGNATURE_ALGORITHMS: readonly ManifestSignature['algorithm'][] = ['ed25519', 'p256']

/** Both algorithms sign in 64 bytes. */
export const SIGNATURE_BYTES = 64
export const SHA256_BYTES = 32

/** `part` of a whole segment on the wire. */
export const WHOLE_SEGMENT = 0xffff

/** Deadline of a request without one. */
export const NO_DEADLINE_MS = 0xffff

/** Backlog of a Have that says: nothing is served for now. */
export const NOT_SERVING_BACKLOG_MS = 0xffff

/** Hello flags. */
export const HELLO_SEEDER = 1
export const HELLO_UPLOADS = 2

/** Have flags and entry kinds. */
export const HAVE_SUMMARY = 1
export const ENTRY_RUN = 1
export const ENTRY_DROPPED = 2
export const ENTRY_SEGMENT = 3
export const ENTRY_FETCHING = 4
export const ENTRY_CLAIM = 5

/** Largest value of 48 bits. */
export const MAX_U48 = 2 ** 48 - 1
