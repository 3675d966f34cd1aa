import { DecodeError } from './errors.js'
import { isPublicKey } from './public-key.js'
import { isListDigest, isSignatureText, readSegmentName } from './segment-list.js'

/** Keys that a seeder announces at most: one it signs with, and those before and after it in a rotation. */
export const MAX_ANNOUNCED_KEYS = 4

/** Keys in a reply at most. */
export const MAX_VOUCHED_KEYS = 8

/** Segments that one announce reports at most: what a viewer loads itself in a report interval. */
export const MAX_REPORTED_LISTS = 32

/** Lists that one announce disputes at most, and digests that a verdict names as wrong. */
export const MAX_WRONG_LISTS = 8

/** Verdicts in one message of a tracker at most. */
export const MAX_VERDICTS = 32

/** What a peer says of the bytes of one segment. */
export interface SegmentList {
  /** The segment's name (`segmentKey`, `readSegmentName`). */
  readonly s: string
  /** Digest of its list of hashes (`listDigestOf`). */
  readonly h: string
}

/** What peers tell a tracker about whose bytes are whose (docs/protocol.md, "Integrity"). */
export interface IntegrityReports {
  /** Seeders: public keys that it signs with, at most `MAX_ANNOUNCED_KEYS`. */
  readonly keys?: readonly string[]
  /** Segments that this peer loaded whole over HTTP itself: at most `MAX_REPORTED_LISTS`. */
  readonly lists?: readonly SegmentList[]
  /** Lists that came from peers and that its own check over HTTP found wrong: at most `MAX_WRONG_LISTS`. */
  readonly wrong?: readonly SegmentList[]
}

/** What a tracker concludes from the reports about one segment. */
export type Verdict =
  /** Fetchers of several networks loaded the same. To those alone who reported this digest. */
  | {
      readonly s: string
      readonly h: string
      /** The attestor's signature over `attestationBytes`, base64url of 64 bytes; where it signs. */
      readonly sig?: string
    }
  /** They loaded different bytes: the segment comes from HTTP only. */
  | {
      readonly s: string
      readonly disputed: true
      /** Digests against which the majority of networks speaks: at most `MAX_WRONG_LISTS`. */
      readonly wrong?: readonly string[]
    }

type Fields = Readonly<Record<string, unknown>>

/**
 * Reads a list of public keys as a seeder announces them.
 *
 * @returns null where it is none of at most `MAX_ANNOUNCED_KEYS`
 */
export function readAnnouncedKeys(value: unknown): string[] | null {
  if (!Array.isArray(value) || value.length > MAX_ANNOUNCED_KEYS) return null
  return value.every(isPublicKey) ? [...new Set<string>(value)] : null
}

/** Public keys of a reply: those in form among the first `MAX_VOUCHED_KEYS`, others are left out. */
export function readVouchedKeys(value: unknown): string[] {
  if (!Array.isArray(value)) return []
  return [...new Set(value.slice(0, MAX_VOUCHED_KEYS).filter(isPublicKey))]
}

/**
 * Reads what a peer reports about segments.
 *
 * @param max `MAX_REPORTED_LISTS` or `MAX_WRONG_LISTS`
 * @returns null where it is out of form or longer
 */
export function readSegmentLists(value: unknown, max: number): SegmentList[] | null {
  if (!Array.isArray(value) || value.length > max) return null
  const lists: SegmentList[] = []
  for (const entry of value as unknown[]) {
    if (typeof entry !== 'object' || entry === null) return null
    const { s, h } = entry as Fields
    if (readSegmentName(s) === null || !isListDigest(h)) return null
    lists.push({ s: s as string, h })
  }
  return lists
}

/**
 * Reads the verdicts of a tracker.
 *
 * @throws DecodeError (`bad-value`)
 */
export function readVerdicts(value: unknown): Verdict[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_VERDICTS) {
    throw new DecodeError('bad-value', 'verdicts')
  }
  return (value as unknown[]).map(readVerdict)
}

function readVerdict(value: unknown): Verdict {
  if (typeof value !== 'object' || value === null) throw new DecodeError('bad-value', 'verdict')
  const { s, h, sig, disputed, wrong } = value as Fields
  if (readSegmentName(s) === null) throw new DecodeError('bad-value', 'segment of a verdict')
  const segment = s as string
  if (disputed === true) {
    if (wrong === undefined) return { s: segment, disputed }
    if (!Array.isArray(wrong) || wrong.length > MAX_WRONG_LISTS || !wrong.every(isListDigest)) {
      throw new DecodeError('bad-value', 'wrong digests of a verdict')
    }
    return { s: segment, disputed, wrong: [...wrong] }
  }
  if (!isListDigest(h)) throw new DecodeError('bad-value', 'digest of a verdict')
  if (sig === undefined) return { s: segment, h }
  if (!isSignatureText(sig)) throw new DecodeError('bad-value', 'signature of a verdict')
  return { s: segment, h, sig }
}
